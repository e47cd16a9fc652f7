"""Data sets: images with class labels, read from files and split into training, validation and test parts."""
