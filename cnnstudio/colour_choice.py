"""Which colour maps activations and signed numbers have in every picture; remembered for the user."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QObject, Slot
from PySide6.QtGui import QAction, QActionGroup

from cnnstudio.settings import Settings
from cnnstudio.theme import current_theme, theme_changed
from cnnstudio.widgets.colormaps import CHOICES, COLORMAPS, Kind, choose_colormap


class ColourChoice(QObject):
    """One checkable action for each map."""

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.activations = self._actions("activation", settings.colormap)
        self.signed = self._actions("weight", settings.signed_colormap)

    def _actions(self, kind: Kind, remembered: str) -> list[QAction]:
        names = CHOICES[kind]
        chosen = remembered if remembered in names else names[0]
        choose_colormap(kind, chosen)
        group = QActionGroup(self)
        for name in names:
            action = QAction(QCoreApplication.translate("Colormaps", str(COLORMAPS[name])), group)
            action.setCheckable(True)
            action.setChecked(name == chosen)
            action.setData((kind, name))
        group.triggered.connect(self._choose)
        return group.actions()

    @Slot(QAction)
    def _choose(self, action: QAction) -> None:
        """Use the map, remember it, and let every picture colour itself anew, as after a change of theme."""
        kind, name = action.data()
        choose_colormap(kind, name)
        if kind == "activation":
            self._settings.colormap = name
        else:
            self._settings.signed_colormap = name
        theme_changed.emit(current_theme())
