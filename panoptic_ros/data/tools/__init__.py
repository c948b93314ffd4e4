# SPDX-License-Identifier: Apache-2.0
"""Objects of images as annotation tools import and export them."""
