# SPDX-License-Identifier: Apache-2.0
"""Make large images reach other processes, and check that they do."""
