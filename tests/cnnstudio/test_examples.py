"""The ready-made examples show the numbers of the course in the window; everything is read back from the widgets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cnnstudio.examples import Example, load_examples
from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.kernel_presets import TITLES, preset
from cnnstudio.resources import resource_path
from cnnstudio.selection import CellRef
from cnnstudio.session.messages import RunPhase
from engine import term as terms
from engine.datasets.typed import typed_dataset
from engine.errors import DataError, SpecError

FILE = Path(__file__).resolve().parents[3] / "shared" / "examples" / "worked_examples.json"


@pytest.fixture(scope="module")
def course() -> dict[str, Any]:
    """The worked examples of the course by id."""
    if not FILE.is_file():
        pytest.skip("worked_examples.json is not in ../shared/examples beside this checkout")
    return {e["id"]: e for e in json.loads(FILE.read_text(encoding="utf-8"))["examples"]}


def open_example(qtbot: QtBot, window: MainWindow, name: str) -> Example:
    """Open an example by the menu and wait for the explanation of its first cell."""
    example = next(e for e in load_examples(resource_path("examples")) if e.name == name)
    action = next(a for a in window.menus.examples.actions() if a.text() == example.title)
    action.trigger()
    window.docks.bring_up("typed")
    qtbot.waitUntil(lambda: window.explain.subject is not None and window.explain.subject.ref == example.cell
                    and window.explain.subject.snapshot.spec == window.studio.document.spec)  # fmt: skip
    qtbot.waitUntil(lambda: window.explain.subject.snapshot.loss is not None)  # type: ignore[union-attr]
    return example


def go(qtbot: QtBot, window: MainWindow, array: str, index: tuple[int, ...], probe: str = "sample") -> None:
    """Explain a cell."""
    window.studio.selection.select_cell(CellRef(array, index, window.studio.controller.state.step, probe))
    wanted = terms.CellRef(array, index)
    qtbot.waitUntil(lambda: window.explain.subject is not None and window.explain.subject.ref == wanted
                    and window.explain.subject.snapshot.probe == probe)  # fmt: skip


def shown(window: MainWindow) -> Any:
    """The picture of what was computed, as the Explain panel has it."""
    maps = window.explain.layer_zoom.views[1].maps
    assert maps is not None
    return maps[0]


def number(window: MainWindow) -> float:
    """The big number."""
    return float(window.explain.value_text.replace("−", "-"))


def assert_shown(qtbot: QtBot, window: MainWindow, array: str, expected: Any, probe: str = "sample") -> None:
    """The pictures of an array hold the expected numbers, and the big numbers of some cells agree."""
    expected = np.array(expected, float)
    for index in np.ndindex(expected.shape):
        if any(index[-2:]) and expected.ndim > 1 and index[-2:] != (1, 1):
            continue  # one picture shows the whole map
        image = (0,) if probe == "batch" and array.endswith(("y", "dy")) else ()
        go(qtbot, window, array, (*image, *index), probe)
        assert number(window) == pytest.approx(expected[index], rel=1e-4, abs=1e-7), (array, index)
        assert window.explain.subject is not None
        assert window.explain.subject.term.fold() == pytest.approx(expected[index], rel=1e-5, abs=1e-7), (array, index)
        wanted = expected[index[:-2]] if expected.ndim > 1 else expected
        np.testing.assert_allclose(shown(window).reshape(wanted.shape), wanted, rtol=1e-5, atol=1e-7, err_msg=array)


def test_two_filters_on_four_by_four(qtbot: QtBot, window: MainWindow, course: dict[str, Any]) -> None:
    open_example(qtbot, window, "conv_two_filters")
    example = course["2.1-conv"]
    grid = window.typed.input_grids[0]
    np.testing.assert_array_equal(grid.values, example["input"][0])
    np.testing.assert_array_equal(window.typed.kernel_grid.values, example["kernels"][0][0])
    np.testing.assert_array_equal(window.typed.bias_grid.values, [example["bias"]])
    zoom = window.explain.part_zoom
    np.testing.assert_array_equal(zoom.products.values.ravel(), example["first_cell"]["products"])
    assert number(window) == example["first_cell"]["net"]
    assert_shown(qtbot, window, "conv1.y", [*example["output"], example["output_filter2"]])
    go(qtbot, window, "relu1.y", (0, 0, 0))
    assert number(window) == example["first_cell"]["out"]
    assert_shown(qtbot, window, "max_pool1.y", [course["2.2-maxpool"]["output"][0]])


def test_two_filters_over_three_channels(qtbot: QtBot, window: MainWindow, course: dict[str, Any]) -> None:
    open_example(qtbot, window, "conv_volume")
    example = course["1.2-conv-volume"]
    for channel, grid in enumerate(window.typed.input_grids):
        np.testing.assert_array_equal(grid.values, example["input"][channel])
    assert_shown(qtbot, window, "conv1.y", example["output"])
    for cell in example["explained_cells"]:
        go(qtbot, window, "conv1.y", tuple(cell["cell"]))
        tree = window.explain.tree.terms
        sums = [float(tree.data(tree.index(row, 1)).replace("−", "-")) for row in range(tree.rowCount())]
        assert sums == [*cell["channel_sums"], cell["bias"]]
        for channel, total in enumerate(cell["channel_sums"]):
            window.explain.show_part(channel)
            assert window.explain.part_zoom.products.values.sum() == total


def test_max_pooling_marks_its_winner(qtbot: QtBot, window: MainWindow, course: dict[str, Any]) -> None:
    open_example(qtbot, window, "max_pooling")
    example = course["1.4-maxpool"]
    assert_shown(qtbot, window, "max_pool1.y", example["output"])
    go(qtbot, window, "max_pool1.y", (0, 0, 0))
    grid = window.explain.part_zoom.window_.grid
    np.testing.assert_array_equal(grid.values, np.array(example["input"])[0, :2, :2])
    assert grid._marks is not None and grid._marks.tolist() == [[False, False], [False, True]]


def test_padding_of_one_row_and_one_column(qtbot: QtBot, window: MainWindow, course: dict[str, Any]) -> None:
    open_example(qtbot, window, "padding")
    example = course["1.2-padding"]
    go(qtbot, window, "max_pool1.y", (0, 2, 2))
    assert list(shown(window).shape) == example["with_padding"]["output_size"]
    values = window.explain.part_zoom.window_.grid.values
    assert values[0, 0] == 25 and np.isneginf(values.ravel()[1:]).all()
    source = window.explain.layer_zoom.views[0]
    assert (source._highlights[0].rows, source._highlights[0].cols) == (range(4, 6), range(4, 6))


@pytest.mark.parametrize(("name", "id"), [("step_softmax", "complete-step-softmax"),
                                          ("step_sigmoid", "complete-step-sigmoid-mse")])
def test_a_complete_training_step(qtbot: QtBot, window: MainWindow, course: dict[str, Any], name: str, id: str) -> None:
    open_example(qtbot, window, name)
    example, studio = course[id], window.studio
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: studio.controller.state.step == 1 and studio.controller.state.phase != RunPhase.RUNNING)
    go(qtbot, window, "loss", (), "batch")
    forward, backward, update = example["forward"], example["backward"], example["update"]
    assert number(window) == pytest.approx(forward["loss"], rel=1e-4)
    head = "softmax1" if name == "step_softmax" else "sigmoid1"
    for array, expected in {
        "conv1.y": forward["net_o"], "relu1.y": forward["out_o"], "max_pool1.y": forward["m"], "flatten1.y": forward["flat"],
        "dense1.y": forward["z"], f"{head}.y": forward["y"], "max_pool1.dy": backward["delta_m"],
        "relu1.dy": backward["delta_out_o"], "conv1.dy": backward["delta_net_o"], "input.dy": backward["d_input"],
        "conv1.dW": backward["d_kernels"], "conv1.db": backward["d_bias"], "dense1.dW": backward["d_fc_weights"],
        "dense1.db": backward["d_fc_bias"], "conv1.W_after": update["kernels"], "conv1.b_after": update["bias"],
        "dense1.W_after": update["fc_weights"], "dense1.b_after": update["fc_bias"],
    }.items():  # fmt: skip
        assert_shown(qtbot, window, array, expected, "batch")
    for k, expected in enumerate(backward["delta_z"]):
        go(qtbot, window, "dense1.dy", (0, k), "batch")
        assert number(window) == pytest.approx(expected, rel=1e-4)


def test_a_typed_pixel_changes_the_result_and_undo_brings_it_back(qtbot: QtBot, window: MainWindow) -> None:
    open_example(qtbot, window, "conv_two_filters")
    steps = window.studio.document.undo_stack.count()
    grid = window.typed.input_grids[0]
    grid.edit(0, 0, "3")
    QTest.keyClick(grid._editor, Qt.Key.Key_Return)  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: window.explain.value_text == "3.0000")
    assert window.studio.document.undo_stack.count() == steps + 1
    window.studio.document.undo_stack.undo()
    qtbot.waitUntil(lambda: window.explain.value_text == "1.0000")
    assert window.typed.input_grids[0].values[0, 0] == 1


def test_a_typed_weight_acts_at_once_and_can_be_undone_until_training_goes_on(qtbot: QtBot, window: MainWindow) -> None:
    open_example(qtbot, window, "conv_two_filters")
    stack = window.studio.document.undo_stack
    grid = window.typed.kernel_grid
    grid.edit(0, 0, "5")
    QTest.keyClick(grid._editor, Qt.Key.Key_Return)  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: window.explain.value_text == "5.0000")
    assert window.studio.document.modified
    stack.undo()
    qtbot.waitUntil(lambda: window.explain.value_text == "1.0000")
    stack.redo()
    qtbot.waitUntil(lambda: window.explain.value_text == "5.0000")
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: window.studio.controller.state.step == 1)
    trained = window.studio.controller.checkpoint_now(5)
    stack.undo()
    assert stack.count() == 0
    now = window.studio.controller.checkpoint_now(5)
    assert trained is not None and now is not None
    np.testing.assert_array_equal(now.parameters, trained.parameters)


def test_another_size_of_the_input_fits_the_network(qtbot: QtBot, window: MainWindow) -> None:
    open_example(qtbot, window, "conv_two_filters")
    window.typed._sizes[1].setValue(6)
    qtbot.waitUntil(lambda: window.typed.input_grids[0].values.shape == (6, 4))
    assert window.studio.document.graph.main[0].node.layer.image_shape == (1, 6, 4)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(window.typed.input_grids[0].values[4:], 0)


def test_an_input_can_be_typed_in_place_of_the_data_set(qtbot: QtBot, window: MainWindow) -> None:
    window.docks.bring_up("typed")
    window.typed._begin.click()
    assert window.studio.data is not None and window.studio.data.name == "typed"
    assert window.typed.input_grids[0].values.shape == (8, 8)
    window.studio.document.undo_stack.undo()
    assert window.studio.data is not None and window.studio.data.name == "digits8x8"


@pytest.mark.parametrize("name", TITLES)
def test_a_ready_made_kernel_is_put_in(name: str) -> None:
    kernel = preset(name, (5, 5))
    assert kernel is not None and not kernel[0].any() and not kernel[:, 4].any()
    sums = {"identity": 1, "blur": 1, "sharpen": 1}
    assert kernel.sum() == pytest.approx(sums.get(name, 0))
    assert preset(name, (2, 3)) is None


def test_presets_reach_the_chosen_kernel_alone(qtbot: QtBot, window: MainWindow) -> None:
    open_example(qtbot, window, "conv_volume")
    window.typed._filter.setValue(1)
    window.typed._channel.setValue(2)
    box = window.typed.presets
    box.activated.emit(box.findData("sharpen"))
    name = "conv1.W"
    qtbot.waitUntil(lambda: window.studio.controller.snapshot is not None
                    and window.studio.controller.snapshot[name][1, 2, 1, 1] == 5)  # fmt: skip
    kernels = window.studio.controller.snapshot[name]  # type: ignore[index]
    example = next(e for e in load_examples(resource_path("examples")) if e.name == "conv_volume")
    np.testing.assert_array_equal(kernels[0], example.weights[name][0])
    np.testing.assert_array_equal(kernels[1, :2], example.weights[name][1, :2])


@pytest.mark.parametrize("image", [[], [[1.0]], [[[float("nan")]]], [[["x"]]], np.zeros((4, 2, 2)), np.zeros((1, 17, 2))])
def test_what_is_no_small_image_is_refused(image: Any) -> None:
    with pytest.raises(DataError, match="channels"):
        typed_dataset(image)


def test_a_class_that_does_not_exist_is_refused() -> None:
    with pytest.raises(DataError, match="class 2"):
        typed_dataset([[[1.0]]], 2, 2)


def test_a_broken_example_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SpecError, match="odd"):
        load_examples(tmp_path)
