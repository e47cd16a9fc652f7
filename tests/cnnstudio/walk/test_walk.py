"""Step mode: the plan visits every number of a training step once, in an order in which each needs only earlier ones."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.examples import load_examples
from cnnstudio.mainwindow import MainWindow
from cnnstudio.resources import resource_path
from cnnstudio.walk.plan import GRAINS, Walk, part_and_product
from engine.explain import explain
from engine.snapshot import Snapshot
from engine.term import CellRef, Term
from tests.cnnstudio.panels.explain.test_code import EVERYTHING, probes
from tests.engine.networks import small


@pytest.fixture(scope="module")
def snapshots() -> dict[str, Snapshot]:
    """Both probes of a small network, and a batch of one with all layers."""
    return probes(small()) | {"everything": probes(EVERYTHING)["batch"]}


@pytest.mark.parametrize("name", ["sample", "batch", "everything"])
def test_every_number_needs_only_earlier_ones(snapshots: dict[str, Snapshot], name: str) -> None:
    snapshot = snapshots[name]
    walk, rng = Walk(snapshot), np.random.default_rng(0)
    given = {"image", "target", "penalty", "gradient_norm"}
    given |= {a for a in snapshot.arrays if snapshot.probe == "batch" and a.endswith(("_mean", "_square"))}
    done = set(given) | {a for a in snapshot.arrays if a.rpartition(".")[2] in
                         ("W", "b", "gamma", "beta", "offset", "gain", "mean", "variance", "mask")}  # fmt: skip
    for stage in walk.stages:
        for _ in range(3):
            leaves = explain(snapshot, stage.ref(int(rng.integers(stage.cells)))).leaves()
            needed = {leaf.ref.array for leaf in leaves if leaf.ref is not None and leaf.op == "cell"}
            needed = {a for a in needed if not a.endswith("_after")}
            assert needed <= done, (stage, needed - done)
        done.add(stage.array)
    computed = {a for a in snapshot.arrays if a.endswith((".y", ".dy")) or a == "dimage" or a.endswith("_after")}
    computed = {a for a in computed if not a.endswith(("mean_after", "square_after")) and a != "softmax1.dy"}
    assert computed <= {stage.array for stage in walk.stages}
    assert ("update" in {stage.phase for stage in walk.stages}) is (snapshot.probe == "batch")


@pytest.mark.parametrize("grain", GRAINS)
def test_positions_and_stops_belong_together(snapshots: dict[str, Snapshot], grain: str) -> None:
    walk = Walk(snapshots["batch"])
    length = walk.length(grain)
    rng = np.random.default_rng(1)
    places = [0, length - 1, *(int(p) for p in rng.integers(0, length, 60))]
    for place in places:
        stop = walk.stop(grain, place)
        assert walk.position(grain, stop) == place
        assert stop.ref.array in snapshots["batch"]
    with pytest.raises(IndexError):
        walk.stop(grain, length)
    assert walk.stages[0].array == "input.y" and walk.stages[-1].phase == "update"


def products(term: Term) -> int:
    """Products of two cells in a term; places in the padding count."""
    if term.op == "product" and all(not child.children for child in term.children):
        return 1
    return sum(products(child) for child in term.children)


def test_terms_are_counted_as_the_explanation_has_them(snapshots: dict[str, Snapshot]) -> None:
    for name in ("batch", "everything"):
        for stage in Walk(snapshots[name]).stages:
            term = explain(snapshots[name], stage.ref(stage.cells // 2))
            block = stage.block.rstrip("0123456789")
            if block in ("conv", "dense") and stage.phase in ("forward", "backward") and stage.terms > 1:
                assert stage.terms == products(term), stage


def test_the_walk_runs_through_the_window(qtbot: QtBot, window: MainWindow) -> None:
    example = next(e for e in load_examples(resource_path("examples")) if e.name == "step_softmax")
    window.examples.open(example)
    studio, panel, walker, bar = window.studio, window.explain, window.walker, window.walk_bar
    qtbot.waitUntil(lambda: panel.subject is not None and panel.subject.snapshot.spec == studio.document.spec)
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: studio.controller.state.step == 1)
    window.actions_.walk.trigger()
    qtbot.waitUntil(lambda: walker.stop is not None)
    walk = walker.walk
    assert walk is not None and bar.isVisible() and bar.text.startswith("Forward → · Input")
    bar.choose_grain("cell")
    for position in range(walk.length("cell")):
        walker.go(position)
        assert walker.stop is not None and panel.subject is not None
        assert panel.subject.ref == walker.stop.ref
        assert walker.stop.stage.block in window.view.canvas._highlighted
    assert panel.subject is not None and panel.subject.ref == CellRef("dense1.b_after", (1,))

    bar.choose_grain("term")
    stop = next(walk.stop("term", k) for k in range(walk.length("term"))
                if walk.stop("term", k).stage.array == "conv1.y" and walk.stop("term", k).term == 3)  # fmt: skip
    walker.go(walk.position("term", stop))
    assert part_and_product(stop, walk.snapshot) == (0, 3)
    assert panel.part_zoom.products.grid._highlight == (range(1, 2), range(1, 2))
    assert window.view.canvas._flow is not None

    bar.choose_grain("layer")
    bar._speed.setCurrentIndex(bar._speed.count() - 1)
    walker.go(0)
    bar.play.setChecked(True)
    qtbot.waitUntil(lambda: not bar.play.isChecked(), timeout=10_000)
    assert walker.stop is not None and walker.stop.stage.phase == "update"
    walker.end()
    assert not bar.isVisible() and window.view.canvas._flow is None and not window.view.canvas._highlighted


def test_before_the_first_batch_the_sample_is_walked_and_an_edit_ends_it(qtbot: QtBot, window: MainWindow) -> None:
    window.actions_.walk.trigger()
    qtbot.waitUntil(lambda: window.walker.stop is not None)
    assert window.walker.walk is not None
    assert {s.phase for s in window.walker.walk.stages} == {"forward", "loss", "backward"}
    window.studio.document.set_option("conv1", "depth", 3)
    assert window.walker.walk is None and not window.walk_bar.isVisible()
