# SPDX-License-Identifier: Apache-2.0
"""What a node notices beside its images: its clock, and nodes of its name."""
