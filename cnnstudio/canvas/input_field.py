"""What a block sees: the receptive field of a cell in the middle of its maps, on the picture of the Input block."""

from __future__ import annotations

from PySide6.QtCore import QRectF

from cnnstudio.document.document import Document


def field_on_input(document: Document, block_id: str) -> QRectF | None:
    """The part of the picture, in fractions of its width and height, or None where there is none to show."""
    head = document.graph.main[0].id
    analysis = document.derived.analysis
    image, facts = analysis.get(head), analysis.get(block_id)
    if image is None or not image.y.is_image or facts is None or facts is image or facts.receptive_field is None:
        return None
    _, height, width = image.y
    rect = facts.receptive_field.of_cell(tuple(n // 2 for n in facts.y)).within(height, width)
    return QRectF(rect.left / width, rect.top / height, rect.width / width, rect.height / height)
