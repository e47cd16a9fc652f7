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
    """Follows a file by its path, through being replaced, removed and put back, and so the folders that lead to it. Whoever looks
    decides whether the file has changed.
    """

    touched = Signal()
    """Something has happened to the file, or in a folder on the way to it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file, self._gone = "", False
        self._near: set[str] = set()
        """The file and its folder, whose changes are likely to be the file's."""
        self._way: list[str] = []
        """All folders on the way to the file, also to that which a link leads to."""
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
        self._file, self._gone, self._near, self._way = "", False, set(), []
        if path is not None:
            self._file = os.path.realpath(path)
            self._near = {self._file, os.path.dirname(self._file)}
            ways = Path(self._file).parents, Path(os.path.abspath(path)).parents
            self._way = list(dict.fromkeys(str(folder) for way in ways for folder in way))
            self._hold()

    def _hold(self) -> None:
        """The system watches what a path leads to: a file that has taken the place of another is watched anew, like a folder."""
        for path in (self._file, *self._way):
            self._watcher.removePath(path)
            if os.access(path, os.R_OK):  # many a folder on the way may be passed, but not be looked into
                self._watcher.addPath(path)

    @Slot(str)
    def _wait(self, path: str) -> None:
        if path in self._near:
            if not self._gone or os.path.exists(self._file):
                self._settled.start(SETTLING)
        elif not self._settled.isActive():  # further up there may always be news
            self._settled.start(SETTLING)

    @Slot()
    def _look(self) -> None:
        self._hold()
        gone, self._gone = self._gone, not os.path.exists(self._file)
        if self._gone and not gone:
            self._settled.start(RETURNING)
        else:
            self.touched.emit()
