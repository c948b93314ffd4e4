# SPDX-License-Identifier: Apache-2.0
"""The demo's videos, cameras and processes."""
