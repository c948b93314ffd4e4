# SPDX-License-Identifier: Apache-2.0
"""Truth, a predictor and a score: one way for label files, engines and bags."""
