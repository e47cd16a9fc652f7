"""NumPy engine for convolutional networks: layers, training, explanation. Imports no Qt."""
