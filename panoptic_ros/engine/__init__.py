# SPDX-License-Identifier: Apache-2.0
"""Rooms of engines: from a model file to heads."""
