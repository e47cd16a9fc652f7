"""The tool bar of the main window: files, undo, training settings, the run, language and look."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolBar, QToolButton, QWidget

from cnnstudio.actions import Actions
from cnnstudio.centred_button import CentredButton
from cnnstudio.icons import icon
from cnnstudio.theme import Theme, in_type, theme_changed
from cnnstudio.training_bar import TrainingBar

_BESIDE, _ALONE = Qt.ToolButtonStyle.ToolButtonTextBesideIcon, Qt.ToolButtonStyle.ToolButtonIconOnly
_SPACING, _MARGIN = 2, 8
_ICON = 18
"""Side of an icon in pixels at normal type."""
TEXT_FROM = 1700
"""Width of the bar, at normal type, from which the buttons of the run show their names beside the icons."""


class MainBar(QToolBar):
    """One row that fits 1280 pixels; with more room the buttons say their names."""

    def __init__(
        self, actions: Actions, undo: QAction, redo: QAction, training: TrainingBar, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("main_bar")
        self.setWindowTitle(self.tr("Tool bar"))
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setStyleSheet(
            f"QToolBar {{ spacing: {_SPACING}px; padding: 5px {_MARGIN}px; }}"
            "QToolButton { padding-left: 4px; padding-right: 4px; } QLineEdit { padding-left: 5px; padding-right: 5px; }"
            "QToolButton:focus { padding-left: 3px; padding-right: 3px; }"
            "QLineEdit:focus { padding-left: 4px; padding-right: 4px; }"
            # A combo box centres its text a pixel above that of the fields beside it.
            "QComboBox { padding-top: 5px; padding-bottom: 3px; } QComboBox:focus { padding-top: 4px; padding-bottom: 2px; }"
            "QToolButton#qt_toolbar_ext_button { padding: 0; border: none; background: transparent; }"
        )
        for action in (actions.new, actions.open, actions.save, undo, redo):
            self._button(action, "quiet")
        self.addSeparator()
        self._training = training
        self.addWidget(training)
        self.addSeparator()
        self.train_button = CentredButton(actions.train, actions.train_texts())
        self._dress(self.train_button, "go")
        self.addWidget(self.train_button)
        self._with_text = [
            self._button(action, "quiet") for action in (actions.batch, actions.layer, actions.stop, actions.reset)
        ]
        gap = QWidget()
        gap.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(gap)
        self._button(actions.language, "quiet", always_text=True)
        self._button(actions.theme, "quiet")
        self._retheme()
        theme_changed.connect(self._retheme)

    @Slot()
    def _retheme(self, _theme: Theme | None = None) -> None:
        """The button for what does not fit is Qt's own, and without a drawing that suits a dark ground."""
        more = self.findChild(QToolButton, "qt_toolbar_ext_button")
        if more is not None:
            more.setIcon(icon("next"))
            more.setIconSize(QSize(14, 18))
        self.setIconSize(QSize(in_type(_ICON), in_type(_ICON)))
        self._fit()

    def _button(self, action: QAction, role: str, *, always_text: bool = False) -> QToolButton:
        self.addAction(action)
        button = self.widgetForAction(action)
        assert isinstance(button, QToolButton)
        button.setToolButtonStyle(_BESIDE if always_text else _ALONE)
        self._dress(button, role)
        return button

    @staticmethod
    def _dress(button: QToolButton, role: str) -> None:
        button.setProperty("role", role)
        button.setAccessibleName(button.text().rstrip("…"))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show what there is room for."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Names beside the icons where there is plenty of room; where there is too little, the seed goes first."""
        em = self.fontMetrics().horizontalAdvance("0") / 8
        roomy = self.width() >= TEXT_FROM * max(1.0, em)
        for button in self._with_text:
            button.setToolButtonStyle(_BESIDE if roomy else _ALONE)
        self._training.show_seed(True)
        parts = [self.widgetForAction(action).sizeHint().width() for action in self.actions()]
        needed = sum(parts) + _SPACING * (len(parts) - 1) + 2 * _MARGIN
        self._training.show_seed(needed <= self.width())
