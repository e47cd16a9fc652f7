"""Widgets: plain NumPy arrays in, Qt signals out; they know neither document nor session nor engine."""
