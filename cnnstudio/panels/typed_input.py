"""Numbers by hand: a typed input image, and the weights of the chosen layer, with immediate effect everywhere."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from cnnstudio.document.document import Document
from cnnstudio.panels.along_chain import kernels_layer
from cnnstudio.panels.kernel_presets import TITLES, preset
from cnnstudio.panels.live_panel import LivePanel, Needs
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.selection import SampleRef, Selection
from cnnstudio.session.controller import Controller
from cnnstudio.session.messages import RunPhase, RunState
from cnnstudio.theme import SPACE_M, SPACE_S, SPACE_XS
from cnnstudio.widgets.fields import Choice, IntField
from cnnstudio.widgets.flow_layout import FlowLayout
from cnnstudio.widgets.number_grid import NumberGrid
from engine.datasets.typed import LARGEST
from engine.layer import Array
from engine.snapshot import Snapshot

MOST_TYPED = 600
"""A fully connected layer of more weights than this is edited unit by unit."""
MOST_BIASES = 16
"""More biases than this are shown one by one."""


class TypedPanel(LivePanel):
    """Above the input, channel beside channel; below one kernel (or the matrix) of the chosen layer and its biases.

    Weights can be edited while training rests. Each number typed is an undo step.
    """

    image_typed = Signal(object, int)
    """(image (C, H, W), class)."""
    weights_typed = Signal(str, object, object)
    """(parameter as in "conv1.W", its array before, and after)."""

    def __init__(self, document: Document, selection: Selection, controller: Controller, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._selection, self._controller = document, selection, controller
        self._layer: str | None = None
        self._snapshot: Snapshot | None = None
        self._fitted: tuple[object, ...] | None = None
        """The layer and the shapes that the fields have been fitted to."""
        self._image: Array | None = None
        self._tools = PanelTools(
            self, None, self.tr("Double-click a number to type another one; Enter takes it."),
            self.tr("A small typed image in place of the data set, and the weights of the chosen layer. Every panel follows each "
                    "number at once, and Undo takes it back. Weights can be typed while training rests."),
        )  # fmt: skip
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, 0, 0, 0)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, SPACE_XS, SPACE_S, SPACE_S)
        column.setSpacing(SPACE_M)
        column.addLayout(self._make_input())
        column.addLayout(self._make_weights())
        column.addStretch()
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setWidget(body)
        layout.addWidget(scroll)
        selection.block_changed.connect(self.follow)
        selection.sample_changed.connect(self._show_sample)
        document.graph_changed.connect(self.follow)
        controller.state_changed.connect(self._show_state)
        self.follow()
        self._show_sample(selection.sample)

    # --- layout ---

    def _make_input(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(SPACE_XS)
        head = QWidget()
        row = FlowLayout(head, gap=SPACE_XS)
        self._input_title = QLabel(self.tr("Input"))
        self._input_title.setProperty("role", "heading")
        row.addWidget(self._input_title)
        self._sizes: list[IntField] = []
        names = (self.tr("Channels"), self.tr("Rows"), self.tr("Columns"))
        for name, most, value in zip(names, LARGEST, (1, 4, 4), strict=True):
            field = IntField(low=1, high=most, value=value)
            field.setAccessibleName(name)
            field.setToolTip(name)
            field.setFixedWidth(52)
            field.valueChanged.connect(self._resize)
            self._sizes.append(field)
            row.addWidget(field)
        self._class = IntField(low=0, high=999)
        self._class.setPrefix(self.tr("class") + " ")
        self._class.setAccessibleName(self.tr("Class of the image"))
        self._class.setFixedWidth(84)
        self._class.valueChanged.connect(self._send_image)
        row.addWidget(self._class)
        self._begin = QPushButton(self.tr("Type an input"))
        self._begin.setToolTip(
            self.tr("Use a small typed matrix as the only image, in place of the data set; undo brings that back.")
        )
        self._begin.clicked.connect(self._begin_typing)
        self._channels = QHBoxLayout()
        self._channels.setSpacing(SPACE_S)
        self._channels.addStretch()
        self._grids: list[NumberGrid] = []
        top = QHBoxLayout()
        top.addWidget(head, 1, Qt.AlignmentFlag.AlignVCenter)
        top.addWidget(self._tools, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(top)
        column.addWidget(self._begin)
        column.addLayout(self._channels)
        return column

    def _make_weights(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(SPACE_XS)
        head = QWidget()
        row = FlowLayout(head, gap=SPACE_XS)
        self._weights_title = QLabel()
        self._weights_title.setProperty("role", "heading")
        self._filter, self._channel = IntField(), IntField()
        self._filter.setFixedWidth(100)
        self._channel.setFixedWidth(116)
        self._filter.setAccessibleName(self.tr("Filter or unit"))
        self._channel.setAccessibleName(self.tr("Channel of the kernel"))
        self._channel.setPrefix(self.tr("channel") + " ")
        self._presets = Choice()
        self._presets.setAccessibleName(self.tr("Ready-made kernels"))
        self._presets.addItem(self.tr("Ready-made …"))
        for name, title in TITLES.items():
            self._presets.addItem(QCoreApplication.translate("Presets", str(title)), name)
        for widget in (self._weights_title, self._filter, self._channel, self._presets):
            row.addWidget(widget)
        self._kernel, self._bias = NumberGrid(editable=True), NumberGrid(editable=True)
        self._kernel.setAccessibleName(self.tr("Weights"))
        self._bias.setAccessibleName(self.tr("Biases"))
        self._bias_title = QLabel()
        self._bias_title.setProperty("role", "muted")
        self._note = QLabel()
        self._note.setProperty("role", "muted")
        column.addWidget(head)
        for part in (self._note, self._kernel, self._bias_title, self._bias):
            column.addWidget(part)
        self._filter.valueChanged.connect(self._show_weights)
        self._channel.valueChanged.connect(self._show_weights)
        self._presets.activated.connect(self._take_preset)
        self._kernel.value_edited.connect(self._kernel_typed)
        self._bias.value_edited.connect(self._bias_typed)
        return column

    @property
    def input_grids(self) -> list[NumberGrid]:
        """The channels of the typed input."""
        return self._grids

    @property
    def kernel_grid(self) -> NumberGrid:
        """The weights on display."""
        return self._kernel

    @property
    def bias_grid(self) -> NumberGrid:
        """The biases of the layer."""
        return self._bias

    @property
    def presets(self) -> Choice:
        """The ready-made kernels."""
        return self._presets

    # --- the input ---

    @Slot(object)
    def _show_sample(self, sample: SampleRef | None) -> None:
        typed = sample is not None and sample.source == "typed" and sample.image is not None
        self._begin.setVisible(not typed)
        self._class.setVisible(typed)
        for field in self._sizes:
            field.setVisible(typed)
        if not typed or sample is None or sample.image is None:
            self._image = None
            self._make_grids(0)
            return
        self._image = sample.image
        for field, size in zip(self._sizes, sample.image.shape, strict=True):
            _set_quietly(field, size)
        _set_quietly(self._class, sample.label or 0)
        self._make_grids(len(sample.image))
        bounds = float(sample.image.min()), float(sample.image.max())
        for grid, channel in zip(self._grids, sample.image, strict=True):
            low, high = bounds if bounds[0] < bounds[1] else (bounds[0], bounds[0] + 1)
            grid.set_values(channel, kind="image", low=low, high=high)

    def _make_grids(self, count: int) -> None:
        while len(self._grids) > count:
            grid = self._grids.pop()
            self._channels.removeWidget(grid)
            grid.close_editor()
            grid.hide()
            grid.deleteLater()
        while len(self._grids) < count:
            grid = NumberGrid(editable=True)
            grid.setAccessibleName(self.tr("Input, channel {n}").format(n=len(self._grids)))
            grid.value_edited.connect(self._send_image)
            self._channels.insertWidget(len(self._grids), grid)
            self._grids.append(grid)
        self._tools.set_views(self._kernel, self._bias, *self._grids)

    @Slot()
    def _begin_typing(self) -> None:
        channels, rows, columns = LARGEST
        image = self._selection.sample.image if self._selection.sample is not None else None
        if image is None or any(n > most for n, most in zip(image.shape, (channels, rows, columns), strict=True)):
            image = np.zeros((1, 8, 8))
        self.image_typed.emit(np.asarray(image, np.float64), 0)

    @Slot()
    def _resize(self, *_: object) -> None:
        if self._image is None:
            return
        shape = tuple(field.value() for field in self._sizes)
        image = np.zeros(shape)
        kept = tuple(slice(0, min(a, b)) for a, b in zip(shape, self._image.shape, strict=True))
        image[kept] = self._image[kept]
        self.image_typed.emit(image, self._class.value())

    @Slot()
    def _send_image(self, *_: object) -> None:
        if self._image is not None:
            self.image_typed.emit(np.stack([grid.values for grid in self._grids]), self._class.value())

    # --- the weights ---

    interval = 0.1

    def needs(self) -> Needs:
        """The weights of one layer."""
        return Needs(weights=frozenset([self._layer] if self._layer else []))

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Show the weights of one step."""
        self._snapshot = snapshot
        self._show_weights()

    @Slot()
    def follow(self, *_: object) -> None:
        """Show the layer that belongs to the chosen block."""
        layer = kernels_layer(self._document.derived, self._selection.block)
        if layer != self._layer:
            self._layer = layer
            _set_quietly(self._filter, 0)
            _set_quietly(self._channel, 0)
            self.needs_changed.emit()
        self._show_weights()

    @Slot(object)
    def _show_state(self, state: RunState) -> None:
        rests = state.phase not in (RunPhase.RUNNING, RunPhase.EMPTY)
        self._kernel.editable = self._bias.editable = rests
        self._presets.setEnabled(rests)
        self._note.setText("" if rests else self.tr("Pause the training to edit weights."))
        self._note.setVisible(not rests)

    def _weights(self, name: str) -> Array | None:
        full = f"{self._layer}.{name}"
        return self._snapshot[full] if self._snapshot is not None and full in self._snapshot else None

    @Slot()
    def _show_weights(self, *_: object) -> None:
        weights, biases = self._weights("W"), self._weights("b")
        shapes = self._layer, None if weights is None else weights.shape, None if biases is None else biases.shape
        if shapes != self._fitted:  # each of these has the whole panel laid out anew
            self._fitted = shapes
            self._fit_fields(weights, biases)
        if weights is None or self._layer is None or self._layer not in self._document.graph:
            return
        self._weights_title.setText(self._document.name_of(self._layer))
        self._kernel.set_values(weights[self._place()].reshape(self._grid_shape(weights)), kind="weight")
        if biases is not None:
            shown = biases[None] if len(biases) <= MOST_BIASES else biases[self._filter.value()].reshape(1, 1)
            self._bias.set_values(shown, kind="weight")
            if shown.size > 1 and not self._filter.isHidden():  # the bias of the filter whose kernel stands above
                self._bias.highlight(range(1), range(self._filter.value(), self._filter.value() + 1))
            else:
                self._bias.clear_highlight()
            self._bias_title.setText(self._whose_biases(len(biases), weights.ndim == 4))

    def _whose_biases(self, count: int, filters: bool) -> str:
        if count > MOST_BIASES:
            text = self.tr("Bias of filter {n}") if filters else self.tr("Bias of unit {n}")
            return text.format(n=self._filter.value())
        text = self.tr("Biases of filters 0–{last}") if filters else self.tr("Biases of units 0–{last}")
        return text.format(last=count - 1)

    def _fit_fields(self, weights: Array | None, biases: Array | None) -> None:
        """Show what the shapes of weights and biases ask for."""
        shape = () if weights is None else weights.shape
        convolution = len(shape) == 4
        for widget in (self._weights_title, self._kernel):
            widget.setVisible(weights is not None)
        for widget in (self._bias_title, self._bias):
            widget.setVisible(biases is not None)
        self._filter.setVisible(weights is not None and (convolution or weights.size > MOST_TYPED))
        self._channel.setVisible(convolution and shape[1] > 1)
        self._presets.setVisible(convolution and min(shape[2:]) >= 3)
        if shape:
            self._filter.setPrefix((self.tr("filter") if convolution else self.tr("unit")) + " ")
            self._filter.setMaximum(shape[0] - 1)
            self._channel.setMaximum(shape[1] - 1)

    def _place(self) -> tuple[int | slice, ...]:
        """The part of the weights on display."""
        weights = self._weights("W")
        assert weights is not None
        if weights.ndim == 4:
            return self._filter.value(), self._channel.value()
        return (slice(None),) if weights.size <= MOST_TYPED else (self._filter.value(),)

    def _grid_shape(self, weights: Array) -> tuple[int, int]:
        if weights.ndim == 4:
            return weights.shape[2], weights.shape[3]
        if weights.size <= MOST_TYPED:
            return weights.shape[0], weights.shape[1]
        columns = next(n for n in range(min(20, weights.shape[1]), 0, -1) if weights.shape[1] % n == 0)
        return weights.shape[1] // columns, columns

    @Slot(int, int, float)
    def _kernel_typed(self, _row: int, _column: int, _value: float) -> None:
        self._send_kernel(self._kernel.values)

    @Slot(int)
    def _take_preset(self, index: int) -> None:
        weights, name = self._weights("W"), self._presets.itemData(index)
        self._presets.setCurrentIndex(0)
        kernel = preset(name, (weights.shape[2], weights.shape[3])) if name and weights is not None else None
        if kernel is not None:
            self._send_kernel(kernel)

    def _send_kernel(self, values: Array) -> None:
        before = self._weights("W")
        assert before is not None
        after = before.copy()
        after[self._place()] = values.reshape(after[self._place()].shape)
        self.weights_typed.emit(f"{self._layer}.W", before, after)

    @Slot(int, int, float)
    def _bias_typed(self, _row: int, column: int, value: float) -> None:
        before = self._weights("b")
        assert before is not None
        after = before.copy()
        after[column if len(before) <= MOST_BIASES else self._filter.value()] = value
        self.weights_typed.emit(f"{self._layer}.b", before, after)


def _set_quietly(field: IntField, value: int) -> None:
    blocked = field.blockSignals(True)
    field.setMaximum(max(field.maximum(), value))
    field.setValue(value)
    field.blockSignals(blocked)
