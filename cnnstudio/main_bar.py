"""The tool bar of the main window: files, undo, training settings, the run, language and look."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolBar, QToolButton, QWidget

from cnnstudio.actions import Actions
from cnnstudio.icons import icon
from cnnstudio.theme import Theme, theme_changed
from cnnstudio.training_bar import TrainingBar

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
        self.setIconSize(QSize(18, 18))
        self.setStyleSheet(
            "QToolBar { spacing: 4px; } QToolButton { padding-left: 5px; padding-right: 5px; }"
            "QToolButton#qt_toolbar_ext_button { padding: 0; border: none; background: transparent; }"
        )
        for action in (actions.new, actions.open, actions.save, undo, redo):
            self._button(action, "quiet")
        self.addSeparator()
        self.addWidget(training)
        self.addSeparator()
        self.train_button = self._button(actions.train, "go", always_text=True)
        # As wide as its longest text, so that nothing moves when a run begins.
        self.train_button.setMinimumWidth(max(map(self.fontMetrics().horizontalAdvance, actions.train_texts())) + 56)
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

    def _button(self, action: QAction, role: str, *, always_text: bool = False) -> QToolButton:
        self.addAction(action)
        button = self.widgetForAction(action)
        assert isinstance(button, QToolButton)
        button.setProperty("role", role)
        button.setAccessibleName(action.text().rstrip("…"))
        beside = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        button.setToolButtonStyle(beside if always_text else Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Names beside the icons where there is room."""
        super().resizeEvent(event)
        em = self.fontMetrics().horizontalAdvance("0") / 8
        roomy = self.width() >= TEXT_FROM * max(1.0, em)
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if roomy else Qt.ToolButtonStyle.ToolButtonIconOnly
        for button in self._with_text:
            button.setToolButtonStyle(style)
