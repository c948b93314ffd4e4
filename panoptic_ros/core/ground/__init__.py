# SPDX-License-Identifier: Apache-2.0
"""Pixels to places on the ground, and what is free there, in metres."""
