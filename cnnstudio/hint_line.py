"""One line below the canvas that says what to do next."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QWidget

from cnnstudio.actions import Actions
from cnnstudio.document.words import error_sentence
from cnnstudio.session.messages import RunPhase
from cnnstudio.studio import Studio
from cnnstudio.theme import SPACE_L, Theme, current_theme, theme_changed
from cnnstudio.widgets.elided_label import ElidedLabel

LEAST = 285
"""Pixels of height below which the canvas needs all the room for its blocks."""


class HintLine(ElidedLabel):
    """Follows what the user has done so far; the widget that it shares with the canvas is `around`."""

    def __init__(self, studio: Studio, actions: Actions, around: QWidget) -> None:
        super().__init__()
        self.setParent(around)
        self._studio, self._actions, self._around = studio, actions, around
        self.setContentsMargins(SPACE_L, 0, SPACE_L, 0)
        around.installEventFilter(self)
        studio.controller.state_changed.connect(self._follow)
        studio.readiness_changed.connect(self._follow)
        theme_changed.connect(self._retheme)
        self._retheme()
        self._follow()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave its room to the canvas where that is low."""
        if event.type() == QEvent.Type.Resize and watched is self._around:
            self.setVisible(self._around.height() >= LEAST)
        return super().eventFilter(watched, event)

    @Slot()
    def _follow(self, *_: object) -> None:
        state, obstacle, derived = self._studio.controller.state, self._studio.obstacle, self._studio.document.derived
        texts = self._actions.train_texts()
        button = texts[2] if state.phase == RunPhase.PAUSED else texts[0]
        if derived.blocking is not None and not derived.errors:
            text = self.tr("Drag a block here, or click the canvas and type its name")
        elif derived.blocking is not None:
            text = self.tr("The network has an error: its block says what is wrong and offers a cure.")
        elif obstacle is not None and obstacle.code in ("studio.no_data", "data.elsewhere"):
            text = self.tr("Choose a data set in the tool bar to train with.")
        elif obstacle is not None:
            text = self.tr("Not finished yet: {reason}").format(reason=error_sentence(obstacle))
        elif state.phase == RunPhase.RUNNING:
            text = self.tr("Click a block to watch its kernels and maps change · change the rate while it trains")
        elif state.step:
            key = self._actions.next_sample.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            text = self.tr("{key} shows the next sample · {button} goes on from these weights").format(key=key, button=button)
        else:
            text = self.tr("Drag a block onto an arrow to insert it · press {button} to watch the network learn")
            text = text.format(button=button)
        self.setText(text)

    @Slot()
    def _retheme(self, _theme: Theme | None = None) -> None:
        theme = current_theme()
        self.setFixedHeight(self.fontMetrics().height() + 10)
        self.setStyleSheet(f"background: {theme.canvas}; color: {theme.muted};")
