"""What a project holds, as frozen values: the network, the weights, the runs and a card of the data set."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from engine.checkpoint import Checkpoint
from engine.datasets.dataset import Dataset, Split
from engine.errors import StorageError
from engine.events import EpochDone
from engine.history import RunHistory
from engine.settings import TrainSettings
from engine.spec import NetworkSpec

SAMPLES = 64
"""Images of the data set that a project carries."""
SAMPLES_BYTES = 8 * 2**20
"""Bytes that these images take at most; of very large images there are fewer."""


@dataclass(frozen=True, eq=False)
class DataCard:
    """What a project knows about its data set, so that it opens where the data set is missing.

    `choice` is the recipe that opens the data set again, as in the document. `images` is (n, C, H, W), at most 64
    of them with all classes as equally frequent as possible, `labels` (n,) int64.
    """

    choice: Mapping[str, Any]
    title: str
    fingerprint: str
    classes: tuple[str, ...]
    value_range: tuple[float, float]
    images: NDArray[Any]
    labels: NDArray[np.int64]

    @classmethod
    def of(cls, data: Dataset, choice: Mapping[str, Any]) -> DataCard:
        """The card of a data set that was opened by `choice`."""
        part = data.validation if len(data.validation) >= SAMPLES else data.train
        samples = part.take(max(1, min(SAMPLES, SAMPLES_BYTES // part.images[0].nbytes)), seed=0)
        return cls(dict(choice), data.title, data.fingerprint, data.classes, data.value_range, samples.images, samples.labels)

    def dataset(self) -> Dataset:
        """The sample images as a data set to look at; each image is in both parts."""
        name, title = str(self.choice.get("name", "")), f"{self.title} ({len(self.images)})"
        samples = Split(self.images, self.labels, np.arange(len(self.images)))
        return Dataset(name, title, self.classes, samples, samples, None, self.value_range, source="", licence="",
                       fingerprint=self.fingerprint)  # fmt: skip

    def to_bytes(self) -> bytes:
        """The card as a safetensors file, with the texts in its header."""
        about = {
            "choice": self.choice,
            "title": self.title,
            "fingerprint": self.fingerprint,
            "classes": self.classes,
            "value_range": self.value_range,
        }
        arrays = {"images": np.ascontiguousarray(self.images), "labels": np.ascontiguousarray(self.labels)}
        return safetensors.numpy.save(arrays, {"cnnstudio": to_json(about)})

    @classmethod
    def from_bytes(cls, data: bytes) -> DataCard:
        """The card that `to_bytes` wrote; raises StorageError for anything else."""
        try:
            arrays = safetensors.numpy.load(data)
            header = from_json(data[8 : 8 + int.from_bytes(data[:8], "little")])
            about = from_json(header["__metadata__"]["cnnstudio"])
            low, high = about["value_range"]
            images, labels = arrays["images"], arrays["labels"]
            if images.ndim != 4 or images.dtype not in (np.uint8, np.float32) or not len(images):
                raise ValueError("the sample images have another form")
            if labels.shape != images.shape[:1] or labels.dtype != np.int64:
                raise ValueError("the labels have another form")
            classes = tuple(str(name) for name in about["classes"])
            if labels.min() < 0 or labels.max() >= len(classes):
                raise ValueError("a label has no class")
            return cls(dict(about["choice"]), str(about["title"]), str(about["fingerprint"]), classes,
                       (float(low), float(high)), images, labels)  # fmt: skip
        except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
            raise _unreadable("data card", error) from None


Changes = tuple[tuple[int, Mapping[str, Any]], ...]
"""(step, the settings that were others from then on), in the order in which they were made."""


@dataclass(frozen=True, eq=False)
class RunRecord:
    """One training run: all that was trained from the moment its weights were drawn.

    `settings`, `network` and `data` are the JSON values of the training settings, the network and the data set's
    choice when the run began; `changes` are the settings that were changed in the middle of it, and `places` says where
    on the canvas the blocks stood. A `deleted` run is there for undo alone, and not saved. `id` is 0 until the run is
    in a database.
    """

    name: str
    settings: Mapping[str, Any]
    network: Mapping[str, Any]
    data: Any = None
    note: str = ""
    changes: Changes = ()
    places: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    deleted: bool = False
    started: float = field(default_factory=time.time)
    history: RunHistory = field(default_factory=RunHistory)
    id: int = 0

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return int(self.settings.get("seed", 0))

    @property
    def last_settings(self) -> dict[str, Any]:
        """The settings at the end of the run."""
        found = dict(self.settings)
        for _, change in self.changes:
            found |= change
        return found

    def with_change(self, step: int, settings: Mapping[str, Any]) -> RunRecord:
        """The run when other settings are in force from a step on; what was changed at that very step is forgotten."""
        kept = tuple(change for change in self.changes if change[0] < step)
        earlier = replace(self, changes=kept)
        before = earlier.last_settings
        change = {name: value for name, value in settings.items() if value != before.get(name)}
        return replace(earlier, changes=(*kept, (step, change))) if change else earlier

    def about(self) -> dict[str, Any]:
        """All but the history, as JSON."""
        return {
            "name": self.name,
            "note": self.note,
            "settings": dict(self.settings),
            "network": dict(self.network),
            "data": self.data,
            "changes": [[step, dict(change)] for step, change in self.changes],
            "places": {block: list(place) for block, place in self.places.items()},
            "deleted": self.deleted,
        }

    @classmethod
    def of(cls, about: Mapping[str, Any], id: int, started: float, history: RunHistory) -> RunRecord:
        """The run that `about` described; raises EngineError, ValueError, KeyError or TypeError for anything else."""
        changes = tuple((int(step), dict(change)) for step, change in about["changes"])
        places = {str(block): (float(x), float(y)) for block, (x, y) in about["places"].items()}
        found = cls(str(about["name"]), dict(about["settings"]), dict(about["network"]), about["data"], str(about["note"]),
                    changes, places, bool(about["deleted"]), started, history, id)  # fmt: skip
        check_choice(found.data)
        NetworkSpec.from_json(found.network)
        for settings in (found.settings, found.last_settings):
            TrainSettings.from_json(settings)
        return found


@dataclass(frozen=True, eq=False)
class ProjectState:
    """Everything in a project. `graph` is what `Graph.to_json` gives.

    `run` is the id of the run that the checkpoint is of, 0 when its weights have not been trained. `about` names the
    program that wrote it. `damage` says, in sentences, what could not be read and was left out.
    """

    graph: Mapping[str, Any]
    checkpoint: Checkpoint | None = None
    data: DataCard | None = None
    runs: tuple[RunRecord, ...] = ()
    run: int = 0
    about: Mapping[str, Any] = field(default_factory=dict)
    damage: tuple[str, ...] = ()

    @property
    def history(self) -> RunHistory:
        """The curve that leads to the present weights: their run, up to the checkpoint's step."""
        run = next((run for run in self.runs if run.id == self.run), None)
        return RunHistory() if self.checkpoint is None or run is None else cut(run.history, self.checkpoint)


def cut(history: RunHistory, checkpoint: Checkpoint) -> RunHistory:
    """The part of a history that was over when a checkpoint was taken."""
    rows = history.rows[history.steps <= checkpoint.step]
    epochs = [e for e in history.epochs if e.epoch <= checkpoint.epoch and e.step <= checkpoint.step]
    return RunHistory(rows, epochs, run=history.run)


def check_choice(choice: Any) -> None:
    """Raise ValueError unless this has the form of the choice of a data set, or there is none."""
    if choice is None:
        return
    if not isinstance(choice, dict) or not isinstance(choice.get("name"), str):
        raise ValueError("the choice of the data set must be an object with a name")
    if not all(isinstance(choice.get(key, {}), dict | None) for key in ("split", "reading")):
        raise ValueError("the options of the data set must be objects")


def epoch_to_json(epoch: EpochDone) -> str:
    """The figures of an epoch as JSON."""
    return to_json(asdict(epoch))


def epoch_from_json(data: bytes) -> EpochDone:
    """The figures that `epoch_to_json` wrote; raises ValueError or TypeError for anything else."""
    values = from_json(data)
    epoch = EpochDone(**values)
    if not all(isinstance(value, (int, float)) for value in values.values()):
        raise ValueError("the figures of an epoch must be numbers")
    return epoch


def to_json(value: Any) -> str:
    """JSON in one line, readable in any alphabet."""
    return json.dumps(value, ensure_ascii=False)


def from_json(data: bytes | str) -> Any:
    """The value of a JSON text; raises ValueError for anything else, also for nesting without end."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _unreadable(what: str, error: Exception) -> StorageError:
    return StorageError(
        "The {what} cannot be read: {reason}.", code="project.content", what=what, reason=str(error) or type(error).__name__
    )
