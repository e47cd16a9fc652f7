"""The head of an explanation: the way here, the title beside whose numbers these are, and the direction looked in."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QTabBar, QVBoxLayout, QWidget

from cnnstudio.panels.explain.subject import Subject, counterparts
from cnnstudio.panels.explain.trail import Trail
from cnnstudio.panels.explain.trail_bar import TrailBar
from cnnstudio.panels.explain.words import title
from cnnstudio.theme import SPACE_S, SPACE_XS
from cnnstudio.widgets.fields import Choice, IntField
from cnnstudio.widgets.parted_label import PartedLabel

SAMPLE, BATCH = "sample", "batch"
WAYS = ("forward", "backward", "update")


class Head(QWidget):
    """Stays at the top while the explanation below scrolls."""

    way_chosen = Signal(str)
    """One of `WAYS`."""
    probe_chosen = Signal(str)
    image_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.trail = TrailBar()
        self.title = PartedLabel()
        self.title.setProperty("role", "heading")
        self.ways = QTabBar()
        self.ways.setExpanding(False)
        self.ways.setDrawBase(False)
        self.ways.setUsesScrollButtons(False)
        self.ways.setAccessibleName(self.tr("Direction"))
        for name in (self.tr("Forward"), self.tr("Backward"), self.tr("Update")):
            self.ways.addTab(name)
        self.probe = Choice()
        self.probe.addItem(self.tr("This sample"), SAMPLE)
        self.probe.addItem(self.tr("Last batch"), BATCH)
        self.probe.setAccessibleName(self.tr("Whose numbers"))
        self.probe.setToolTip(self.tr("The chosen sample with the present weights, or the last training batch as it was."))
        self.image = IntField(low=0, high=0)
        self.image.setAccessibleName(self.tr("Image of the batch"))
        self.image.setToolTip(self.tr("Which image of the batch"))
        self.image.setFixedWidth(64)
        self.image.hide()
        # In two rows: all in one are wider than the panel is at first.
        named, row = QHBoxLayout(), QHBoxLayout()
        for each in (named, row):
            each.setSpacing(SPACE_XS)
        named.addWidget(self.title, 1)
        named.addWidget(self.probe)
        row.addWidget(self.ways)
        row.addStretch()
        row.addWidget(self.image)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, SPACE_S, 0)
        column.setSpacing(SPACE_XS)
        self._top = QHBoxLayout()
        self._top.setSpacing(SPACE_XS)
        self._top.addWidget(self.trail, 1)
        column.addLayout(self._top)
        column.addLayout(named)
        column.addLayout(row)
        self.ways.currentChanged.connect(lambda way: self.way_chosen.emit(WAYS[way]))
        self.probe.currentIndexChanged.connect(lambda _: self.probe_chosen.emit(self.probe.currentData()))
        self.image.valueChanged.connect(self.image_chosen)

    def add_tools(self, tools: QWidget) -> None:
        """Put buttons into the corner."""
        self._top.addWidget(tools)

    def show_probe(self, probe: str) -> None:
        """Show whose numbers are wanted, also while they are not there yet."""
        with QSignalBlocker(self.probe):
            self.probe.setCurrentIndex(self.probe.findData(probe))

    def clear(self) -> None:
        """Name nothing."""
        self.title.set_whole("")

    def show_subject(self, subject: Subject, trail: Trail, name_of: Callable[[str], str]) -> None:
        """Name a number and its place."""
        self.trail.show_trail(trail)
        self.title.set_whole(title(subject, name_of))
        ways = counterparts(subject.snapshot, subject.ref)
        is_parameter = subject.kind in ("parameter", "gradient", "new")
        with QSignalBlocker(self.ways):
            for index, way in enumerate(WAYS):
                self.ways.setTabEnabled(index, way in ways or (way == "update" and is_parameter))
                if way in ways and ways[way].array == subject.ref.array:
                    self.ways.setCurrentIndex(index)
        with QSignalBlocker(self.image):
            self.image.setVisible(subject.image is not None)
            if subject.image is not None:
                self.image.setMaximum(len(subject.snapshot["image"]) - 1)
                self.image.setValue(subject.image)
