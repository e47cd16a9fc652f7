"""Which colour map activations have in every picture; remembered for the user."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QObject, Slot
from PySide6.QtGui import QAction, QActionGroup

from cnnstudio.settings import Settings
from cnnstudio.theme import current_theme, theme_changed
from cnnstudio.widgets.colormaps import COLORMAPS, SEQUENTIAL, choose_activation_colormap


class ColourChoice(QObject):
    """One checkable action for each map."""

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        chosen = settings.colormap if settings.colormap in SEQUENTIAL else SEQUENTIAL[0]
        choose_activation_colormap(chosen)
        self._group = QActionGroup(self)
        self.actions: list[QAction] = []
        for name in SEQUENTIAL:
            action = QAction(QCoreApplication.translate("Colormaps", str(COLORMAPS[name])), self)
            action.setCheckable(True)
            action.setChecked(name == chosen)
            action.setData(name)
            self._group.addAction(action)
            self.actions.append(action)
        self._group.triggered.connect(self._choose)

    @Slot(QAction)
    def _choose(self, action: QAction) -> None:
        """Use the map, remember it, and let every picture colour itself anew, as after a change of theme."""
        choose_activation_colormap(action.data())
        self._settings.colormap = action.data()
        theme_changed.emit(current_theme())
