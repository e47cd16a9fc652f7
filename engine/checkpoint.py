"""A checkpoint: everything that exact resumption needs, as a frozen value and as bytes.

The bytes are a safetensors file: arrays by name, and one JSON text with the network, the settings and the counters. Nothing
in it can be executed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import safetensors
import safetensors.numpy

from engine.errors import EngineError, StorageError
from engine.layer import Array
from engine.memory import named_views
from engine.settings import TrainSettings
from engine.spec import NetworkSpec

FORMAT = 1


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network at one point of training: weights, optimizer slots, state, counters; random numbers follow from seed and step."""

    spec: NetworkSpec
    settings: TrainSettings
    parameters: Array
    state: dict[str, Array]
    slots: dict[str, Array]
    step: int
    epoch: int
    batch: int
    sums: tuple[float, int, int]
    validation_losses: tuple[float, ...]
    first_epoch: int = 0
    """The epoch in which the present run began."""

    def weights(self) -> dict[str, Array]:
        """The parameters by name, as in "conv1.W"."""
        return named_views(self.parameters, self.spec.params())

    def to_bytes(self) -> bytes:
        """The checkpoint as a safetensors file."""
        arrays = {"parameters": self.parameters} | {f"state/{k}": v for k, v in self.state.items()} \
            | {f"slot/{k}": v for k, v in self.slots.items()}
        about = {"format": FORMAT, "network": self.spec.to_json(), "settings": self.settings.to_json(), "step": self.step,
                 "epoch": self.epoch, "batch": self.batch, "sums": self.sums, "validation_losses": self.validation_losses,
                 "first_epoch": self.first_epoch}
        return safetensors.numpy.save(arrays, {"cnnstudio": json.dumps(about)})

    @classmethod
    def from_bytes(cls, data: bytes) -> Checkpoint:
        """The checkpoint that `to_bytes` wrote; raises StorageError for anything else."""
        try:
            arrays = safetensors.numpy.load(data)
            header = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])
            about = json.loads(header["__metadata__"]["cnnstudio"])
            if about["format"] != FORMAT:
                raise StorageError("This checkpoint has format {found}; this program reads format {known}.",
                                   code="checkpoint.format", found=about["format"], known=FORMAT)
            return cls(
                NetworkSpec.from_json(about["network"]), TrainSettings.from_json(about["settings"]), arrays["parameters"],
                {k.removeprefix("state/"): v for k, v in arrays.items() if k.startswith("state/")},
                {k.removeprefix("slot/"): v for k, v in arrays.items() if k.startswith("slot/")},
                int(about["step"]), int(about["epoch"]), int(about["batch"]),
                (float(about["sums"][0]), int(about["sums"][1]), int(about["sums"][2])),
                tuple(float(v) for v in about["validation_losses"]), int(about["first_epoch"]))
        except (safetensors.SafetensorError, ValueError, KeyError, TypeError, IndexError) as error:
            raise StorageError("These bytes are not a checkpoint, or are damaged: {reason}.", code="checkpoint.damaged",
                               reason=str(error) or type(error).__name__) from None
        except EngineError as error:
            if isinstance(error, StorageError):
                raise
            raise StorageError("The checkpoint holds a network that this program does not know. {reason}",
                               code="checkpoint.unknown", reason=error.message) from None
