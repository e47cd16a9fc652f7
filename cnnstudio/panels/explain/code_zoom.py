"""The same computation as source: NumPy, PyTorch or loops, the computing lines marked, to be copied and run as it stands."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QGuiApplication, QTextCursor, QTextFormat
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QTabBar,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from cnnstudio.panels.explain.code import LANGUAGES, Snippet, snippet
from cnnstudio.panels.explain.names import Names
from cnnstudio.panels.explain.subject import Subject
from cnnstudio.theme import SPACE_XS, Theme, current_theme, number_font, theme_changed

MOST_LINES = 16
WAIT = 30
"""Milliseconds after the numbers at which the source is written."""


class CodeZoom(QWidget):
    """Shows the source of a subject a moment after the subject, so that the numbers come first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._subject: Subject | None = None
        self._names: Names | None = None
        self._heading = ""
        self._snippet: Snippet | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(WAIT)
        self._soon.timeout.connect(self._write)
        self._tabs = QTabBar()
        self._tabs.setDrawBase(False)
        self._tabs.setExpanding(False)
        self._tabs.setAccessibleName(self.tr("Language of the source"))
        for name in ("NumPy", "PyTorch", self.tr("Loops")):
            self._tabs.addTab(name)
        self._tabs.currentChanged.connect(self._write)
        self._copy = QPushButton(self.tr("Copy"))
        self._copy.setToolTip(self.tr("Copy the source with all its numbers; it runs as it stands."))
        self._copy.clicked.connect(self.copy)
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setFrameShape(QFrame.Shape.NoFrame)
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._text.setAccessibleName(self.tr("Source"))
        row = QHBoxLayout()
        row.addWidget(self._tabs)
        row.addStretch()
        row.addWidget(self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_XS)
        layout.addLayout(row)
        layout.addWidget(self._text)
        theme_changed.connect(self._retheme)
        self._retheme()

    @property
    def snippet(self) -> Snippet | None:
        """The source on display."""
        return self._snippet

    def choose(self, language: str) -> None:
        """Show one of `LANGUAGES`."""
        self._tabs.setCurrentIndex(LANGUAGES.index(language))

    def show_subject(self, subject: Subject, names: Names, heading: str) -> None:
        """Write the source of a subject, soon; `heading` becomes its first comment."""
        self._subject, self._names, self._heading = subject, names, heading
        self._soon.start()

    @Slot()
    def copy(self) -> None:
        """Put the whole source on the clipboard."""
        if self._snippet is not None:
            QGuiApplication.clipboard().setText(self._snippet.text)

    @Slot()
    def _write(self, *_: object) -> None:
        if self._subject is None or self._names is None or not self.isVisible():
            return
        self._snippet = snippet(self._subject, LANGUAGES[self._tabs.currentIndex()], self._names, self._heading)
        text = self._snippet.shown if self._snippet is not None else self.tr("Too many numbers to write them all out.")
        if text != self._text.toPlainText():
            self._text.setPlainText(text)
            lines = min(text.count("\n") + 1, MOST_LINES) + 1.6  # and the scroll bar
            self._text.setFixedHeight(round(self._text.fontMetrics().lineSpacing() * lines) + 8)
        self._copy.setEnabled(self._snippet is not None)
        self._mark()

    def _mark(self) -> None:
        """Give the lines that compute another ground."""
        marks = []
        for line in self._snippet.marked if self._snippet is not None else ():
            mark = QTextEdit.ExtraSelection()
            mark.format.setBackground(current_theme().color("accent_soft"))
            mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
            mark.cursor = QTextCursor(self._text.document().findBlockByNumber(line))
            marks.append(mark)
        self._text.setExtraSelections(marks)

    @Slot()
    def _retheme(self, _theme: Theme | None = None) -> None:
        self._text.setFont(number_font(0.9))
        self._mark()
