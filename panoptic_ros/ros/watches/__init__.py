# SPDX-License-Identifier: Apache-2.0
"""What a node notices about its surroundings as a whole: its clock, and nodes of its name."""
