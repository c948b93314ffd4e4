# SPDX-License-Identifier: Apache-2.0
"""Heads to panoptic maps, one file per kind of network."""
