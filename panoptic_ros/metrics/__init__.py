# SPDX-License-Identifier: Apache-2.0
"""Scores of predictions against truth: update, merge, result, reset."""
