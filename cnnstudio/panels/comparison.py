"""What stands beside the feature maps: the layer's input, another layer, another sample, or the average of a class."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from cnnstudio.document.document import Document
from cnnstudio.document.words import class_names
from cnnstudio.panels.along_chain import input_of
from cnnstudio.panels.average_source import AverageSource
from cnnstudio.panels.live_panel import LivePanel, Needs
from cnnstudio.panels.shown_maps import Caption, ShownMaps, shown
from cnnstudio.selection import SampleRef, Selection
from cnnstudio.session.controller import Controller
from cnnstudio.session.frames import OTHER
from cnnstudio.widgets.fields import Choice
from cnnstudio.widgets.numbers import closed_up
from engine.datasets.dataset import Dataset
from engine.snapshot import Snapshot

NARROWEST = 64
"""Pixels that a choice needs at least: a narrow panel cuts its text off."""
ALONE, OVER_INPUT, INPUT, LAYER, SAMPLE, CLASS = "alone", "over", "input", "layer", "sample", "class"


class Comparison(QObject):
    """The choice, and the second picture that follows from it. A layer or sample is the one shown when it was chosen."""

    changed = Signal()
    """Another choice: other arrays are needed."""
    averaged = Signal()
    """The average of the class has come."""

    def __init__(self, document: Document, selection: Selection, controller: Controller, panel: LivePanel) -> None:
        super().__init__(panel)
        self._document, self._selection = document, selection
        self._data: Dataset | None = None
        self._layer: str | None = None
        """The layer that is shown in the first picture; None while it shows none."""
        self._pinned_layer: str | None = None
        self._pinned_sample: SampleRef | None = None
        self._average = AverageSource(panel, controller)
        self._average.changed.connect(self.averaged)
        self.box = Choice()
        for text, key in (
            (self.tr("Alone"), ALONE),
            (self.tr("Over the image"), OVER_INPUT),
            (self.tr("Beside its input"), INPUT),
            (self.tr("Beside this layer"), LAYER),
            (self.tr("Beside this sample"), SAMPLE),
            (self.tr("Beside a class average"), CLASS),
        ):
            self.box.addItem(text, key)
        self.box.setAccessibleName(self.tr("What to compare the maps with"))
        self.box.setToolTip(
            self.tr("“This layer” and “this sample” stay beside the maps while you choose others. A class average is that of the "
                    "outputs for validation images of one class; a double click on it explains that cell for one of them.")
        )  # fmt: skip
        self.classes = Choice()
        self.classes.setAccessibleName(self.tr("Class to average over"))
        for combo in (self.box, self.classes):
            combo.setMinimumWidth(NARROWEST)
        self.classes.hide()
        self.box.currentIndexChanged.connect(self._choose)
        self.classes.currentIndexChanged.connect(self._choose_class)

    @property
    def choice(self) -> str:
        """What is chosen."""
        return str(self.box.currentData())

    def choose(self, key: str) -> None:
        """Choose ALONE, OVER_INPUT, INPUT, LAYER, SAMPLE or CLASS."""
        self.box.setCurrentIndex(self.box.findData(key))

    @property
    def has_picture(self) -> bool:
        """Whether there is a second picture."""
        return self._layer is not None and self.choice not in (ALONE, OVER_INPUT)

    @property
    def is_of_same_layer(self) -> bool:
        """Whether the second picture has the maps of the first one's layer, in the same order."""
        return self.has_picture and self.choice in (SAMPLE, CLASS)

    def set_data(self, data: Dataset | None) -> None:
        """Offer the classes of another data set; a pinned sample of the last one is gone."""
        self._data, self._pinned_sample = data, None
        self.classes.clear()
        for label, name in enumerate(class_names(data)):
            self.classes.addItem(name, label)
        if self.choice == SAMPLE:
            self.choose(ALONE)

    def see(self) -> None:
        """The panel can be seen again."""
        self._average.see()

    def show_for(self, layer: str | None) -> None:
        """Compare with the maps of a layer; None hides the choice."""
        self._layer = layer
        self.box.setVisible(layer is not None)
        self.classes.setVisible(layer is not None and self.choice == CLASS)
        self._average.want(layer if self.choice == CLASS else None, self.classes.currentData())

    def needs(self, layer: str) -> Needs:
        """The arrays of the second picture."""
        match self.choice:
            case "input":
                before = input_of(self._document.derived, layer)
                return Needs(frozenset([before] if before else []))
            case "layer":
                return Needs(frozenset([self._pinned_layer] if self._pinned_layer in self._document.derived.placed else []))
            case "sample":
                sample = self._pinned_sample
                return Needs(other=(sample.image, layer) if sample is not None and sample.image is not None else None)
        return Needs()

    def picture(self, snapshot: Snapshot, first: ShownMaps, caption: Caption | None) -> tuple[ShownMaps | None, str]:
        """(the second picture, whose it is); maps of the same layer come in the order of the first picture."""
        name, title = self._array()
        if self.choice == CLASS:
            average = self._average.average
            if average is None or not average.count:
                return None, title
            return shown(first.array, average.maps, order=first.order, caption=caption), title
        if name is None or name not in snapshot:
            return None, title
        order = first.order if self.choice == SAMPLE else None
        return shown(name, snapshot[name], order=order, caption=caption), title

    def explainable(self, second: ShownMaps) -> str:
        """The array behind a cell of the second picture, its sample chosen: for an average an image of the class."""
        if self.choice == CLASS:
            self._show_one_of_the_class()
        elif self.choice == SAMPLE:
            self._selection.select_sample(self._pinned_sample)
        return second.array.removeprefix(OTHER)

    def _show_one_of_the_class(self) -> None:
        """The shown image if it is one of the class, else the first validation image that is."""
        label, data, sample = self.classes.currentData(), self._data, self._selection.sample
        if data is None or (sample is not None and sample.label == label):
            return
        rows = np.flatnonzero(data.validation.labels == label)
        if len(rows):
            index = int(rows[0])
            self._selection.select_sample(SampleRef("validation", index, data.validation.images[index], label))

    def _array(self) -> tuple[str | None, str]:
        """(name of the second array, whose it is)."""
        match self.choice:
            case "input":
                before = input_of(self._document.derived, self._layer or "")
                return (f"{before}.y", self._document.name_of(before)) if before else (None, self.tr("It has no input."))
            case "layer" if self._pinned_layer in self._document.derived.placed:
                assert self._pinned_layer is not None
                return f"{self._pinned_layer}.y", self._document.name_of(self._pinned_layer)
            case "sample":
                return f"{OTHER}{self._layer}.y", self._sample_words()
            case "class":
                return None, self._average_words()
        return None, ""

    def _sample_words(self) -> str:
        sample, data = self._pinned_sample, self._data
        if sample is None:
            return ""
        if data is None or sample.label is None or sample.label >= len(data.classes):
            return self.tr("the other sample")
        return self.tr("image {number} · class {name}").format(number=sample.index, name=class_names(data)[sample.label])

    def _average_words(self) -> str:
        average, name = self._average.average, self.classes.currentText()
        if average is None:
            return self.tr("The average is being computed.")
        if not average.count:
            return closed_up(self.tr("There is no validation image of {name}.").format(name=name))
        text = self.tr("average of {count} images of class {name}, step {step}")
        return closed_up(text.format(count=average.count, name=name, step=average.step))

    @Slot()
    def _choose(self) -> None:
        if self.choice == LAYER:
            self._pinned_layer = self._layer
        elif self.choice == SAMPLE:
            self._pinned_sample = self._selection.sample
        elif self.choice == CLASS and (sample := self._selection.sample) is not None and sample.label is not None:
            self.classes.setCurrentIndex(max(self.classes.findData(sample.label), 0))
        self.changed.emit()

    @Slot()
    def _choose_class(self) -> None:
        if self.choice == CLASS:
            self.changed.emit()
