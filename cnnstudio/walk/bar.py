"""The bar of the step mode: play, speed, forward, back, and a slider over the whole step."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QSlider, QVBoxLayout, QWidget

from cnnstudio.icon_button import IconButton
from cnnstudio.theme import SPACE_M, SPACE_S, SPACE_XS
from cnnstudio.walk.plan import GRAINS
from cnnstudio.widgets.fields import Choice

SPEEDS = (0.5, 1.0, 2.0, 5.0, 10.0, 25.0)
"""Positions a second."""


class WalkBar(QFrame):
    """Shows a position in a walk and asks for others; knows nothing of what is walked."""

    position_wanted = Signal(int)
    play_toggled = Signal(bool)
    grain_chosen = Signal(str)
    speed_chosen = Signal(float)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "bar")
        self._position = self._last = 0
        self._back = IconButton("previous", self.tr("One step back"))
        self.play = IconButton("train", self.tr("Play"))
        self.play.setCheckable(True)
        self._ahead = IconButton("next", self.tr("One step forward"))
        self._close = IconButton("close", self.tr("Leave the step mode"))
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setAccessibleName(self.tr("Position in the training step"))
        self._text = QLabel()
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._grain, self._speed = Choice(), Choice()
        self._grain.setAccessibleName(self.tr("Size of a step"))
        for grain, name in zip(GRAINS, (self.tr("by layer"), self.tr("by cell"), self.tr("by term")), strict=True):
            self._grain.addItem(name, grain)
        self._speed.setAccessibleName(self.tr("Speed"))
        for speed in SPEEDS:
            self._speed.addItem(self.tr("{n} per second").format(n=f"{speed:g}"), speed)
        self._speed.setCurrentIndex(SPEEDS.index(2.0))
        row = QHBoxLayout()
        row.setSpacing(SPACE_XS)
        for widget in (self._back, self.play, self._ahead):
            row.addWidget(widget)
        row.addSpacing(SPACE_S)
        row.addWidget(self._slider, 1)
        row.addSpacing(SPACE_S)
        row.addWidget(self._grain)
        row.addWidget(self._speed)
        row.addWidget(self._close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_M, SPACE_XS, SPACE_S, SPACE_XS)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self._text)
        self._back.clicked.connect(lambda: self.position_wanted.emit(max(self._position - 1, 0)))
        self._ahead.clicked.connect(lambda: self.position_wanted.emit(min(self._position + 1, self._last)))
        self._slider.valueChanged.connect(self.position_wanted)
        self.play.toggled.connect(self._toggle)
        self._grain.currentIndexChanged.connect(lambda _: self.grain_chosen.emit(self._grain.currentData()))
        self._speed.currentIndexChanged.connect(lambda _: self.speed_chosen.emit(self._speed.currentData()))
        self._close.clicked.connect(self.closed)

    @property
    def speed(self) -> float:
        """Positions a second."""
        return float(self._speed.currentData())

    @property
    def grain(self) -> str:
        """One of `GRAINS`."""
        return str(self._grain.currentData())

    @property
    def text(self) -> str:
        """What is said about the position."""
        return self._text.text()

    def choose_grain(self, grain: str) -> None:
        """Walk in other steps."""
        self._grain.setCurrentIndex(GRAINS.index(grain))

    def show_position(self, position: int, length: int, text: str) -> None:
        """Show where the walk is."""
        self._position, self._last = position, length - 1
        blocked = self._slider.blockSignals(True)
        self._slider.setRange(0, self._last)
        self._slider.setPageStep(max(1, length // 20))
        self._slider.setValue(position)
        self._slider.blockSignals(blocked)
        self._text.setText(text)
        self._text.setToolTip(text)
        self._back.setEnabled(position > 0)
        self._ahead.setEnabled(position < self._last)

    @Slot(bool)
    def _toggle(self, on: bool) -> None:
        self.play.show_as(*(("pause", self.tr("Pause")) if on else ("train", self.tr("Play"))))
        self.play_toggled.emit(on)
