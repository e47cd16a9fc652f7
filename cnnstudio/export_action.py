"""Export drawing: asks for a file, and writes the network as SVG, PDF or PNG."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from cnnstudio.canvas.export import FORMATS, export_drawing
from cnnstudio.canvas.scene import CanvasScene
from cnnstudio.error_dialog import show_error
from cnnstudio.settings import Settings
from engine.errors import EngineError


class ExportAction(QObject):
    """The command of the File menu."""

    exported = Signal(str)
    """A sentence for the status bar: where the drawing is."""

    def __init__(self, window: QWidget, scene: CanvasScene, settings: Settings) -> None:
        super().__init__(window)
        self._window, self._scene, self._settings = window, scene, settings

    @Slot()
    def ask(self) -> None:
        """Ask for a file and write there."""
        kinds = ";;".join(
            self.tr("{name} drawing (*.{suffix})").format(name=suffix.upper(), suffix=suffix) for suffix in FORMATS
        )
        name = f"{self._scene.document.title or 'network'}.{FORMATS[0]}"
        place = str(Path(self._settings.last_folder) / name)
        path, kind = QFileDialog.getSaveFileName(self._window, self.tr("Export drawing"), place, kinds)
        if path:
            suffix = kind.rpartition(".")[2].rstrip(")") or FORMATS[0]
            self.write(Path(path) if Path(path).suffix else Path(f"{path}.{suffix}"))

    def write(self, path: Path) -> None:
        """Write the drawing in the format of the file's ending."""
        try:
            export_drawing(self._scene, path)
        except EngineError as error:
            show_error(self._window, self.tr("{name} cannot be written").format(name=path.name), error)
            return
        self._settings.last_folder = str(path.absolute().parent)
        self.exported.emit(self.tr("The drawing is in {path}.").format(path=path))
