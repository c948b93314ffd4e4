# SPDX-License-Identifier: Apache-2.0
"""What is said about each camera: ego vehicle, turn, part, rate, and the size of its results."""
