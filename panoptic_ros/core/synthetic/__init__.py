# SPDX-License-Identifier: Apache-2.0
"""A drawn street with exact truth, and an engine that reads it back."""
