"""What the network makes of the chosen sample: the image, the class probabilities, the truth."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from cnnstudio.document.document import Document
from cnnstudio.document.words import class_names
from cnnstudio.icon_button import IconButton
from cnnstudio.panels.along_chain import Maps, as_picture
from cnnstudio.panels.live_panel import LivePanel, Needs
from cnnstudio.panels.own_image import OwnImage
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.selection import CellRef, SampleRef, Selection
from cnnstudio.theme import SPACE_S, SPACE_XS
from cnnstudio.widgets.bars import ProbabilityBars
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.map_view import MapView
from cnnstudio.widgets.numbers import closed_up
from cnnstudio.widgets.running_label import RunningLabel
from engine.datasets.dataset import Dataset
from engine.snapshot import Snapshot

COLUMN, DRAWING = 104, 168
"""Least widths of the column with the sample, and of the one with the drawing pad."""
TEXTS = 7
"""Lines of text whose height is kept free below the sample."""


class PredictionPanel(LivePanel):
    """The chosen sample with its probabilities.

    Buttons go to the previous, the next and a random sample; the pencil brings up a pad to draw on, and an image
    dropped on the panel becomes the sample.
    """

    previous_wanted = Signal()
    next_wanted = Signal()
    random_wanted = Signal()

    def __init__(self, document: Document, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._selection = document, selection
        self._data: Dataset | None = None
        self._snapshot: Snapshot | None = None
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # so that a picture can be pasted
        self._make_widgets()
        self._lay_out()
        self._image.cell_activated.connect(self._open_pixel)
        self._bars.class_clicked.connect(self._open_class)
        self.own.chosen.connect(selection.select_sample)
        selection.sample_changed.connect(self._follow_sample)
        document.graph_changed.connect(self._follow)
        self._show_sample()

    def _make_widgets(self) -> None:
        self._image = MapView(scale_bar=False, max_cell=16, placeholder=self.tr("No sample"))
        self._image.setAccessibleName(self.tr("The chosen sample"))
        self._image.setToolTip(self.tr("Double-click a pixel, or press Enter on it, to see what the network reads there."))
        self._truth = QLabel()
        self._truth.setWordWrap(True)
        self._verdict = RunningLabel(lines=2)
        self._verdict.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._bars = ProbabilityBars()
        self._bars.setMinimumWidth(100)
        self._bars.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._note = QLabel()
        self._note.setProperty("role", "muted")
        self._note.setWordWrap(True)
        self._note.hide()
        self.own = OwnImage()
        self.own.hide()

    def _row_of_buttons(self) -> QHBoxLayout:
        buttons = QHBoxLayout()
        buttons.setSpacing(0)
        for name, text, signal in (
            ("previous", self.tr("Previous sample"), self.previous_wanted),
            ("next", self.tr("Next sample"), self.next_wanted),
            ("random", self.tr("Random sample"), self.random_wanted),
        ):
            button = self._button(name, text)
            button.clicked.connect(signal)
            buttons.addWidget(button)
        self._pencil = self._button("draw", self.tr("Draw a sample, or drop, paste or open an image"))
        self._pencil.setCheckable(True)
        self._pencil.toggled.connect(self._draw_or_look)
        buttons.addWidget(self._pencil)
        buttons.addStretch()
        return buttons

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(SPACE_XS)
        left.addWidget(self._image, 1)  # up to the height of a square
        left.addWidget(self.own, 1)
        left.addWidget(self._truth)
        left.addWidget(self._verdict)
        left.addStretch(0)
        left.addLayout(self._row_of_buttons())
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self._bars, 1)
        foot = QHBoxLayout()
        foot.addWidget(self._note, 1)
        foot.addStretch()
        tools = PanelTools(
            self, self._bars, self.tr("Click a class to see how its probability was computed; the pencil lets you draw."),
            self.tr("The bars are the network's probabilities for the image at the left; the frame and the tick mark its true "
                    "class. An image can also be dropped or pasted here, and every panel shows what the network makes of it."),
        )  # fmt: skip
        tools.set_views(self._bars, self._image)
        foot.addWidget(tools)
        right.addLayout(foot)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_S, 0, SPACE_S, SPACE_XS)
        layout.setSpacing(SPACE_S)
        self._column = QWidget()
        self._column.setLayout(left)
        layout.addWidget(self._column)
        layout.addLayout(right, 1)

    @property
    def bars(self) -> ProbabilityBars:
        """The probabilities on display."""
        return self._bars

    @property
    def image(self) -> MapView:
        """The picture of the sample."""
        return self._image

    def set_data(self, data: Dataset | None) -> None:
        """Name the classes of another data set."""
        self._data = data
        self._bars.set_classes(class_names(data))
        self.own.set_data(data)
        self._pencil.setChecked(False)
        self._show_sample()

    def needs(self) -> Needs:
        """The output of the last layer."""
        nodes = self._document.spec.nodes
        return Needs(frozenset([nodes[-1].id] if nodes else []))

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Show the probabilities of one step."""
        self._snapshot = snapshot
        probabilities, note = self._probabilities()
        sample = self._selection.sample
        label = sample.label if sample is not None else None
        classes = len(self._data.classes) if self._data is not None else 0
        self._bars.set_probabilities(probabilities, label if label is not None and label < classes else None)
        self._note.setText(note)
        self._note.setVisible(bool(note))
        self._tell_verdict()

    @Slot(bool)
    def _draw_or_look(self, draw: bool) -> None:
        """Bring up the pad, with what was drawn before, or the sample of the data set again."""
        self._image.setVisible(not draw)
        self.own.setVisible(draw)
        self._share_out()
        if draw and not self.own.pad.is_empty:
            self.own.send()
        self._show_sample()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take images."""
        self.own.takes(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """The dropped image is the sample."""
        if self.own.takes(event):
            self.own.pad.dropEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """A picture that is pasted is the sample, wherever in the panel the keyboard is."""
        if event.matches(QKeySequence.StandardKey.Paste) and self.own.pad.can_paste:
            self.own.pad.paste()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A third of a large panel is the sample's."""
        super().resizeEvent(event)
        self._share_out()

    # --- inside ---

    def _share_out(self) -> None:
        """The sample is as large as a third of the width and the texts below it allow; the pad is never smaller."""
        room = min(self.width() // 3, self.height() - TEXTS * self.fontMetrics().height())
        width = max(room, DRAWING if self._pencil.isChecked() else COLUMN)
        self._column.setFixedWidth(width)
        self._image.setMaximumHeight(width)

    @Slot()
    def _follow(self, *_: object) -> None:
        self.needs_changed.emit()

    @Slot(object)
    def _follow_sample(self, sample: SampleRef | None) -> None:
        """Show another sample; the pad stays only for what is drawn on it."""
        on_pad = sample is not None and sample.image is not None and (
            sample.source == "drawn" or (sample.source == "file" and sample.image.shape[0] != 3))  # fmt: skip
        self._pencil.setChecked(on_pad)
        self._show_sample()

    @Slot(int)
    def _open_class(self, index: int) -> None:
        """Choose the output behind a bar; the two bars of a single output are both its number."""
        snapshot, nodes = self._snapshot, self._document.spec.nodes
        if snapshot is not None and nodes and f"{nodes[-1].id}.y" in snapshot:
            name = f"{nodes[-1].id}.y"
            place = min(index, snapshot[name].size - 1)
            self._selection.select_cell(CellRef(name, (place,), snapshot.step, snapshot.probe))

    @Slot(object)
    def _open_pixel(self, cell: Cell) -> None:
        """Choose what the Input block makes of a pixel; of a coloured one its first channel."""
        snapshot, nodes = self._snapshot, self._document.spec.nodes
        if snapshot is not None and nodes:
            channel = 0 if isinstance(cell.value, tuple) else cell.map
            self._selection.select_cell(CellRef(f"{nodes[0].id}.y", (channel, cell.row, cell.col), snapshot.step, snapshot.probe))

    @Slot()
    def _show_sample(self, *_: object) -> None:
        sample, data = self._selection.sample, self._data
        if sample is None or sample.image is None:
            self._image.set_maps(None)
            self._truth.clear()
        else:
            low, high = data.value_range if data is not None else (None, None)
            self._image.set_maps(as_picture(sample.image), kind="image", low=low, high=high)
            if data is not None and sample.label is not None and sample.label < len(data.classes):
                self._truth.setText(self.tr("True class: {name}").format(name=class_names(data)[sample.label]))
            else:
                self._truth.setText(self.tr("True class unknown"))
        own = self._pencil.isChecked() or (sample is not None and sample.source in ("drawn", "file"))
        self._truth.setVisible(not own)
        self._verdict.setVisible(not own)
        self._verdict.clear()
        self.heading_changed.emit(self.tr("Prediction"), "" if sample is None else self._where(sample))

    def _where(self, sample: SampleRef) -> str:
        sources = {
            "train": self.tr("training image {number}"),
            "validation": self.tr("validation image {number}"),
            "test": self.tr("test image {number}"),
            "drawn": self.tr("drawn by hand"),
            "file": self.tr("from a file"),
            "typed": self.tr("typed in"),
        }
        return sources[sample.source].format(number=sample.index)

    def _probabilities(self) -> tuple[Maps | None, str]:
        """(class probabilities, a note on why there are none)."""
        nodes, snapshot, data = self._document.spec.nodes, self._snapshot, self._data
        if snapshot is None or data is None or not nodes or f"{nodes[-1].id}.y" not in snapshot:
            return None, ""
        y = snapshot[f"{nodes[-1].id}.y"]
        kind = nodes[-1].layer.kind
        if kind == "sigmoid" and y.shape == (1,) and len(data.classes) == 2:
            return np.array([1 - y[0], y[0]]), ""
        if kind != "softmax":
            return None, self.tr("The network ends without Softmax, so its outputs are no probabilities.")
        if y.shape != (len(data.classes),):
            return None, self.tr("{outputs} outputs do not fit {classes} classes.").format(
                outputs=y.size, classes=len(data.classes)
            )
        return y, ""

    def _tell_verdict(self) -> None:
        sample, top = self._selection.sample, self._bars.top
        if top is None or sample is None or sample.label is None or self._data is None:
            self._verdict.clear()
            return
        right = top == sample.label
        text = self.tr("✓ right") if right else closed_up(self.tr("✗ taken for {name}").format(name=class_names(self._data)[top]))
        if text != self._verdict.text():
            self._verdict.setText(text)
            self._verdict.setProperty("role", "ok" if right else "error")
            self._verdict.style().polish(self._verdict)

    @staticmethod
    def _button(name: str, text: str) -> IconButton:
        """One of four that share the narrow column."""
        button = IconButton(name, text)
        button.setFixedSize(COLUMN // 4, 26)
        button.setStyleSheet("padding: 2px; min-height: 0;")
        return button
