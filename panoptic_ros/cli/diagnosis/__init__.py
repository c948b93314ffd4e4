# SPDX-License-Identifier: Apache-2.0
"""What is on this machine, and what follows from it."""
