"""Source of the Explain panel is run as it stands and gives the number that is shown, over all kinds of cells."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from typing import Any

import numpy as np
import pytest

from cnnstudio.panels.explain.code import LANGUAGES, snippet
from cnnstudio.panels.explain.names import Names
from cnnstudio.panels.explain.subject import subject_of
from engine.layers.activation import ELU, GELU, LeakyReLU, ReLU, Sigmoid, Tanh
from engine.layers.batchnorm import BatchNorm
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.dropout import Dropout
from engine.layers.input import Input
from engine.layers.pool import AvgPool2D, GlobalAvgPool, MaxPool2D
from engine.layers.softmax import Softmax
from engine.optimizers import AdamW
from engine.settings import TrainSettings
from engine.snapshot import Snapshot, SnapshotRequest, batch_snapshot, sample_snapshot
from engine.spec import NetworkSpec
from engine.term import CellRef
from engine.trainer import Trainer
from tests.engine.networks import blobs

ODD = Conv2D(4, (3, 2), stride=(2, 1), padding=(1, 0, 2, 1), dilation=(1, 2), groups=2)
EVERYTHING = NetworkSpec.of([
    Input(1, 8, 8), Conv2D(4, (3, 3), padding=(1, 1, 1, 1)), BatchNorm(), ReLU(), MaxPool2D((2, 2), (1, 1), (1, 0, 0, 1)), ODD,
    LeakyReLU(), AvgPool2D((2, 2), (1, 1), (0, 1, 0, 1), count_padding=False), ELU(), Dropout(rate=0.3), GELU(),
    Conv2D(3, (2, 2)), Flatten(), Dense(9), Sigmoid(), Dense(7, bias=False), Tanh(), Dense(3), Softmax()])
TO_GLOBAL = NetworkSpec.of([Input(1, 8, 8), Conv2D(3, (3, 3)), GlobalAvgPool(), Softmax()])


def probes(spec: NetworkSpec) -> dict[str, Snapshot]:
    """Both probes of a network in float64 after two steps, with penalties, clipping and an optimizer with slots."""
    settings = TrainSettings(batch_size=6, optimizer=AdamW(), l2=0.01, l1=0.001, clip_norm=0.5, learning_rate=0.02)
    trainer = Trainer(spec, blobs(12), settings, dtype=np.float64)
    run = trainer.run()
    for _ in range(2):
        next(run)
    data = blobs(12).train
    return {"sample": sample_snapshot(trainer.network, 2, SnapshotRequest(data.images[4], int(data.labels[4]))),
            "batch": batch_snapshot(trainer)}


@pytest.fixture(scope="module")
def snapshots() -> dict[str, Snapshot]:
    """Both probes of the network with everything, and of one that ends in a global average."""
    return {f"{probe} {name}": snapshot for name, spec in (("everything", EVERYTHING), ("global", TO_GLOBAL))
            for probe, snapshot in probes(spec).items()}


def plain_names(snapshot: Snapshot) -> Names:
    """Names of blocks that go by their ids."""
    return Names(snapshot, lambda block: block)


def printed(text: str) -> float:
    """What the source prints when it is run by itself."""
    out = io.StringIO()
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(out):
        exec(compile(text, "copied", "exec"), names)
    return float(out.getvalue())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["sample everything", "batch everything", "sample global", "batch global"])
def test_copied_source_prints_the_number_shown(snapshots: dict[str, Snapshot], name: str, language: str) -> None:
    if language == "pytorch" and importlib.util.find_spec("torch") is None:
        pytest.skip("the comparison needs PyTorch")
    snapshot, rng, seen = snapshots[name], np.random.default_rng(3), 0
    for array in snapshot.arrays:
        index = tuple(int(i) for i in rng.integers(0, snapshot[array].shape))
        subject = subject_of(snapshot, CellRef(array, index))
        source = snippet(subject, language, plain_names(snapshot), "a cell")
        if source is None:
            assert not subject.term.children, f"{subject.ref} is computed, but there is no source of it"
            continue
        seen += 1
        assert printed(source.text) == pytest.approx(subject.value, rel=1e-9, abs=1e-12), f"{subject.ref}\n{source.text}"
        assert source.marked and "= " in "".join(source.lines[i] for i in source.marked)
    assert seen >= (15 if "global" not in name else 5)


def test_a_cell_of_too_many_numbers_has_no_source(snapshots: dict[str, Snapshot], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnstudio.panels.explain.code.MOST_NUMBERS", 5)
    subject = subject_of(snapshots["batch everything"], CellRef("conv1.dW", (0, 0, 1, 1)))
    assert snippet(subject, "numpy", plain_names(subject.snapshot), "a cell") is None


def test_long_rows_of_numbers_are_cut_on_screen_only(snapshots: dict[str, Snapshot]) -> None:
    snapshot = snapshots["sample everything"]
    source = snippet(subject_of(snapshot, CellRef("dense1.y", (4,))), "numpy", plain_names(snapshot), "a cell")
    assert source is not None and "…" in source.shown and "…" not in source.text
    assert "x @ W.T" in source.shown
