"""The windows drawn in the pictures are the cells that the explanation reads; the pixels outlined are those that matter."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np
import pytest

from cnnstudio.panels.explain.ideas import pixels, sentences
from cnnstudio.panels.explain.pictures import Pair, pair_of
from cnnstudio.panels.explain.subject import Subject, counterparts, subject_of
from engine.errors import ExplainError
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.layers.pool import AvgPool2D
from engine.layers.softmax import Softmax
from engine.network import Network
from engine.snapshot import Snapshot, SnapshotRequest, sample_snapshot
from engine.spec import NetworkSpec
from engine.term import CellRef
from tests.cnnstudio.panels.explain.test_code import EVERYTHING, TO_GLOBAL, probes


@pytest.fixture(scope="module")
def snapshots() -> list[Snapshot]:
    """Both probes of both networks."""
    return [*probes(EVERYTHING).values(), *probes(TO_GLOBAL).values()]


def subjects(snapshot: Snapshot, rng: np.random.Generator) -> list[Subject]:
    """Three random cells of every array that is computed."""
    found = []
    for name, array in snapshot.arrays.items():
        for _ in range(3):
            index = tuple(int(i) for i in rng.integers(0, array.shape))
            found.append(subject_of(snapshot, CellRef(name, index)))
    return found


def outlined(pair: Pair) -> set[CellRef]:
    """The cells of the source inside the window of the explained cell."""
    window = pair.window(pair.here)
    count, height, width = pair.source.maps.shape[:3]
    spots = [(m, i, j) for m in range(count) for i in range(height) for j in range(width)
             if window is None or (m == (window[0] or 0) and i in window[1][0] and j in window[1][1])]  # fmt: skip
    return {ref for spot in spots if (ref := pair.source.cell_of(spot)) is not None}


def test_a_frame_without_some_layer_shows_what_it_can_and_breaks_nothing(snapshots: list[Snapshot]) -> None:
    rng = np.random.default_rng(6)
    for whole in snapshots:
        for left_out in whole.spec:
            arrays = {name: array for name, array in whole.arrays.items() if not name.startswith(f"{left_out.id}.")}
            for subject in subjects(replace(whole, arrays=arrays), rng):
                with contextlib.suppress(ExplainError):  # which is said in the pictures' place
                    assert subject.term.value is not None
                    pair_of(subject)


def test_pictures_show_the_cell_and_what_it_reads(snapshots: list[Snapshot]) -> None:
    rng, seen = np.random.default_rng(5), set()
    for snapshot in snapshots:
        for subject in subjects(snapshot, rng):
            part = int(rng.integers(max(len(subject.parts), 1)))
            pair = pair_of(subject, part)
            if pair is None or subject.kind == "parameter":
                continue
            assert pair.result.cell_of(pair.here) == subject.ref
            assert pair.result.maps[pair.here] == subject.value
            for spot in np.ndindex(pair.source.maps.shape[:3]):
                ref = pair.source.cell_of(spot)  # type: ignore[arg-type]
                assert pair.source.maps[spot] == (snapshot[ref.array][ref.index] if ref is not None else 0), subject.ref
            term = subject.parts[part] if subject.parts else subject.term
            read = {leaf.ref for leaf in term.leaves()
                    if leaf.op == "cell" and leaf.ref is not None and leaf.ref.array == pair.source.name}  # fmt: skip
            inside = outlined(pair)
            if subject.has_images(pair.source.name):  # batch normalisation reads other images, too
                read = {ref for ref in read if ref.index[0] == next(iter(inside)).index[0]}
            assert read & inside or not read, (subject.ref, pair.source.name)
            windowed = subject.by is not None and subject.by.node.layer.kind in ("conv", "max_pool", "avg_pool")
            assert read <= inside or not windowed or subject.target == "b", subject.ref
            seen.add((subject.kind, subject.by.node.layer.kind if subject.by else ""))
    assert {("forward", "conv"), ("delta", "conv"), ("gradient", "conv"), ("forward", "max_pool"), ("delta", "max_pool"),
            ("forward", "dense"), ("delta", "dense"), ("gradient", "dense"), ("forward", "flatten"), ("delta", "flatten"),
            ("forward", "batch_norm"), ("forward", "softmax"), ("new", "")} <= seen  # fmt: skip


def test_pointing_at_the_source_shows_a_cell_that_reads_it(snapshots: list[Snapshot]) -> None:
    for snapshot in snapshots[:2]:
        for subject in subjects(snapshot, np.random.default_rng(2)):
            pair = pair_of(subject)
            if pair is None:
                continue
            last = tuple(n - 1 for n in pair.source.maps.shape[:3])
            for spot in ((0, 0, 0), last):
                m, i, j = pair.reader(spot)  # type: ignore[arg-type]
                count, height, width = pair.result.maps.shape[:3]
                assert 0 <= m < count and 0 <= i < height and 0 <= j < width, subject.ref


def test_a_weight_is_shown_with_the_input_cells_that_it_meets(snapshots: list[Snapshot]) -> None:
    for snapshot in snapshots[:2]:
        for index in ((0, 0, 0, 0), (3, 1, 2, 1)):
            subject = subject_of(snapshot, CellRef("conv2.W", index))
            pair = pair_of(subject)
            assert pair is not None and pair.whole is not None
            gradient = subject_of(snapshot, CellRef("conv2.dW", index))
            products = (product.children for product in gradient.parts[0].children)
            pairs = {(d.ref, x.ref) for d, x in products if x.op == "cell"}
            _, height, width = pair.result.maps.shape
            drawn = set()
            for i in range(height):
                for j in range(width):
                    window = pair.window((0, i, j))
                    assert window is not None
                    met = pair.source.cell_of((0, window[1][0].start, window[1][1].start))
                    out = pair.result.cell_of((0, i, j))
                    assert met is not None and out is not None
                    inside = all(0 <= r.start < n for r, n in zip(window[1], pair.source.maps.shape[1:], strict=True))
                    if inside:
                        drawn.add((CellRef("conv2.dy", out.index), met))
            assert drawn == pairs


def test_the_pixels_outlined_are_those_with_any_influence() -> None:
    spec = NetworkSpec.of([Input(2, 11, 12, scaling="none"), Conv2D(2, (3, 2), stride=(2, 1), padding=(1, 0, 0, 1)),
                           AvgPool2D((2, 2), (1, 2)), Conv2D(1, (2, 2), dilation=(1, 2)), Flatten(), Dense(2), Softmax()])
    network = Network(spec, dtype=np.float64)
    for weights in network.parameters.named.values():
        weights[...] = 0.1
    image = np.zeros((2, 11, 12))
    for cell in ((0, 0, 0), (0, 1, 2), (0, 2, 3)):
        def output(pixels_: np.ndarray, cell: tuple[int, ...] = cell) -> float:
            return float(sample_snapshot(network, 0, SnapshotRequest(pixels_, 0))["conv2.y"][cell])

        subject = subject_of(sample_snapshot(network, 0, SnapshotRequest(image, 0)), CellRef("conv2.y", cell))
        block = pixels(subject)
        assert block is not None
        base, matters = output(image), np.zeros((11, 12), bool)
        for i, j in np.ndindex(11, 12):
            nudged = image.copy()
            nudged[:, i, j] = 1
            matters[i, j] = output(nudged) != base
        rows, columns = np.flatnonzero(matters.any(axis=1)), np.flatnonzero(matters.any(axis=0))
        assert (block[0].start, block[0].stop - 1) == (rows[0], rows[-1])
        assert (block[1].start, block[1].stop - 1) == (columns[0], columns[-1])


def test_counts_of_convolution_and_fully_connected() -> None:
    network = Network(NetworkSpec.of([Input(6, 14, 14), Conv2D(16, (5, 5)), Flatten(), Dense(3)]))
    snapshot = sample_snapshot(network, 0, SnapshotRequest(np.zeros((6, 14, 14)), 0))
    text = sentences(subject_of(snapshot, CellRef("conv1.y", (0, 1, 1))))
    assert "reads 150 of the 1,176" in text and "2,416 parameters" in text and "1,883,200" in text
    assert "all 100 cells of map 3" in sentences(subject_of(snapshot, CellRef("conv1.W", (3, 0, 0, 0))))
    assert "4,803 parameters" in sentences(subject_of(snapshot, CellRef("dense1.y", (0,))))


def test_forward_backward_and_update_are_the_same_place(snapshots: list[Snapshot]) -> None:
    batch = snapshots[1]
    for way, array in (("forward", "conv1.W"), ("backward", "conv1.dW"), ("update", "conv1.W_after")):
        found = counterparts(batch, CellRef(array, (0, 0, 1, 1)))
        assert found == {"forward": CellRef("conv1.W", (0, 0, 1, 1)), "backward": CellRef("conv1.dW", (0, 0, 1, 1)),
                         "update": CellRef("conv1.W_after", (0, 0, 1, 1))}, way  # fmt: skip
    assert counterparts(batch, CellRef("relu1.dy", (0, 1, 2, 3)))["forward"] == CellRef("relu1.y", (0, 1, 2, 3))
    assert counterparts(batch, CellRef("image", (0, 0, 2, 3)))["backward"] == CellRef("dimage", (0, 0, 2, 3))
    assert "backward" not in counterparts(batch, CellRef("target", (0, 1)))
    assert set(counterparts(batch, CellRef("loss"))) == {"forward"}
