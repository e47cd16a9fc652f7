"""The document: one undo step for every gesture, errors with fixes that work, saving state, and tidy places."""

from __future__ import annotations

import json

import pytest

from cnnstudio.document import layout
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph, Place
from cnnstudio.resources import resource_path
from engine.errors import EngineError, OptionError, SpecError
from engine.templates import load_template

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def lenet() -> Document:
    document = Document()
    document.load(tidied("lenet5"))
    return document


def tidied(name: str) -> Graph:
    graph = Graph.of(load_template(resource_path("templates"), name).network, title=name)
    return graph.moved(layout.tidy(graph))


def overlapping(graph: Graph) -> list[tuple[str, str]]:
    return [
        (a.id, b.id)
        for a in graph for b in graph
        if a.id < b.id
        and abs(a.position[0] - b.position[0]) < layout.BLOCK_WIDTH
        and abs(a.position[1] - b.position[1]) < layout.BLOCK_HEIGHT
    ]  # fmt: skip


# --- editing ---


def test_lenet_is_built_from_nothing_by_appending(qtbot) -> None:  # type: ignore[no-untyped-def]
    document = Document()
    for kind in [
        "input",
        "conv",
        "relu",
        "max_pool",
        "conv",
        "relu",
        "max_pool",
        "flatten",
        "dense",
        "relu",
        "dense",
        "relu",
        "dense",
        "softmax",
    ]:
        document.append(kind)
    assert document.derived.blocking is None
    assert document.undo_stack.count() == 14
    assert [document.undo_stack.text(i) for i in (0, 1)] == ["Add Input", "Append Conv"]


def test_inserting_shifts_what_is_behind_and_covers_nothing(lenet: Document) -> None:
    new = lenet.place("batch_norm", Place("conv1", "relu1"))
    assert lenet.graph.next("conv1") == new and lenet.graph.next(new) == "relu1"
    assert overlapping(lenet.graph) == []
    assert layout.is_tidy(lenet.graph.main, lenet.graph.columns)


def test_a_chain_arranged_by_hand_keeps_its_arrangement(lenet: Document) -> None:
    lenet.move({"softmax1": (3000.0, 900.0), "conv1": (210.0, 40.0)})
    before = {b.id: b.position for b in lenet.graph}
    new = lenet.place("batch_norm", Place("dense3", "softmax1"))
    after = {b.id: b.position for b in lenet.graph if b.id != new}
    assert after == before


def test_a_block_inserted_into_a_narrow_gap_pushes_its_row(lenet: Document) -> None:
    lenet.move({"input": (-40.0, 0.0)})  # no longer tidy
    lenet.place("batch_norm", Place("conv1", "relu1"))
    assert overlapping(lenet.graph) == []


def test_an_output_block_stays_last_when_blocks_are_appended(lenet: Document) -> None:
    new = lenet.append("dropout")
    assert lenet.graph.next(new) == "softmax1"


def test_removing_closes_the_chain_and_undo_brings_everything_back(lenet: Document) -> None:
    before = lenet.graph
    lenet.remove(["relu1", "conv2", "flatten1"])
    assert lenet.graph.next("conv1") == "max_pool1" and lenet.graph.next("max_pool1") == "relu2"
    lenet.undo_stack.undo()
    assert lenet.graph is before


def test_a_spun_number_is_one_step_and_back_to_the_start_is_none(lenet: Document) -> None:
    for depth in range(7, 17):
        lenet.set_option("conv1", "depth", depth)
    assert lenet.undo_stack.count() == 1
    lenet.finish_editing()
    lenet.set_option("conv1", "depth", 20)
    assert lenet.undo_stack.count() == 2
    lenet.set_option("conv1", "depth", 16)
    assert lenet.undo_stack.count() == 1
    lenet.undo_stack.undo()
    assert lenet.graph["conv1"].node.layer.depth == 6  # type: ignore[attr-defined]


def test_changes_of_different_options_are_different_steps(lenet: Document) -> None:
    lenet.set_option("conv1", "depth", 7)
    lenet.set_option("conv2", "depth", 7)
    lenet.set_option("conv1", "depth", 8)
    assert lenet.undo_stack.count() == 3


def test_an_illegal_value_changes_nothing(lenet: Document) -> None:
    before = lenet.graph
    with pytest.raises(OptionError):
        lenet.set_option("conv1", "depth", 0)
    assert lenet.graph is before and not lenet.undo_stack.canUndo()


def test_joining_cuts_the_wires_in_its_way(lenet: Document) -> None:
    lenet.connect_blocks("conv1", "max_pool2")
    assert lenet.graph.next("conv1") == "max_pool2"
    assert [b.id for b in lenet.graph.loose[0]] == ["relu1", "max_pool1", "conv2", "relu2"]


@pytest.mark.parametrize(("first", "second"), [("conv2", "conv1"), ("conv1", "conv1"), ("softmax1", "input")])
def test_circles_and_wires_to_the_input_are_refused(lenet: Document, first: str, second: str) -> None:
    with pytest.raises(SpecError):
        lenet.connect_blocks(first, second)
    assert not lenet.undo_stack.canUndo()


def test_a_block_is_moved_along_the_chain_in_one_step(lenet: Document) -> None:
    lenet.relocate(["relu1"], Place("max_pool1", "conv2"))
    assert lenet.graph.next("conv1") == "max_pool1" and lenet.graph.next("relu1") == "conv2"
    assert lenet.undo_stack.count() == 1


def test_an_input_block_inside_a_chain_is_refused(lenet: Document) -> None:
    with pytest.raises(SpecError):
        lenet.place("input", Place("conv1", "relu1"))


def test_a_removed_block_goes_by_its_id(lenet: Document) -> None:
    name = lenet.name_of("conv1")
    lenet.remove(["conv1"])
    assert lenet.name_of("conv1") == "conv1"
    lenet.undo_stack.undo()
    assert lenet.name_of("conv1") == name


def test_paste_gives_new_ids_and_keeps_rows_and_options(lenet: Document) -> None:
    rows = json.loads(json.dumps(lenet.copy(["conv2", "relu2", "dense1"])))
    ids = lenet.paste(rows)
    assert len(ids) == 3 and not set(ids) & set(tidied("lenet5").ids)
    assert [len(chain) for chain in lenet.graph.loose] == [2, 1]
    assert lenet.graph[ids[0]].node.layer == lenet.graph["conv2"].node.layer


def test_paste_on_a_wire_inserts_the_row(lenet: Document) -> None:
    ids = lenet.paste(lenet.copy(["conv2", "relu2"]), place=Place("relu2", "max_pool2"))
    assert lenet.graph.next("relu2") == ids[0] and lenet.graph.next(ids[1]) == "max_pool2"


@pytest.mark.parametrize("rows", [None, [], [[]], [{}], [[{"id": "a"}]], [[{"id": "a", "kind": "nothing"}]], "x"])
def test_a_clipboard_without_blocks_is_refused(lenet: Document, rows: object) -> None:
    with pytest.raises(EngineError):
        lenet.paste(rows)


def test_ids_are_never_used_again(lenet: Document) -> None:
    lenet.remove(["conv2"])
    assert lenet.append("conv") == "conv3"
    lenet.undo_stack.undo()
    assert lenet.append("conv") == "conv4"


def test_another_network_shares_no_ids_with_the_old_one(lenet: Document) -> None:
    old = set(lenet.graph.ids)
    lenet.replace_network(load_template(resource_path("templates"), "mlp").network, "MLP")
    assert not old & set(lenet.graph.ids)
    assert lenet.title == "MLP" and lenet.derived.blocking is None


# --- derived state ---


def test_the_error_stands_on_its_block_and_those_behind_wait(lenet: Document) -> None:
    lenet.remove(["flatten1"])
    derived = lenet.derived
    assert set(derived.errors) == {"dense1"} and derived.blocking_block == "dense1"
    assert {derived.notes[i].code for i in ("relu3", "softmax1")} == {"graph.waits"}
    assert [fix.layer for fix in derived.errors["dense1"].fixes] == ["dense1"]


def test_applying_the_fix_of_an_error_mends_it(lenet: Document) -> None:
    lenet.remove(["flatten1"])
    lenet.apply_fix(lenet.derived.errors["dense1"].fixes[0])
    assert lenet.derived.blocking is None


def test_a_named_block_still_gets_its_error(lenet: Document) -> None:
    lenet.rename("dense1", "the first")
    lenet.remove(["flatten1"])
    assert set(lenet.derived.errors) == {"dense1"}
    lenet.apply_fix(lenet.derived.errors["dense1"].fixes[0])
    assert lenet.derived.blocking is None


def test_a_kernel_that_is_too_large_is_mended_by_either_fix(lenet: Document) -> None:
    for index in (0, 1):
        lenet.set_option("conv2", "kernel_size", (15, 15))
        lenet.finish_editing()
        lenet.apply_fix(lenet.derived.errors["conv2"].fixes[index])
        assert "conv2" not in lenet.derived.errors
        lenet.undo_stack.setIndex(0)


def test_loose_blocks_say_what_they_miss_and_can_be_put_at_the_end(lenet: Document) -> None:
    loose = lenet.place("relu", Place(), (0, 900))
    note = lenet.derived.notes[loose]
    assert note.code == "graph.loose" and lenet.derived.blocking is None
    lenet.apply_fix(note.fixes[0])
    assert lenet.graph.main[-1].id == loose


def test_a_second_input_says_that_it_is_not_used(lenet: Document) -> None:
    second = lenet.place("input", Place(), (0, 900))
    assert lenet.derived.notes[second].code == "graph.second_input"
    lenet.apply_fix(lenet.derived.notes[second].fixes[0])
    assert second not in lenet.graph


def test_what_may_stand_at_a_place_is_known_beforehand(lenet: Document) -> None:
    assert lenet.accepts("batch_norm", Place("conv1", "relu1"))
    assert not lenet.accepts("conv", Place("dense1", "relu3"))
    assert not lenet.accepts("input", Place("conv1", "relu1"))
    assert not lenet.accepts("dense", Place("max_pool1", "conv2"))


def test_moving_blocks_keeps_what_was_derived(lenet: Document) -> None:
    derived = lenet.derived
    lenet.move({"conv1": (5.0, 5.0)})
    assert lenet.derived is derived


def test_numbers_are_shown_only_where_a_kind_occurs_more_than_once(lenet: Document) -> None:
    assert lenet.name_of("conv2") == "Conv 2" and lenet.name_of("flatten1") == "Flatten"
    lenet.relocate(["conv2"], Place("input", "conv1"))
    assert lenet.name_of("conv2") == "Conv 1" and lenet.name_of("conv1") == "Conv 2"
    lenet.rename("conv2", "edges")
    assert lenet.name_of("conv2") == "edges"


# --- saved or not ---


def test_modified_follows_edits_undo_saving_and_training(lenet: Document, qtbot) -> None:  # type: ignore[no-untyped-def]
    said: list[bool] = []
    lenet.modified_changed.connect(said.append)
    lenet.rename("conv1", "a")
    lenet.undo_stack.undo()
    lenet.mark_weights_changed()
    lenet.rename("conv1", "a")
    lenet.mark_saved()
    assert said == [True, False, True, False] and not lenet.modified


def test_a_graph_survives_saving(lenet: Document) -> None:
    lenet.set_training({"epochs": 3}, merge_key="training.epochs")
    lenet.set_data({"name": "digits8x8"})
    lenet.rename("conv1", "边缘")
    lenet.place("relu", Place(), (10.5, -3))
    text = json.dumps(lenet.to_json())
    other = Document()
    other.load(Graph.from_json(json.loads(text)))
    assert other.graph == lenet.graph and not other.modified


@pytest.mark.parametrize(
    "broken",
    [
        None, [], {}, {"format": 2, "chains": []}, {"format": 1, "chains": [{}]}, {"format": 1, "chains": [[1]]},
        {"format": 1, "chains": [[{"id": "a", "kind": "relu", "position": [0]}]]},
        {"format": 1, "chains": [[{"id": "a", "kind": "relu", "position": [0, float("nan")]}]]},
        {"format": 1, "chains": [[{"id": "a", "kind": "relu"}], [{"id": "a", "kind": "relu"}]]},
        {"format": 1, "chains": [[{"id": "a", "kind": "relu"}, {"id": "b", "kind": "input"}]]},
        {"format": 1, "chains": [], "training": 3},
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_and_the_document_stays(lenet: Document, broken: object) -> None:
    before = lenet.graph
    with pytest.raises(EngineError):
        lenet.load(Graph.from_json(broken))
    assert lenet.graph is before
