# SPDX-License-Identifier: Apache-2.0
"""A long bag in parts that overlap: cut, labelled anywhere, joined into the results of one bag."""
