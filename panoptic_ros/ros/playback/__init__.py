# SPDX-License-Identifier: Apache-2.0
"""Play a recording into the graph, and record what a node publishes."""
