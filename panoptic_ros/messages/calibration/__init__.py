# SPDX-License-Identifier: Apache-2.0
"""Calibrations: their files, and what becomes of them when images are cut, turned or scaled."""
