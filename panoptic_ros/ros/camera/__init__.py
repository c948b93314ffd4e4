# SPDX-License-Identifier: Apache-2.0
"""One camera of the node: its images in, its topics out, what is counted about it."""
