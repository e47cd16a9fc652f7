"""CNN Studio: the desktop program around the engine."""
