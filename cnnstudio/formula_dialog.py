"""Build from formula: a canonical network from the numbers N, M and K, drawn while they are chosen."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Slot
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QWidget,
)

from cnnstudio.document.words import layer_title
from cnnstudio.network_list import draw_network
from cnnstudio.theme import SPACE_L, number_font
from cnnstudio.widgets.dialog_column import dialog_column
from cnnstudio.widgets.fields import Choice, IntField
from engine.analysis import analyse
from engine.layer import LAYERS
from engine.pattern import MOST_K, MOST_N, build, parse
from engine.spec import NetworkSpec

MOST_M = 5


class FormulaDialog(QDialog):
    """The numbers of the formula, with the network they make for the images of the data set in use."""

    def __init__(self, image: tuple[int, int, int], classes: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Build from formula"))
        self._image, self._classes = image, classes
        formula = QLabel("INPUT → [[CONV → RELU]×N → POOL?]×M → [FC → RELU]×K → FC")
        formula.setFont(number_font())
        self.n = IntField(low=1, high=MOST_N, value=1)
        self.m = IntField(low=0, high=MOST_M, value=2)
        self.k = IntField(low=0, high=MOST_K, value=1)
        self.first_depth = IntField(low=1, high=512, value=8)
        self.kernel = IntField(low=1, high=11, value=3)
        self.hidden = IntField(low=1, high=4096, value=64)
        self.kernel.setSingleStep(2)
        self.pool, self.activation = Choice(), Choice()
        for kind, layer in LAYERS.items():
            if layer.role == "activation":
                self.activation.addItem(layer_title(layer), kind)
            elif layer.role == "pool" and "kernel_size" in (option.name for option in layer.options()):
                self.pool.addItem(layer_title(layer), kind)
        self.pool.addItem(self.tr("none"), None)
        left, right = QFormLayout(), QFormLayout()
        left.addRow(self.tr("N, convolutions in a stage"), self.n)
        left.addRow(self.tr("M, stages"), self.m)
        left.addRow(self.tr("K, hidden FC layers"), self.k)
        left.addRow(self.tr("POOL"), self.pool)
        right.addRow(self.tr("Depth of the first stage"), self.first_depth)
        right.addRow(self.tr("Size of the kernels"), self.kernel)
        right.addRow(self.tr("Units of a hidden layer"), self.hidden)
        right.addRow(self.tr("RELU"), self.activation)
        form = QHBoxLayout()
        form.setSpacing(SPACE_L)
        form.addLayout(left)
        form.addLayout(right)
        self._sketch = _Sketch()
        self._about = QLabel()
        self._about.setWordWrap(True)
        self._about.setProperty("role", "muted")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self._build = buttons.button(QDialogButtonBox.StandardButton.Ok)
        self._build.setText(self.tr("Build"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        dialog_column(self, formula, form, self._sketch, self._about, buttons, grows=self._sketch)
        for box in (self.n, self.m, self.k, self.first_depth, self.kernel, self.hidden):
            box.setKeyboardTracking(True)
            box.valueChanged.connect(self._show)
        for choice in (self.pool, self.activation):
            choice.currentIndexChanged.connect(self._show)
        self._show()

    @property
    def network(self) -> NetworkSpec:
        """The network of the numbers chosen."""
        return build(
            n=self.n.value(),
            m=self.m.value(),
            k=self.k.value(),
            depth=self.first_depth.value(),
            kernel=self.kernel.value(),
            hidden=self.hidden.value(),
            pool=self.pool.currentData(),
            activation=self.activation.currentData(),
            image=self._image,
            classes=self._classes,
        )

    @Slot()
    def _show(self, *_: object) -> None:
        network = self.network
        placed, error = network.infer()
        self._sketch.show_network(network)
        self._build.setEnabled(error is None)
        if error is not None:
            self._about.setText(self.tr("Images this small do not allow so many stages of pooling."))
        else:
            self._about.setText(
                self.tr("{formula}: {count} parameters.").format(formula=parse(network), count=f"{analyse(placed).parameters:,}")
            )


class _Sketch(QWidget):
    """The drawing of a network."""

    def __init__(self) -> None:
        super().__init__()
        self.network: NetworkSpec | None = None
        self.setMinimumSize(QSize(460, 120))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_network(self, network: NetworkSpec) -> None:
        """Draw another network."""
        self.network = network
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self.network is not None:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            draw_network(painter, QRectF(self.rect()).adjusted(4, 8, -4, -8), self.network)
