# SPDX-License-Identifier: Apache-2.0
"""Damaged input for everything that reads what others wrote; ``make fuzz`` runs it for long."""
