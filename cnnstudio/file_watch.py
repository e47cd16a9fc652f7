"""Watches one file, so that what other programs do to it is noticed while the window is in front."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal, Slot

SETTLING = 300
"""Milliseconds without news after which a file is looked at: writing and replacing one are several events."""
RETURNING = 2_000
"""Milliseconds that a file may be gone before it counts as missing: some programs remove it before they put the new one there."""


class FileWatch(QObject):
    """Follows a file by its path, through being replaced, removed and put back. Whoever looks decides whether it has changed."""

    touched = Signal()
    """Something has happened to the file, or in its folder."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file, self._gone = "", False
        self._watcher = QFileSystemWatcher(self)
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.timeout.connect(self._look)
        self._watcher.fileChanged.connect(self._wait)
        self._watcher.directoryChanged.connect(self._wait)

    def follow(self, path: Path | None) -> None:
        """Watch this file from now on, or none."""
        self._settled.stop()
        if watched := [*self._watcher.files(), *self._watcher.directories()]:
            self._watcher.removePaths(watched)
        self._file, self._gone = "" if path is None else os.path.realpath(path), False
        if self._file:
            self._hold()

    def _hold(self) -> None:
        """The system watches what a path leads to: a file that has taken the place of another is watched anew, like a folder."""
        for path in (self._file, os.path.dirname(self._file)):
            self._watcher.removePath(path)
            if os.path.exists(path):
                self._watcher.addPath(path)

    @Slot(str)
    def _wait(self, _path: str) -> None:
        if not self._gone or os.path.exists(self._file):
            self._settled.start(SETTLING)

    @Slot()
    def _look(self) -> None:
        self._hold()
        gone, self._gone = self._gone, not os.path.exists(self._file)
        if self._gone and not gone:
            self._settled.start(RETURNING)
        else:
            self.touched.emit()
