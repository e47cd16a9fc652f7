"""Every panel says what to do; every picture is copied and saved, and has a test that turns its pixels back into numbers."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.panels.samples import SamplesPanel
from cnnstudio.widgets.curve_plot import CurvePlot

PROOFS = {
    ("training", "Training curves"):
        "panels.test_curves::test_the_curves_are_loss_and_accuracy_of_each_batch_under_the_weights_before_it",
    ("kernels", "Kernels"): "panels.test_kernels::test_kernels_of_one_channel_and_their_mean_are_the_weights",
    ("kernels", "Spread over the steps"):
        "panels.test_kernels::test_the_spread_over_time_shows_the_histograms_of_two_steps",
    ("feature_maps", "Feature maps"): "panels.test_feature_maps::test_pixels_are_outputs_before_and_after_the_activation",
    ("feature_maps", "What the feature maps are compared with"):
        "panels.test_feature_maps::test_input_and_another_layer_stand_beside_the_maps",
    ("prediction", "The chosen sample"):
        "panels.test_predictions::test_every_bar_and_every_pixel_of_the_image_is_painted_as_computed",
    ("prediction", "Class probabilities"):
        "panels.test_predictions::test_every_bar_and_every_pixel_of_the_image_is_painted_as_computed",
    ("typed", "Weights"): "panels.test_typed_input::test_every_weight_and_bias_is_painted_and_written",
    ("typed", "Biases"): "panels.test_typed_input::test_every_weight_and_bias_is_painted_and_written",
    ("confusion", "Confusion matrix"): "panels.test_confusion::test_cells_count_the_answers_and_show_their_images",
    ("confusion", "Images of the chosen cell"): "panels.test_confusion::test_cells_count_the_answers_and_show_their_images",
    ("dense", "Contributions to the chosen output"):
        "panels.test_dense::test_every_output_contribution_and_weight_is_painted",
    ("dense", "Outputs of the layer"): "panels.test_dense::test_every_output_contribution_and_weight_is_painted",
    ("gradients", "Deltas"): "panels.test_gradients::test_pixels_are_the_deltas_of_a_backward_pass",
    ("gradients", "Flow of the gradient"): "panels.test_gradients::test_pixels_are_the_deltas_of_a_backward_pass",
    ("gradients", "Norms over the steps"):
        "panels.test_gradients::test_norms_over_time_are_those_of_the_weights_around_each_step",
    ("samples", "SamplesPanel"): "panels.test_samples::test_every_pixel_of_the_grid_is_that_of_its_image",
    ("explain", "Maps"): "panels.explain.test_pixels::test_the_zooms_of_a_convolution_are_painted_as_computed",
    ("explain", "Matrix"): "panels.explain.test_pixels::test_the_zooms_of_a_convolution_are_painted_as_computed",
    ("explain", "The pixels that feed the number"):
        "panels.explain.test_pixels::test_the_zooms_of_a_convolution_are_painted_as_computed",
    ("canvas", "BlockItem"): "test_thumbnails::test_every_thumbnail_shows_the_outputs_of_its_layer",
}  # fmt: skip
"""(dock, picture) -> the test that compares what is painted with an independent computation."""

OTHERS = {"Choice", "PoolingChoice", "ScaleBar", "RunningLabel", "ElidedLabel", "FormulaView", "DrawPad", "_Picture"}
"""What is painted, but no picture of arrays: choices, parts of pictures, texts, the typeset formula (which has copy buttons of
its own), the pad that is drawn on, the sketch of a padding."""


def pictures_of(window: MainWindow) -> Iterator[tuple[str, QWidget]]:
    """(dock, picture) of everything that a class of the program paints."""
    for dock in window.docks.all:
        for widget in (dock.widget(), *dock.widget().findChildren(QWidget)):
            own = [kind for kind in type(widget).__mro__ if kind.__module__.startswith("cnnstudio")]
            paints = any("paintEvent" in kind.__dict__ for kind in own)
            if (paints or isinstance(widget, CurvePlot | SamplesPanel)) and type(widget).__name__ not in OTHERS:
                yield dock.objectName(), widget


def test_every_picture_has_a_test_of_its_pixels(window: MainWindow) -> None:
    found = {(dock, picture.accessibleName() or type(picture).__name__) for dock, picture in pictures_of(window)}
    assert found | {("canvas", "BlockItem")} == set(PROOFS)
    for proof in PROOFS.values():
        module, name = proof.split("::")
        assert hasattr(import_module(f"tests.cnnstudio.{module}"), name), proof


def test_every_panel_says_what_to_do_and_explains_itself(window: MainWindow) -> None:
    for dock in window.docks.all:
        (tools,) = dock.widget().findChildren(PanelTools)
        panel = tools._panel
        line, _, more = panel.whatsThis().partition("\n\n")
        assert line and line == panel.statusTip() and more, dock.objectName()
        (help_,) = (b for b in tools.findChildren(QToolButton) if b.accessibleName() == "What to do here")
        assert not help_.isHidden() and help_.toolTip() == line


@pytest.mark.parametrize("name", ["palette", "settings", "typed", "prediction"])
def test_the_keyboard_comes_to_a_panel_before_it_comes_to_its_help(window: MainWindow, name: str) -> None:
    dock = window.docks[name]
    window.docks.bring_up(name)
    dock.setFloating(True)
    (tools,) = dock.widget().findChildren(PanelTools)
    dock.setFocus()
    reached = []
    for _ in range(60):
        dock.focusNextChild()
        focus = dock.focusWidget()
        if focus is not None and dock.widget().isAncestorOf(focus):
            reached.append(tools.isAncestorOf(focus))
    assert reached and not reached[0] and True in reached


def test_every_picture_is_copied_and_saved_from_its_own_menu_and_from_that_of_its_panel(window: MainWindow) -> None:
    for dock, picture in pictures_of(window):
        (tools,) = window.docks[dock].widget().findChildren(PanelTools)
        if dock == "kernels":
            window.kernels.show_array("spread" if "Spread" in picture.accessibleName() else "W")
        elif picture is window.gradients.plot:
            window.gradients.show_quantity("gradient")
        assert picture in tools.views, (dock, picture.accessibleName())
        menu = picture.context_menu()  # type: ignore[attr-defined]
        texts = [action.text() for action in menu.actions()][:3]
        assert texts[:2] == ["Copy picture", "Copy values (CSV)"] and texts[2].startswith("Save PNG, SVG or CSV"), dock
        menu.deleteLater()


@pytest.mark.parametrize("name", ["kernels", "feature_maps", "dense", "gradients", "confusion", "prediction"])
def test_values_on_the_clipboard_are_those_of_the_picture(qtbot: QtBot, window: MainWindow, name: str) -> None:
    window.docks.bring_up(name)
    window.view.show_block("conv1")
    panel = getattr(window, name)
    view = panel.bars if name == "prediction" else panel.view
    qtbot.waitUntil(lambda: panel.bars.top is not None if name == "prediction" else panel.view.maps is not None)
    (tools,) = panel.findChildren(PanelTools)
    more = next(b for b in tools.findChildren(QToolButton) if b.accessibleName() == "Copy or save this picture")
    more.click()
    menu = view.findChild(QMenu)
    assert [action.isEnabled() for action in menu.actions()][:3] == [True, True, True]
    menu.actions()[1].trigger()
    assert QGuiApplication.clipboard().text() == view.values_csv() and view.values_csv().count("\n") > 3
    menu.actions()[0].trigger()
    assert not QGuiApplication.clipboard().image().isNull()
    menu.close()


def test_further_pictures_of_a_panel_are_in_submenus(qtbot: QtBot, window: MainWindow) -> None:
    window.docks.bring_up("dense")
    qtbot.waitUntil(lambda: window.dense.view.maps is not None)
    (tools,) = window.dense.findChildren(PanelTools)
    menu = tools.menu()
    (outputs,) = (action.menu() for action in menu.actions() if action.menu() is not None)
    assert outputs.title() == "Outputs of the layer"
    outputs.actions()[1].trigger()
    rows = QGuiApplication.clipboard().text().splitlines()
    assert rows[0] == "name,value" and len(rows) == 11
    assert abs(float(rows[4].split(",")[1]) - window.dense.bars.values[3]) < 1e-6
    menu.aboutToHide.emit()
    menu.deleteLater()
