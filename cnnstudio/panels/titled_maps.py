"""A picture of maps with a line above it that says whose they are."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from cnnstudio.widgets.elided_label import ElidedLabel
from cnnstudio.widgets.map_view import MapView


class TitledMaps(QWidget):
    """The line takes no room while it is empty."""

    def __init__(self, view: MapView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = view
        self._title = ElidedLabel()
        self._title.setProperty("role", "muted")
        self._title.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._title)
        layout.addWidget(view, 1)

    @property
    def title(self) -> str:
        """The line."""
        return self._title.text()

    def set_title(self, text: str) -> None:
        """Say whose maps they are."""
        self._title.setText(text)
        self._title.setVisible(bool(text))
