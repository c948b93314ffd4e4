# SPDX-License-Identifier: Apache-2.0
"""The surface to drive on, over time."""
