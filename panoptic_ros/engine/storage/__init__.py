# SPDX-License-Identifier: Apache-2.0
"""Plans on disk: found, checked, written whole, with what they were built from."""
