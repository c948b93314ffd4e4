# SPDX-License-Identifier: Apache-2.0
"""How long stages take, and times summed up."""
