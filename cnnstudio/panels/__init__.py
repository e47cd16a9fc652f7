"""The panels around the canvas; each shows engine arrays of one stated step and asks for no others."""
