"""The canvas: blocks and wires drawn from the document's graph, and the gestures that edit it."""
