# SPDX-License-Identifier: Apache-2.0
"""What a run did, as numbers and as one HTML page."""
