"""The network being edited: an immutable graph, what follows from it, and the edits that can be undone."""
