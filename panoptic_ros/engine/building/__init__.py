# SPDX-License-Identifier: Apache-2.0
"""From an ONNX model to a TensorRT plan: prepared, built, checked, cached."""
