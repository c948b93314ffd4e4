# SPDX-License-Identifier: Apache-2.0
"""What ``panoptic eval`` prints."""
