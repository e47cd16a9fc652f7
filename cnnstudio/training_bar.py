"""The training settings in the tool bar: data set, optimizer, learning rate, batch size, epochs, seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication, QSize, Qt, Signal, Slot
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from cnnstudio.document.words import say
from cnnstudio.theme import SPACE_S, SPACE_XS
from engine.datasets.catalog import BundledSet
from engine.optimizers import OPTIMIZERS
from engine.settings import TrainSettings

OWN_DATA = "…"
_LADDER = (1.0, 2.0, 5.0)


class RateBox(QDoubleSpinBox):
    """A learning rate: typed as any number; the arrows go 0.001, 0.002, 0.005, 0.01, …"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(9)
        self.setRange(1e-9, 1000.0)
        self.setKeyboardTracking(False)

    def textFromValue(self, value: float) -> str:
        """As short as it can be: "0.001"."""
        return f"{value:.9f}".rstrip("0").rstrip(".") if value >= 1e-4 else f"{value:g}"

    def valueFromText(self, text: str) -> float:
        """Any way of writing a number."""
        try:
            return float(text)
        except ValueError:
            return self.value()

    def validate(self, text: str, position: int) -> object:
        """Let "1e-3" be typed as well."""
        try:
            legal = float(text) > 0
        except ValueError:
            legal = False
        state = QValidator.State.Acceptable if legal else QValidator.State.Intermediate
        return state, text, position

    def stepBy(self, steps: int) -> None:
        """One rung up or down the ladder 1, 2, 5, 10."""
        rungs = [digit * 10.0**power for power in range(-9, 3) for digit in _LADDER]
        for _ in range(abs(steps)):
            value = self.value()
            if steps > 0:
                value = next((r for r in rungs if r > value * 1.0001), value)
            else:
                value = next((r for r in reversed(rungs) if r < value * 0.9999), value)
            self.setValue(value)

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        """Both ways."""
        return QAbstractSpinBox.StepEnabledFlag.StepUpEnabled | QAbstractSpinBox.StepEnabledFlag.StepDownEnabled

    def sizeHint(self) -> QSize:
        """Room for "0.0005", not for nine decimals."""
        return QSize(self.fontMetrics().horizontalAdvance("0.00055") + 44, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """The same."""
        return self.sizeHint()


@dataclass(frozen=True)
class Change:
    """One setting that the user has changed: its option ("learning_rate", …, or "optimizer") and new value."""

    option: str
    value: Any


class TrainingBar(QWidget):
    """Editable controls for what a run depends on; it only tells what the user wants changed."""

    data_chosen = Signal(str)
    """The name of a bundled data set, or `OWN_DATA` to ask for a file."""
    changed = Signal(object)
    """A `Change`."""

    def __init__(self, bundled: tuple[BundledSet, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = TrainSettings()
        self._bundled = bundled
        self._data = QComboBox()
        self._data.setAccessibleName(self.tr("Data set"))
        self._data.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._data.setMinimumContentsLength(15)
        self._data.activated.connect(self._choose_data)
        self._optimizer = QComboBox()
        self._optimizer.setAccessibleName(self.tr("Optimizer"))
        self._optimizer.setToolTip(self.tr("Optimizer: how a gradient becomes a new weight"))
        for kind, optimizer in OPTIMIZERS.items():
            self._optimizer.addItem(say(optimizer.title), kind)
        self._optimizer.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._optimizer.setMinimumContentsLength(7)
        self._optimizer.activated.connect(self._choose_optimizer)
        self._rate = RateBox()
        self._numbers = {
            "batch_size": _whole(1, 100_000),
            "epochs": _whole(1, 10_000),
            "seed": _whole(0, 2**31 - 1),
        }
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(SPACE_S)
        self._captions: list[QLabel] = []
        self._row.addWidget(self._data)
        self._row.addWidget(self._optimizer)
        self._add("learning_rate", self.tr("lr"), self._rate)
        self._add("batch_size", self.tr("batch"), self._numbers["batch_size"])
        self._add("epochs", self.tr("epochs"), self._numbers["epochs"])
        self._add("seed", self.tr("seed"), self._numbers["seed"])
        self._rate.valueChanged.connect(self._change_rate)
        for option, box in self._numbers.items():
            box.valueChanged.connect(lambda value, name=option: self._change(name, value))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.show_data("", "")

    def _add(self, option: str, caption: str, box: QAbstractSpinBox) -> None:
        declared = TrainSettings.option(option)
        text = f"{say(declared.label)}: {say(declared.help)}"
        box.setAccessibleName(say(declared.label))
        box.setToolTip(text)
        label = QLabel(caption)
        label.setProperty("role", "muted")
        label.setToolTip(text)
        label.setBuddy(box)
        self._captions.append(label)
        pair = QHBoxLayout()
        pair.setSpacing(SPACE_XS)
        pair.addWidget(label)
        pair.addWidget(box)
        self._row.addLayout(pair)

    def show_settings(self, settings: TrainSettings) -> None:
        """Show the settings in force."""
        self._settings = settings
        for box, value in (
            (self._rate, settings.learning_rate),
            (self._numbers["batch_size"], settings.batch_size),
            (self._numbers["epochs"], settings.epochs),
            (self._numbers["seed"], settings.seed),
        ):
            if box.value() != value:
                box.blockSignals(True)
                box.setValue(value)  # type: ignore[arg-type]
                box.blockSignals(False)
        self._optimizer.setCurrentIndex(self._optimizer.findData(settings.optimizer.kind))

    def show_data(self, name: str, title: str) -> None:
        """Show which data set is in use; one that is not bundled stands above the others."""
        self._data.clear()
        if name and name not in (b.name for b in self._bundled):
            self._data.addItem(title or name, name)
            self._data.insertSeparator(1)
        for bundled in self._bundled:
            self._data.addItem(say(bundled.title), bundled.name)
            height, width, channels = bundled.shape[1], bundled.shape[2], bundled.shape[0]
            self._data.setItemData(
                self._data.count() - 1,
                f"{say(bundled.description)} {height}×{width}×{channels}",
                Qt.ItemDataRole.ToolTipRole,
            )
        self._data.insertSeparator(self._data.count())
        self._data.addItem(self.tr("Own data…"), OWN_DATA)
        self._data.setCurrentIndex(self._data.findData(name) if name else -1)
        self._data.setToolTip(self.tr("Data set: {name}").format(name=self._data.currentText()))

    @Slot(int)
    def _choose_data(self, index: int) -> None:
        self.data_chosen.emit(self._data.itemData(index))

    @Slot(int)
    def _choose_optimizer(self, index: int) -> None:
        kind = self._optimizer.itemData(index)
        if kind != self._settings.optimizer.kind:
            self.changed.emit(Change("optimizer", OPTIMIZERS[kind]()))

    @Slot(float)
    def _change_rate(self, value: float) -> None:
        self._change("learning_rate", value)

    def _change(self, option: str, value: Any) -> None:
        if getattr(self._settings, option) != value:
            self.changed.emit(Change(option, value))


def changed_settings(settings: TrainSettings, change: Change) -> TrainSettings:
    """The settings with one change; raises OptionError for an illegal value."""
    return settings.replace(**{change.option: change.value})


def change_words(change: Change) -> str:
    """What the undo history calls a change."""
    if change.option == "optimizer":
        return QCoreApplication.translate("TrainingBar", "Optimizer {name}").format(name=say(change.value.title))
    label = say(TrainSettings.option(change.option).label)
    return QCoreApplication.translate("TrainingBar", "{setting}: {value}").format(
        setting=label, value=f"{change.value:g}" if isinstance(change.value, float) else change.value
    )


def _whole(low: int, high: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setKeyboardTracking(False)
    box.setMinimumWidth(box.fontMetrics().horizontalAdvance("0000") + 40)
    box.setMaximumWidth(box.fontMetrics().horizontalAdvance("000000") + 40)
    return box
