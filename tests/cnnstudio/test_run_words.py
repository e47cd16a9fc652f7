"""What differs between two runs, in words."""

from __future__ import annotations

import dataclasses
from typing import Any

from cnnstudio.project.state import RunRecord
from cnnstudio.run_words import data_row, differences, distinctions, layer_rows, setting_rows
from engine.layers.activation import ReLU
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.optimizers import SGD, Momentum
from engine.settings import TrainSettings
from engine.spec import NetworkSpec, Node

SPEC = NetworkSpec.of([Input(1, 8, 8), Conv2D(6), Flatten(), Dense(10)])


def run(spec: NetworkSpec = SPEC, data: Any = None, **settings: Any) -> RunRecord:
    """A run with other settings than usual."""
    return RunRecord("Run", TrainSettings().replace(**settings).to_json(), spec.to_json(), data or {"name": "digits8x8"})


def edited(*nodes: Node) -> NetworkSpec:
    return NetworkSpec(nodes)


def test_equal_runs_differ_in_nothing() -> None:
    assert differences(run(), run()) == []


def test_numbers_and_parts_of_the_settings() -> None:
    assert differences(run(learning_rate=0.001), run(learning_rate=0.01, seed=7)) == ["lr 0.001 → 0.01", "seed 1 → 7"]
    found = differences(run(optimizer=SGD()), run(optimizer=Momentum(momentum=0.5)))
    assert found == ["Optimizer SGD → SGD with momentum (Momentum 0.5)"]


def test_a_setting_changed_in_the_middle_is_told_with_its_step() -> None:
    changed = run().with_change(400, TrainSettings(learning_rate=0.01).to_json())
    (row,) = [row for row in setting_rows(changed) if row.short == "lr"]
    assert row.value == "0.001 → 0.01 (step 400)"
    assert differences(run(), changed) == ["lr 0.001 → 0.001 → 0.01 (step 400)"]


def test_data_sets_and_how_they_are_read() -> None:
    other = run(data={"name": "/home/me/项目/mine.npz", "reading": {"kind": "reading", "labels": "renumber"}})
    assert data_row(other).value == "mine.npz · labels renumber"
    assert differences(run(), other) == ["Data set Digits 8×8 → mine.npz · labels renumber"]


def test_a_data_set_that_comes_with_the_program_has_its_title() -> None:
    assert data_row(run(data={"name": "mnist12k"})).value == "MNIST, 12,000 digits"


def test_layers_that_come_go_and_change() -> None:
    nodes = list(SPEC)
    wider = dataclasses.replace(nodes[1], layer=Conv2D(8))
    assert differences(run(), run(edited(nodes[0], wider, *nodes[2:]))) == ["Conv: Depth 6 → 8"]
    relu = Node("relu1", ReLU())
    more = run(edited(*nodes[:2], relu, *nodes[2:]))
    assert differences(run(), more) == ["+ ReLU"] and differences(more, run()) == ["− ReLU"]
    assert [row[0] for row in layer_rows(run(), more)] == ["Input", "Conv", "ReLU", "Flatten", "FC"]
    assert layer_rows(run(), more)[2][1] == "–"


def test_another_order_of_the_same_layers_is_told() -> None:
    nodes = [*list(SPEC)[:2], Node("relu1", ReLU()), *list(SPEC)[2:]]
    swapped = [nodes[0], nodes[2], nodes[1], *nodes[3:]]
    assert differences(run(edited(*nodes)), run(edited(*swapped))) == ["other order of layers"]


def test_several_runs_are_told_apart_by_what_is_not_the_same_in_all() -> None:
    runs = [run(learning_rate=0.1), run(learning_rate=0.2), run(edited(*list(SPEC)[:3], Node("dense2", Dense(10))))]
    one, two, three = distinctions(runs)
    assert (one, two) == ("lr 0.1", "lr 0.2") and three.startswith("lr 0.001 · ") and "FC" in three
    assert distinctions(runs[:1]) == [""]
