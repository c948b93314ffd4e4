# SPDX-License-Identifier: Apache-2.0
"""Point clouds, depth images and boxes in three dimensions as messages."""
