"""The engine against independent computations: PyTorch, ONNX, central differences, plain loops."""
