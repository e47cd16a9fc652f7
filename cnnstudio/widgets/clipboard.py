"""What was copied, here or in another program."""

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication


def on_clipboard() -> QMimeData:
    """What lies on the clipboard; empty data where nothing does, for which Qt gives none at all, against its declaration."""
    data: QMimeData | None = QGuiApplication.clipboard().mimeData()
    return QMimeData() if data is None else data
