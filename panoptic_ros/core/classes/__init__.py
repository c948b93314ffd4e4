# SPDX-License-Identifier: Apache-2.0
"""Classes: their numbers and names, what is known about them, and what consumers call them."""
