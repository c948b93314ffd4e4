# SPDX-License-Identifier: Apache-2.0
"""Public label formats, one file each."""
