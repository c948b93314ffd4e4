# SPDX-License-Identifier: Apache-2.0
"""Video packets in messages, and their decoding."""
