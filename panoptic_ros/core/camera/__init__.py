# SPDX-License-Identifier: Apache-2.0
"""What is said about each camera: own vehicle, turn, part, rate, and the size of its results."""
