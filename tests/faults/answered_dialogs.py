"""Dialogs of the system cannot be reached by events: they are answered here, at random, with files good and bad."""

from __future__ import annotations

from pathlib import Path
from random import Random

from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices, QDrag
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox

from cnnstudio.project.files import SUFFIX
from tests.faults.random_hands import Hands
from tests.faults.watched_program import WatchedProgram


class Files:
    """Files to open, in a folder "files" of a home folder: some that are no projects and no data sets, and what is saved."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.made = _make_files(home / "files")

    def choose(self, rng: Random) -> str:
        """The path of one of them."""
        return str(rng.choice([*self.made, *sorted((self.home / "files").glob(f"*{SUFFIX}"))]))


def answer_dialogs(program: WatchedProgram, hands: Hands, files: Files) -> None:
    """Put answers in place of the dialogs of the system, and of what waits for one in an event loop of its own."""

    def answer(name: str) -> tuple[str, str]:
        return ("" if hands.rng.random() < 0.2 else name, "")

    def target(_parent: object, _title: str, suggested: str = "", kinds: str = "", *_: object) -> tuple[str, str]:
        folder = files.home / hands.rng.choice(("files", "files", "files", "no such folder"))
        end = Path(suggested).suffix or hands.rng.choice((".png", ".svg", ".pdf", ".csv", ""))
        kind = hands.rng.choice(kinds.split(";;")) if kinds else ""
        return answer(str(folder / f"{hands.rng.choice('abc')}{end}"))[0], kind

    QFileDialog.getOpenFileName = lambda *_a, **_k: answer(files.choose(hands.rng))  # type: ignore[method-assign, assignment]
    QFileDialog.getSaveFileName = target  # type: ignore[method-assign, assignment]
    QFileDialog.getExistingDirectory = lambda *_a, **_k: str(files.home / "files")  # type: ignore[method-assign, assignment]
    QDesktopServices.openUrl = lambda _url: True  # type: ignore[method-assign, assignment]
    for name in ("about", "warning", "information", "question", "critical"):
        setattr(QMessageBox, name, lambda *_a, **_k: QMessageBox.StandardButton.Ok)

    def drag(drag: QDrag, *_: object) -> Qt.DropAction:
        viewport = program.window.view.viewport()
        hands.drop(viewport, hands.point(viewport), drag.mimeData())
        return Qt.DropAction.CopyAction

    QDrag.exec = drag  # type: ignore[method-assign, assignment]
    QDialog.exec = lambda dialog: dialog.open() or 0  # type: ignore[method-assign, assignment]


def _make_files(folder: Path) -> list[Path]:
    """Files to open that are no projects and no data sets, or not whole ones."""
    folder.mkdir(parents=True)
    contents = {
        f"empty{SUFFIX}": b"",
        f"noise{SUFFIX}": Random(1).randbytes(5000),
        f"half{SUFFIX}": b"SQLite format 3\0" + bytes(100),
        "table.csv": b"label,a,b,c,d\n" + b"".join(b"%d,1,2,3,%d\n" % (i % 3, i) for i in range(60)),
        "broken.csv": b"label,a\n1\n\xff\xfe,,,\n",
        "broken.npz": b"PK\3\4nothing",
        "picture.png": b"\x89PNG\r\n\x1a\nnothing",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [*(folder / name for name in contents), folder / f"absent{SUFFIX}", folder / f"folder{SUFFIX}"]
