"""The data set that the document names: opened beside the window, described for the project, and fitted by the Input block."""

from __future__ import annotations

import json
import os
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from cnnstudio.data_choice import open_choice
from cnnstudio.data_opener import DataOpener
from cnnstudio.document.document import Document
from cnnstudio.document.words import say
from cnnstudio.project.state import DataCard
from cnnstudio.selection import SampleRef, Selection, Source
from engine.datasets.dataset import Dataset
from engine.datasets.typed import NAME as TYPED
from engine.errors import DataError, EngineError, Fix

MISSING = "data.missing"
CHOOSE = "choose_data"
"""The action of a fix for which the user has to say where a data set is."""


class DataInUse(QObject):
    """Follows the document's choice of data; a data set that was open once comes back at once.

    Where the data set of a project is not there, the few samples that the project keeps of it stand in.
    """

    changed = Signal(object)
    """The `Dataset` in use, or None."""
    renewed = Signal()
    """The network may have to be built for this data set, or the data set is missing for another reason."""
    described = Signal(object)
    """The `DataCard` of a data set that the project is to remember."""
    failed = Signal(object)
    """An `EngineError` to show."""

    def __init__(self, document: Document, selection: Selection, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._selection = document, selection
        self.dataset: Dataset | None = None
        self.error: EngineError | None = None
        """Why the data set cannot be read, or None."""
        self.card: DataCard | None = None
        """What the project says about its data set, which may be missing here."""
        self._opened: dict[str, Dataset] = {}
        self._found: dict[str, str] = {}
        """Where data sets of this document are that were moved: their places by those that they had."""
        self._opener = DataOpener(self)
        self._opener.opened.connect(self._is_open)
        self._opener.failed.connect(self._is_missing)

    @property
    def opening(self) -> bool:
        """Whether a data set is being opened."""
        return self._opener.busy

    def begin(self, card: DataCard | None) -> None:
        """Another document begins, whose project describes its data set like this."""
        self.card, self.error, self._found = card, None, {}
        self.follow()

    def follow(self) -> None:
        """Open what the document says, unless it is open already."""
        choice = self._document.data
        if not choice:
            self._set(None)
        elif (data := self._opened.get(_key(choice))) is not None:
            self._describe(data)
            self._set(data)
        else:
            self._set(None)
            self._opener.open(choice)

    @property
    def on_samples(self) -> bool:
        """Whether the samples that the project keeps stand in for a data set that is not there."""
        return self.error is not None and self.dataset is not None

    def choose(self, choice: dict[str, Any]) -> None:
        """Use another data set; when it is open, one undo step takes it and fits the Input block to it.

        A file or folder that is chosen in place of a missing one is read as that one was.
        """
        if self.on_samples and self.card is not None and os.path.isabs(choice["name"]):
            choice = dict(self.card.choice) | choice
        self._opener.open(choice)

    def as_found(self, choice: dict[str, Any] | None) -> dict[str, Any] | None:
        """A choice made before its data set was moved, with the place where that was found since."""
        place = self._found.get(choice["name"]) if choice else None
        return choice if choice is None or place is None else choice | {"name": place}

    def type_image(self, choice: dict[str, Any], text: str) -> None:
        """Use a typed image (a choice made by `typed_choice`), at once and as one undo step; raises DataError."""
        self._take(choice, open_choice(choice), text)

    def fit_input(self, shape: tuple[int, int, int]) -> None:
        """Let the Input block take images of a shape (C, H, W); an undo step if it did not."""
        main = self._document.graph.main
        if main:
            channels, height, width = shape
            layer = main[0].node.layer.replace(channels=channels, height=height, width=width)
            if layer != main[0].node.layer:
                self._document.set_layer(main[0].id, layer)

    def hold(self) -> None:
        """Open no data set until `release`."""
        self._opener.hold()

    def release(self) -> None:
        """Open the data set that was asked for meanwhile."""
        self._opener.release()

    def close(self) -> None:
        """Open nothing more."""
        self._opener.close()

    @Slot(object, object)
    def _is_open(self, choice: dict[str, Any], data: Dataset) -> None:
        if choice == self._document.data:
            self._opened[_key(choice)] = data
            self._describe(data)
            self._set(data)
        else:
            self._take(choice, data, self.tr("Data set {name}").format(name=say(data.title)))

    def _take(self, choice: dict[str, Any], data: Dataset, text: str) -> None:
        """One undo step that takes a data set and fits the Input block to it."""
        if self.on_samples and self.card is not None and data.fingerprint == self.card.fingerprint:
            self._found[self.card.choice["name"]] = choice["name"]
        self._opened[_key(choice)] = data
        stack = self._document.undo_stack
        stack.beginMacro(text)
        self._document.set_data(choice, text)
        self.fit_input(data.shape)
        stack.endMacro()

    @Slot(object, object)
    def _is_missing(self, choice: dict[str, Any], error: EngineError) -> None:
        if choice == self._document.data:
            if self.card is not None and choice == self.card.choice:
                samples = self.card.dataset()
                self._set(samples)
                if error.code == MISSING:
                    error = _elsewhere(self.card.title, choice["name"], len(samples.train))
            self.error = error
            self.renewed.emit()
        self.failed.emit(error)

    def _describe(self, data: Dataset) -> None:
        """Describe the data set for the project; tell when it is another one than the project was made with."""
        known = self.card
        if known is not None and known.choice == self._document.data and known.fingerprint != data.fingerprint:
            self.failed.emit(DataError(
                "The images of {name} are not those with which this project was made.", code="data.other_images",
                name=data.title, fixes=(Fix("advice", "choose the right data set, or reset the weights"),)))  # fmt: skip
        self.card = DataCard.of(data, self._document.data)
        self.described.emit(self.card)

    def _set(self, data: Dataset | None) -> None:
        self.error = None
        if data is not self.dataset:
            self.dataset = data
            self.changed.emit(data)
            self._choose_sample()
        self.renewed.emit()

    def _choose_sample(self) -> None:
        data = self.dataset
        if data is None:
            self._selection.select_sample(None)
            return
        source: Source = "validation" if len(data.validation) else "train"
        if data.name == TYPED:
            source = "typed"
        part = data.validation if source == "validation" else data.train
        self._selection.select_sample(SampleRef(source, 0, part.images[0], int(part.labels[0])))


def _elsewhere(title: str, path: str, count: int) -> DataError:
    return DataError("The data set {name} is not on this computer ({path}). The {count} images that the project keeps of it are "
                     "shown; training needs all of it.", code="data.elsewhere", fixes=(Fix(CHOOSE, "choose where it is"),),
                     name=title, path=path, count=count)  # fmt: skip


def _key(choice: dict[str, Any]) -> str:
    return json.dumps(choice, sort_keys=True)
