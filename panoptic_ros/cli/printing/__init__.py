# SPDX-License-Identifier: Apache-2.0
"""What a verb shows and writes: progress, figures, where files go."""
