"""What crosses between the threads: frozen messages to the worker, frozen reports to the GUI."""

from __future__ import annotations

import queue
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from engine.checkpoint import Checkpoint
from engine.errors import EngineError
from engine.events import BatchDone, EpochDone, LayerDone
from engine.history import RunHistory
from engine.layer import Array
from engine.layer_histograms import LayerHistograms
from engine.layer_norms import LayerNorms
from engine.settings import TrainSettings
from engine.spec import NetworkSpec

if TYPE_CHECKING:
    from engine.class_average import ClassAverage
    from engine.datasets.dataset import Dataset
    from engine.diagnose import Diagnosis
    from engine.network import Evaluation
    from engine.snapshot import Snapshot, SnapshotRequest


class RunPhase(Enum):
    """What the session does, or how it came to rest."""

    EMPTY = auto()
    """No network that can be trained."""
    READY = auto()
    """A network with its weights; Run begins a run."""
    RUNNING = auto()
    PAUSED = auto()
    """At rest inside a run; Run goes on exactly there."""
    STOPPED = auto()
    """The run was ended by the user; Run begins a further one."""
    FINISHED = auto()
    """The run has come to its end; Run begins a further one."""
    FAILED = auto()
    """The run broke off, with the last finite weights; Run tries the same batch again."""


@dataclass(frozen=True)
class RunState:
    """Where the session stands. `step` counts all updates of the weights; epoch, batch and the time left are of the present run.

    `epoch` counts finished epochs of `epochs`, and `batch` finished batches of `batches` in the epoch. The speed is
    that of the last seconds; it and `seconds_left` are 0 while they are not known. `reason` says how a run ended:
    "epochs", "early stopping" or "error".
    """

    phase: RunPhase = RunPhase.EMPTY
    step: int = 0
    epoch: int = 0
    batch: int = 0
    batches: int = 0
    epochs: int = 0
    images_per_second: float = 0.0
    seconds_left: float = 0.0
    seed: int = 0
    reason: str = ""


# --- to the worker ---


@dataclass(frozen=True, eq=False)
class Load:
    """Take a network. Weights of `arrays` are used by name where the shape fits; a checkpoint brings everything with it.

    On its way to another process `data` is None for the data set that was sent last.
    """

    spec: NetworkSpec
    data: Dataset | None
    settings: TrainSettings
    checkpoint: Checkpoint | None = None
    arrays: Mapping[str, Array] = field(default_factory=dict)
    history: RunHistory | None = None


@dataclass(frozen=True)
class Run:
    """Train to the end of the run."""


@dataclass(frozen=True)
class Pause:
    """Come to rest inside the run."""


@dataclass(frozen=True)
class StepBatch:
    """Go on to the end of the next batch."""


@dataclass(frozen=True)
class StepLayer:
    """Go on to the end of the next layer's part of a batch."""


@dataclass(frozen=True)
class Stop:
    """End the run."""


@dataclass(frozen=True)
class Reset:
    """Draw all weights anew."""

    seed: int


@dataclass(frozen=True)
class Change:
    """Train with other settings from the next batch on."""

    settings: TrainSettings


@dataclass(frozen=True)
class ChangeLayers:
    """Train with other live options of the layers, such as a dropout rate, from the next batch on."""

    spec: NetworkSpec


@dataclass(frozen=True, eq=False)
class SetProbe:
    """What frames hold from now on; without a request there are none."""

    request: SnapshotRequest | None


@dataclass(frozen=True, eq=False)
class TakeCheckpoint:
    """Copy the whole state; the answer goes to `reply` if there is one, otherwise to the mailbox."""

    token: int
    reply: queue.SimpleQueue[Checkpoint | None] | None = None


@dataclass(frozen=True, eq=False)
class SetWeights:
    """Give one parameter other values; only at rest."""

    name: str
    array: Array


@dataclass(frozen=True)
class Evaluate:
    """Evaluate the "test", "validation" or "train" images."""

    split: str = "test"


@dataclass(frozen=True)
class AverageClass:
    """Average the output of a layer over validation images of one class."""

    layer: str
    label: int


@dataclass(frozen=True)
class ProbeBatch:
    """Compute the last training batch once more, with everything in it kept to be looked at."""


@dataclass(frozen=True)
class FrameTaken:
    """The last frame was taken: while training runs, another one may follow in `wait` seconds.

    It then holds what `request` says, or everything that the probe asks for. Drawing the last one takes about `drawing` seconds,
    in which the window needs a core for itself.

    One frame at a time is under way, so a GUI that is slow costs frames, never memory. The message needs no answer, and does not
    count among those that were handled.
    """

    wait: float = 0.0
    request: SnapshotRequest | None = None
    drawing: float = 0.0


@dataclass(frozen=True)
class Quit:
    """End the thread."""


Message = (
    Load | Run | Pause | StepBatch | StepLayer | Stop | Reset | Change | ChangeLayers | SetProbe | TakeCheckpoint | SetWeights
    | Evaluate | AverageClass | ProbeBatch | FrameTaken | Quit
)  # fmt: skip


NEED_NO_NETWORK = (Load, SetProbe, TakeCheckpoint, Pause, Stop)
"""Messages that a training process can do something with, or has nothing to do for, when it knows no network."""


# --- to the GUI ---


@dataclass(frozen=True, eq=False)
class Loaded:
    """A network has been taken: the parameters whose weights were given, those drawn anew, and the history to go on with."""

    kept: tuple[str, ...]
    fresh: tuple[str, ...]
    history: RunHistory


@dataclass(frozen=True)
class SettingsTaken:
    """Other settings are in force after that many updates of the weights."""

    step: int
    settings: TrainSettings


@dataclass(frozen=True)
class RunStarted:
    """A run begins; going on after a pause is none."""


@dataclass(frozen=True)
class WeightsReset:
    """All weights were drawn anew."""

    seed: int


@dataclass(frozen=True)
class WeightsSet:
    """One parameter was edited by hand."""

    name: str


@dataclass(frozen=True, eq=False)
class Evaluated:
    """The images of a split have been evaluated; None when the weights changed before the end."""

    evaluation: Evaluation | None
    split: str = "test"


@dataclass(frozen=True, eq=False)
class ClassAveraged:
    """A layer's output averaged over images of a class; None when the weights changed before the end."""

    average: ClassAverage | None


@dataclass(frozen=True, eq=False)
class CheckpointTaken:
    """The answer to `TakeCheckpoint`; None without a network."""

    token: int
    checkpoint: Checkpoint | None


@dataclass(frozen=True, eq=False)
class BatchProbed:
    """The last training batch as a snapshot; None when no batch has been trained yet."""

    snapshot: Snapshot | None


@dataclass(frozen=True, eq=False)
class Diagnosed:
    """What goes wrong in the training, as its last batch shows it; empty when nothing does."""

    findings: tuple[Diagnosis, ...]


@dataclass(frozen=True, eq=False)
class Failed:
    """Something could not be done; the state says whether a run broke off."""

    error: EngineError


@dataclass(frozen=True, eq=False)
class Lost:
    """The training process has died; the error says why. The next one knows no network."""

    error: EngineError


Report = (
    BatchDone | LayerDone | EpochDone | Loaded | SettingsTaken | RunStarted | WeightsReset | WeightsSet | Evaluated
    | ClassAveraged | CheckpointTaken | BatchProbed | LayerNorms | LayerHistograms | Diagnosed | Failed | Lost
)  # fmt: skip


ROWS = (BatchDone, LayerNorms, LayerHistograms)
"""Reports that come all the time while training runs; nobody waits for a single one."""


@dataclass(frozen=True, eq=False)
class Delivery:
    """What the mailbox held: every report in order, the latest state, and a frame if there was a new one.

    With them the worker has answered `handled` messages of the session; `busy` says whether an evaluation is under way.
    """

    reports: tuple[Report, ...]
    state: RunState | None
    frame: Snapshot | None
    handled: int = 0
    busy: bool = False
