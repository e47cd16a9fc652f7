"""What the program remembers for one user between two starts: window, look, language, recent files."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from cnnstudio.project.working import BUDGET
from cnnstudio.theme import Mode

ORGANIZATION, APPLICATION = "CNN Studio", "CNN Studio"
CHECKPOINT_ROOM = range(8, 513)
"""Megabytes that the checkpoints of a project may be given; saving holds them in memory."""
RECENT = 8
"""How many recent files are remembered."""

_LAYOUT_VERSION = 7
"""Counts up when docks are added or renamed, so that an old layout is not forced on a new window."""


class Settings:
    """Typed access to the user's QSettings; values that cannot be read count as not set."""

    def __init__(self) -> None:
        self._store = QSettings(
            QSettings.Format.IniFormat, QSettings.Scope.UserScope, ORGANIZATION, APPLICATION
        )

    @property
    def theme(self) -> Mode:
        """The look: light, dark or as the desktop; light at first."""
        value = self._store.value("look/theme", "light")
        return value if value in ("light", "dark", "system") else "light"

    @theme.setter
    def theme(self, mode: Mode) -> None:
        self._store.setValue("look/theme", mode)

    @property
    def language(self) -> str:
        """The language chosen, "en" or "zh_CN"; empty until one was chosen, which means the system's."""
        return str(self._store.value("look/language", ""))

    @language.setter
    def language(self, language: str) -> None:
        self._store.setValue("look/language", language)

    @property
    def large_text(self) -> bool:
        """Whether text is shown large, for a projector."""
        return self._store.value("look/large_text", "false") == "true"

    @large_text.setter
    def large_text(self, large: bool) -> None:
        self._store.setValue("look/large_text", "true" if large else "false")

    @property
    def colormap(self) -> str:
        """The colour map of activations; empty until one was chosen."""
        return str(self._store.value("look/colormap", ""))

    @colormap.setter
    def colormap(self, name: str) -> None:
        self._store.setValue("look/colormap", name)

    @property
    def signed_colormap(self) -> str:
        """The colour map of weights, gradients and other signed numbers; empty until one was chosen."""
        return str(self._store.value("look/signed_colormap", ""))

    @signed_colormap.setter
    def signed_colormap(self, name: str) -> None:
        self._store.setValue("look/signed_colormap", name)

    def view_choice(self, what: str) -> str:
        """How a panel shows something; empty until that was chosen."""
        return str(self._store.value(f"view/{what}", ""))

    def set_view_choice(self, what: str, choice: str) -> None:
        """Remember how a panel shows something."""
        self._store.setValue(f"view/{what}", choice)

    @property
    def geometry(self) -> QByteArray:
        """Size and place of the main window."""
        return self._bytes("window/geometry")

    @property
    def layout(self) -> QByteArray:
        """The arrangement of docks and bars; empty when it was saved by a window with other docks."""
        known = str(self._store.value("window/layout_version", "")) == str(_LAYOUT_VERSION)
        return self._bytes("window/layout") if known else QByteArray()

    def save_window(self, geometry: QByteArray, layout: QByteArray) -> None:
        """Remember size, place and arrangement of the main window."""
        self._store.setValue("window/geometry", geometry)
        self._store.setValue("window/layout", layout)
        self._store.setValue("window/layout_version", str(_LAYOUT_VERSION))

    @property
    def checkpoint_room(self) -> int:
        """Megabytes that the checkpoints of a project may take."""
        value = str(self._store.value("files/checkpoint_room", ""))
        return int(value) if value.isdecimal() and int(value) in CHECKPOINT_ROOM else BUDGET // 2**20

    @checkpoint_room.setter
    def checkpoint_room(self, megabytes: int) -> None:
        self._store.setValue("files/checkpoint_room", str(megabytes))

    @property
    def recent_files(self) -> list[Path]:
        """Projects opened or saved last, the latest first; those that are gone are left out."""
        value = self._store.value("files/recent")
        names = value if isinstance(value, list) else [value]  # one entry comes back as a string
        return [Path(name) for name in names if isinstance(name, str) and Path(name).is_file()]

    def add_recent(self, path: Path) -> None:
        """Put a file at the top of the recent ones."""
        path = path.absolute()
        names = [str(path), *(str(p) for p in self.recent_files if p != path)]
        self._store.setValue("files/recent", names[:RECENT])

    def clear_recent(self) -> None:
        """Forget the recent files."""
        self._store.remove("files/recent")

    @property
    def last_folder(self) -> str:
        """The folder of the last file dialog; the home folder at first."""
        folder = str(self._store.value("files/folder", ""))
        return folder if folder and Path(folder).is_dir() else str(Path.home())

    @last_folder.setter
    def last_folder(self, folder: str) -> None:
        self._store.setValue("files/folder", folder)

    def flush(self) -> None:
        """Write everything to disk now."""
        self._store.sync()

    def _bytes(self, key: str) -> QByteArray:
        value = self._store.value(key)
        return value if isinstance(value, QByteArray) else QByteArray()
