# SPDX-License-Identifier: Apache-2.0
"""Bags, videos and folders as sources of recorded frames."""
