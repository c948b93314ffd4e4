# SPDX-License-Identifier: Apache-2.0
"""The network: training and export, with PyTorch."""
