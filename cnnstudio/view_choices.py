"""How panels show things, remembered for the user: the range of their colours, and how the curves are drawn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import get_args

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from cnnstudio.panels.range_choice import RangeChoice
from cnnstudio.settings import Settings
from cnnstudio.widgets.curve_options import CurveOptions
from cnnstudio.widgets.map_area import RangeMode

CURVES = "curves"


class ViewChoices(QObject):
    """Brings back what was chosen the last time, and keeps what is chosen from now on."""

    def __init__(self, settings: Settings, panels: Mapping[str, QWidget], curves: CurveOptions, parent: QObject) -> None:
        """Of `panels`, by the names under which they are remembered, the `RangeChoice` counts."""
        super().__init__(parent)
        self._settings, self._curves = settings, curves
        found = {name: panel.findChild(RangeChoice) for name, panel in panels.items()}
        self._ranges = {name: choice for name, choice in found.items() if choice is not None}
        self._restore()
        for choice in self._ranges.values():
            choice.changed.connect(self._keep_ranges)
        curves.changed.connect(self._keep_curves)

    def _restore(self) -> None:
        for name, choice in self._ranges.items():
            for mode in get_args(RangeMode):
                if mode == self._settings.view_choice(name):
                    choice.choose(mode)
        try:
            smoothing, logarithmic, in_epochs = json.loads(self._settings.view_choice(CURVES))
            self._curves.choose(int(smoothing), bool(logarithmic), bool(in_epochs))
        except (ValueError, TypeError):
            pass  # nothing was chosen yet, or somebody has edited the settings

    @Slot()
    def _keep_ranges(self) -> None:
        for name, choice in self._ranges.items():
            self._settings.set_view_choice(name, choice.mode)

    @Slot()
    def _keep_curves(self) -> None:
        self._settings.set_view_choice(CURVES, json.dumps(self._curves.choices))
