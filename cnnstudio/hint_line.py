"""One line below the canvas that says what to do next."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from cnnstudio.document.words import error_sentence
from cnnstudio.session.messages import RunPhase
from cnnstudio.studio import Studio
from cnnstudio.theme import SPACE_L, Theme, current_theme, theme_changed
from cnnstudio.widgets.elided_label import ElidedLabel


class HintLine(ElidedLabel):
    """Follows what the user has done so far."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__()
        self.setParent(parent)
        self._studio = studio
        self.setContentsMargins(SPACE_L, 0, SPACE_L, 0)
        self.setFixedHeight(self.fontMetrics().height() + 10)
        studio.controller.state_changed.connect(self._follow)
        studio.readiness_changed.connect(self._follow)
        theme_changed.connect(self._retheme)
        self._retheme()
        self._follow()

    @Slot()
    def _follow(self, *_: object) -> None:
        state, obstacle, derived = self._studio.controller.state, self._studio.obstacle, self._studio.document.derived
        if derived.blocking is not None and not derived.errors:
            text = self.tr("Double-click a block on the left, drag it here, or click the canvas and type its name")
        elif derived.blocking is not None:
            text = self.tr("The network has an error: its block says what is wrong and offers a cure.")
        elif obstacle is not None and obstacle.code in ("studio.no_data", "data.elsewhere"):
            text = self.tr("Choose a data set in the tool bar to train with.")
        elif obstacle is not None:
            text = self.tr("Not finished yet: {reason}").format(reason=error_sentence(obstacle))
        elif state.phase == RunPhase.RUNNING:
            text = self.tr("Click a block to watch its kernels and maps change · change the rate while it trains")
        elif state.step:
            text = self.tr("Choose another sample in Prediction or Dataset · Train goes on from these weights")
        else:
            text = self.tr("Drag a block onto an arrow to insert it · press Train to watch the network learn")
        self.setText(text)

    @Slot()
    def _retheme(self, _theme: Theme | None = None) -> None:
        theme = current_theme()
        self.setStyleSheet(f"background: {theme.canvas}; color: {theme.muted};")
