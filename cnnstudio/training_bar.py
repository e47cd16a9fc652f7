"""The training settings in the tool bar: data set, optimizer, learning rate, batch size, epochs, seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QWidget,
)

from cnnstudio.document.words import say
from cnnstudio.number_field import NumberField, by_ladder, by_one, by_two
from cnnstudio.setting_change import Change
from cnnstudio.theme import SPACE_S, SPACE_XS, theme_changed
from cnnstudio.widgets.fields import Choice
from engine.optimizers import OPTIMIZERS
from engine.settings import TrainSettings

if TYPE_CHECKING:
    from engine.datasets.catalog import BundledSet

OWN_DATA = "…"
_SHORTEST_NAME = 12
"""Letters of the data set's name for which there is room in the narrowest window."""


class TrainingBar(QWidget):
    """Editable controls for what a run depends on; it only tells what the user wants changed."""

    data_chosen = Signal(str)
    """The name of a bundled data set, or `OWN_DATA` to ask for a file."""
    changed = Signal(object)
    """A `Change`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = TrainSettings()
        self._bundled: tuple[BundledSet, ...] = ()
        self._data = Choice()
        self._data.setAccessibleName(self.tr("Data set"))
        self._data.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._data.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._data.activated.connect(self._choose_data)
        self._optimizer = Choice()
        self._optimizer.setAccessibleName(self.tr("Optimizer"))
        self._optimizer.setToolTip(self.tr("Optimizer: how a gradient becomes a new weight"))
        for kind, optimizer in OPTIMIZERS.items():
            self._optimizer.addItem(say(optimizer.title), kind)
        self._optimizer.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._optimizer.setMinimumContentsLength(5)
        self._optimizer.activated.connect(self._choose_optimizer)
        self._numbers = {
            "learning_rate": NumberField(by_ladder, low=1e-9, high=1000.0, whole=False, digits=6),
            "batch_size": NumberField(by_two, low=1, high=100_000, whole=True, digits=4),
            "epochs": NumberField(by_one, low=1, high=10_000, whole=True, digits=3),
            "seed": NumberField(by_one, low=0, high=2**31 - 1, whole=True, digits=4),
        }
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(SPACE_S)
        self._captions: list[QLabel] = []
        self._row.addWidget(self._data)
        self._row.addWidget(self._optimizer)
        captions = {
            "learning_rate": self.tr("lr"),
            "batch_size": self.tr("batch"),
            "epochs": self.tr("epochs"),
            "seed": self.tr("seed"),
        }
        for option, field in self._numbers.items():
            self._add(option, captions[option], field)
            field.value_changed.connect(lambda value, name=option: self._change(name, value))
        self._seed = (self._captions[-1], self._numbers["seed"])
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.show_data("", "")
        theme_changed.connect(self._measure)
        self._measure()

    def _add(self, option: str, caption: str, box: NumberField) -> None:
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

    def show_seed(self, shown: bool) -> None:
        """Leave the seed out where there is no room: it changes least, and the settings have it, too."""
        for part in self._seed:
            part.setVisible(shown)

    @Slot()
    def _measure(self, *_: object) -> None:
        """Give the names of the data sets that come with the program their room, and all controls one height."""
        letter, advance = self.fontMetrics().horizontalAdvance("X"), self.fontMetrics().horizontalAdvance
        widest = max((advance(say(bundled.title)) for bundled in self._bundled), default=0)
        self._data.setMinimumContentsLength(max(_SHORTEST_NAME, -(-widest // letter)))
        self._data.setMinimumWidth(_SHORTEST_NAME * letter)
        controls = (self._data, self._optimizer, *self._numbers.values())
        height = max(control.sizeHint().height() for control in controls)
        for control in controls:
            control.setFixedHeight(height)

    def show_settings(self, settings: TrainSettings) -> None:
        """Show the settings in force."""
        self._settings = settings
        for option, field in self._numbers.items():
            field.set_value(getattr(settings, option))
        self._optimizer.setCurrentIndex(self._optimizer.findData(settings.optimizer.kind))

    def set_bundled(self, bundled: tuple[BundledSet, ...]) -> None:
        """The data sets to choose from, the next time that `show_data` is called."""
        self._bundled = bundled
        self._measure()

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

    def _change(self, option: str, value: Any) -> None:
        if getattr(self._settings, option) != value:
            self.changed.emit(Change(option, value))
