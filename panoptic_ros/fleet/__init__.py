# SPDX-License-Identifier: Apache-2.0
"""Labelling thousands of bags: one bag at a time, resumable, by any number of workers."""
