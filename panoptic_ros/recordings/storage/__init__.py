# SPDX-License-Identifier: Apache-2.0
"""Storage files of bags, whole, packed or damaged."""
