# SPDX-License-Identifier: Apache-2.0
"""Parsers and limits for files that may come from anybody."""
