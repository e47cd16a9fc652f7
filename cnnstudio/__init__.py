"""CNN Studio: the desktop program around the engine."""

__version__ = "0.1.0"
