# SPDX-License-Identifier: Apache-2.0
"""Training: crops, losses, the schedule and the loop over them."""
