"""Explain over the case table: every layer and target, in a batch and in a sample, against the reference loops."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from engine import reference
from engine.layer import LAYERS, Array, Context
from engine.term import CellRef
from engine.view import View
from tests.engine.explain.checks import assert_close, assert_names, some_cells
from tests.oracles.cases import Case, cases
from tests.oracles.driver import run

KINDS = sorted(LAYERS)
TOLERANCE = 1e-12
"""Largest difference from the reference loops, relative to the largest number of the array or of δ, whose terms may cancel."""


def arrays_of(case: Case, images: int | None) -> dict[str, Array]:
    """What a snapshot of a network that holds this layer alone would hold; the numbers are those of the reference loops."""
    x, dy, p, state = case.arrays
    training = images is not None
    if not training:
        x, dy = x[:1], dy[:1]
    buffers = run(case.layer, x, dy, p, state, training=training).ws
    shown = {name: buffers[name] for name, b in case.layer.workspace(case.shape, len(x)).items() if b.shown and not b.scratch}
    ctx = Context(training, None, {name: a.copy() for name, a in state.items()} | shown)
    y = reference.forward(case.layer, x, p, ctx)
    dx, g = reference.backward(case.layer, x, dy, p, Context(training, None, state | shown))
    of_images = {"image": x, "dimage": dx, "layer.y": y, "layer.dy": dy}
    of_images |= {f"layer.{name}": a for name, a in shown.items() if len(a) == len(x) and a.ndim == x.ndim}
    if not training:
        of_images = {name: a[0] for name, a in of_images.items()}
    named = {f"layer.{name}": a for name, a in (p | state).items()} | {f"layer.d{name}": a for name, a in g.items()}
    return of_images | named


def view_of(case: Case, arrays: Mapping[str, Array], images: int | None) -> View:
    return View(arrays, "layer", "", case.shape, case.layer.output_shape(case.shape), images)


def chosen(kind: str, long: bool) -> list[Case]:
    """All cases of a kind, or a part of them that is spread over the table."""
    every = cases(kind)
    return every if long else every[::max(1, len(every) // 60)]


def targets(case: Case, view: View) -> Iterator[tuple[str, str]]:
    """What can be explained: (array, target)."""
    yield "layer.y", ""
    yield "dimage", "x"
    for name in case.layer.params(case.shape):
        yield f"layer.d{name}", name


@pytest.mark.parametrize("probe", ["batch", "sample"])
@pytest.mark.parametrize("kind", KINDS)
def test_cells_fold_to_what_the_reference_loops_give(kind: str, probe: str, long: bool) -> None:
    for case in chosen(kind, long):
        images = len(case.arrays[0]) if probe == "batch" else None
        if kind == "batch_norm" and images == 1 and len(case.shape) == 1:
            continue  # one value for each channel cannot be normalised
        arrays = arrays_of(case, images)
        view, rng = view_of(case, arrays, images), np.random.default_rng(zlib.crc32(repr(case).encode()))
        for array, target in targets(case, view):
            among = np.append(arrays[array], arrays["layer.dy"] if target else [])
            for ref in some_cells(array, arrays[array], 40 if long else 6, rng):
                term = case.layer.explain_backward(target, ref.index, view) if target \
                    else case.layer.explain_forward(ref.index, view)
                assert_close(term.fold(), arrays[array][ref.index], among, TOLERANCE, f"{ref} of {case}")
                assert_close(term.value, term.fold(), among, TOLERANCE, f"the value of {ref} of {case}")
                assert_names(term, arrays)


def test_a_full_cell_of_a_convolution_has_all_its_products_and_the_bias(long: bool) -> None:
    for case in chosen("conv", long):
        arrays = arrays_of(case, None)
        view = view_of(case, arrays, None)
        layer, (kh, kw) = case.layer, case.layer.to_json()["kernel_size"]
        channels = case.shape[0] // layer.to_json()["groups"]
        for ref in some_cells("layer.y", arrays["layer.y"], 3, np.random.default_rng(0)):
            sums = layer.explain_forward(ref.index, view).children
            bias = sums[channels:]
            assert [s.part[0] if s.part else "" for s in sums[:channels]] == ["channel"] * channels
            assert sum(len(s.children) for s in sums[:channels]) == channels * kh * kw
            assert [b.ref for b in bias] == ([CellRef("layer.b", ref.index[:1])] if layer.to_json()["bias"] else [])
