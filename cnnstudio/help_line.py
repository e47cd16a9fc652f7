"""The line below a panel without pictures: what to do there, with a "?" that says more."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.theme import SPACE_L, SPACE_S, SPACE_XS
from cnnstudio.widgets.elided_label import ElidedLabel

FORMS = ("properties", "settings")
"""Panels whose text begins further from the edge; the line stands below it."""


def with_help_line(name: str, panel: QWidget) -> QWidget:
    """A panel above its line; as it is where it has a "?" of its own."""
    if name not in _texts():
        return panel
    todo, more = _texts()[name]
    whole = QWidget()
    line = ElidedLabel(todo)
    line.setProperty("role", "muted")
    foot = QFrame()
    foot.setProperty("role", "foot")
    row = QHBoxLayout(foot)
    row.setContentsMargins(SPACE_L if name in FORMS else SPACE_S, SPACE_XS, SPACE_S, SPACE_XS)
    row.setSpacing(0)
    row.addWidget(line, 1)
    row.addWidget(PanelTools(whole, None, todo, more))
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(panel, 1)
    column.addWidget(foot)
    return whole


def _texts() -> dict[str, tuple[str, str]]:
    """Name of a dock -> (what to do, what else there is to know)."""
    return {
        "palette": (
            _tr("Drag to the canvas."),
            _tr("Dropped on a wire, a block goes in between; a double click or Enter puts it behind the selected block. A "
                "template replaces the whole network; Undo brings the old one back."),
        ),
        "outline": (
            _tr("Click a block to select it on the canvas."),
            _tr("The same blocks as on the canvas, in the order of the network. Ctrl+↑ and Ctrl+↓ move the selected one, Delete "
                "removes it, a letter opens the search for a block to insert, Enter shows the options."),
        ),
        "properties": (
            _tr("Change an option: the network follows."),
            _tr("The options of the block selected on the canvas, with its shape and what it costs. Trained weights are kept "
                "wherever they still fit. While no block is selected, the whole network is described."),
        ),
        "settings": (
            _tr("Change a setting, also while training runs."),
            _tr("A running training takes a changed setting over between two batches; every change is a step that Undo takes "
                "back."),
        ),
        "history": (
            _tr("Click a step to go back or forward to it."),
            _tr("Every edit of the network and of the settings, the latest at the bottom."),
        ),
    }  # fmt: skip


def _tr(text: str) -> str:
    return QCoreApplication.translate("HelpLine", text)
