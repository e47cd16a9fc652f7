"""Each layout shows its panels and no others, and "Present" takes large type with it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QByteArray, QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QTabBar, QToolButton
from pytestqt.qtbot import QtBot

from cnnstudio.app import LARGE_TEXT
from cnnstudio.dock import DetailLine
from cnnstudio.hint_line import HintLine
from cnnstudio.layouts import LAYOUTS, Layout
from cnnstudio.mainwindow import MainWindow
from cnnstudio.selection import CellRef
from cnnstudio.settings import Settings
from cnnstudio.tab_corner import TabCorner
from cnnstudio.theme import apply_theme, current_theme
from cnnstudio.widgets.elided_label import ElidedLabel
from engine.templates import Template


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.title)
def test_a_layout_closes_and_raises_what_it_says(qtbot: QtBot, window: MainWindow, layout: Layout) -> None:
    action = next(action for action in window.layouts.actions if action.data() is layout)
    action.trigger()
    qtbot.waitUntil(lambda: not window.layouts._soon.isActive())
    shown = {dock.objectName() for dock in window.docks.all if not dock.isHidden()}
    assert not shown & set(layout.closed)
    assert {"properties"} <= shown or "properties" in layout.closed
    for name in layout.front:
        qtbot.waitUntil(lambda name=name: not window.docks[name].visibleRegion().isEmpty())
    window.layouts.apply(LAYOUTS[1])
    assert not window.docks["training"].isHidden()


def test_large_type_comes_with_present_and_goes_with_the_next(window: MainWindow) -> None:
    present = next(layout for layout in LAYOUTS if layout.large_type)
    window.layouts.apply(present)
    assert window.actions_.large_text.isChecked()
    window.layouts.apply(LAYOUTS[0])
    assert not window.actions_.large_text.isChecked()


def test_no_tab_bar_of_an_earlier_arrangement_stays_on_the_window(qtbot: QtBot, window: MainWindow) -> None:
    for _ in range(2):
        window.docks.arrange()
        qtbot.wait(1)
    bars = [bar for bar in window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
            if bar.isVisible() and bar.count() and window.rect().intersects(bar.geometry())]  # fmt: skip
    assert sorted(bar.tabText(0) for bar in bars) == ["Blocks", "Feature maps", "Kernels", "Properties"]


@pytest.mark.parametrize("kept", ["all", "geometry", "layout", "nothing"])
def test_whatever_is_known_of_the_last_window_every_panel_has_one_tab(
    qtbot: QtBot, window: MainWindow, templates: tuple[Template, ...], kept: str
) -> None:
    window.tabifyDockWidget(window.docks["prediction"], window.docks["runs"])
    window.tabifyDockWidget(window.docks["kernels"], window.docks["gradients"])
    window.docks["confusion"].close()
    settings, none = Settings(), QByteArray()
    settings.save_window(window.saveGeometry() if kept in ("all", "geometry") else none,
                         window.saveState() if kept in ("all", "layout") else none)  # fmt: skip
    again = MainWindow(window.studio, settings, templates)
    again.show()
    qtbot.wait(1)
    bars = [bar for bar in again.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly) if bar.isVisible()]
    groups = sorted([bar.tabText(index) for index in range(bar.count())] for bar in bars)
    again.discard()
    bottom = [["Feature maps", "FC and softmax"], ["Kernels", "By hand", "Gradients"], ["Prediction", "Runs"]]
    first = [["Feature maps", "FC and softmax", "Gradients", "Runs"], ["Kernels", "By hand", "Confusion"]]
    sides = [["Blocks", "Outline"], ["Properties", "Explain", "Settings", "Dataset"]]
    assert groups == sorted(sides + (bottom if kept in ("all", "layout") else first))


def test_a_floating_panel_comes_back_in_front_of_the_window(
    qtbot: QtBot, window: MainWindow, templates: tuple[Template, ...]
) -> None:
    # What is shown before the window does not belong to it yet: window managers put the window over it.
    window.docks["kernels"].setFloating(True)
    settings = Settings()
    settings.save_window(window.saveGeometry(), window.saveState())
    again = MainWindow(window.studio, settings, templates)
    shown: list[QObject] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Show:
                shown.append(watched)
            return False

    watch, dock = Watch(), again.docks["kernels"]
    for widget in (again, dock):
        widget.installEventFilter(watch)
    try:
        again.show()
        qtbot.waitUntil(lambda: shown[-1:] == [dock] and again in shown)
        assert dock.isVisible() and dock.isFloating()
    finally:
        again.discard()


def test_no_tab_can_be_dragged_along_its_bar(qtbot: QtBot, window: MainWindow) -> None:
    # Where several arrangements have left bars behind, Qt crashes in the middle of that.
    def movable() -> list[str]:
        bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        assert bars
        return [bar.tabText(0) for bar in bars if bar.isMovable()]

    qtbot.waitUntil(lambda: movable() == [])
    state = window.saveState()
    window.docks.arrange()
    qtbot.waitUntil(lambda: movable() == [])
    window.restoreState(state)
    qtbot.waitUntil(lambda: movable() == [])
    for layout in LAYOUTS:
        window.layouts.apply(layout)
        qtbot.waitUntil(lambda: movable() == [])
    window.tabifyDockWidget(window.docks["training"], window.docks["palette"])
    window.splitDockWidget(window.docks["properties"], window.docks["explain"], Qt.Orientation.Vertical)
    qtbot.waitUntil(lambda: movable() == [])


@pytest.mark.parametrize("pressed", [False, True])
def test_panels_can_be_arranged_while_the_mouse_is_on_a_separator(qtbot: QtBot, window: MainWindow, pressed: bool) -> None:
    # The separator lies inside a column of its own, which the next arrangement does not have.
    training, history = window.docks["training"], window.docks["history"]
    window.splitDockWidget(training, history, Qt.Orientation.Vertical)
    history.show()
    qtbot.waitUntil(lambda: history.y() > training.geometry().bottom())
    between = QPoint(training.geometry().center().x(), (training.geometry().bottom() + history.y()) // 2 + 1)
    handle = window.windowHandle()
    QTest.mouseMove(handle, between)
    assert window.cursor().shape() == Qt.CursorShape.SplitVCursor
    if pressed:
        QTest.mousePress(handle, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, between)
        QTest.mouseMove(handle, between - QPoint(0, 20))
    window.docks.arrange()
    assert window.cursor().shape() == Qt.CursorShape.ArrowCursor
    QTest.mouseMove(handle, between - QPoint(0, 60))
    if pressed:
        qtbot.wait(1)  # Qt moves separators in a timer
        QTest.mouseRelease(handle, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, between)
    assert window.isVisible()


def corner_of(window: MainWindow, title: str) -> tuple[QTabBar, TabCorner]:
    """The bar that has a tab of this title, and what stands at its free end."""
    bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    bar = next(bar for bar in bars if bar.isVisible() and title in [bar.tabText(i) for i in range(bar.count())])
    (corner,) = bar.findChildren(TabCorner)
    return bar, corner


def test_a_bar_of_tabs_says_what_the_panel_in_front_shows_and_lets_it_float_and_close(qtbot: QtBot, window: MainWindow) -> None:
    window.view.show_block("conv2")
    bar, corner = corner_of(window, "Feature maps")
    qtbot.waitUntil(lambda: corner.isVisible() and "16 maps" in corner.detail)
    window.view.show_block("conv1")
    assert "8 maps" in corner.detail
    assert corner.geometry().left() > bar.tabRect(bar.count() - 1).right() and corner.geometry().right() < bar.width()
    window.docks.bring_up("gradients")
    qtbot.waitUntil(lambda: "delta" in corner.detail)
    floats, closes = (b for b in corner.findChildren(QToolButton))
    qtbot.mouseClick(floats, Qt.MouseButton.LeftButton)
    assert window.docks["gradients"].isFloating() and not window.docks["feature_maps"].isFloating()
    bar, corner = corner_of(window, "Runs")
    floats, closes = (b for b in corner.findChildren(QToolButton))
    qtbot.waitUntil(lambda: [bar.tabText(i) for i in range(bar.count())] == ["Feature maps", "FC and softmax", "Runs"])
    front = bar.tabText(bar.currentIndex())
    qtbot.mouseClick(closes, Qt.MouseButton.LeftButton)
    assert {dock.windowTitle() for dock in window.docks.all if dock.isHidden()} == {"History", "Network analyzer", front}


def test_a_tab_that_was_never_in_front_floats_over_its_place_with_the_title_it_keeps(qtbot: QtBot, window: MainWindow) -> None:
    dock, front = window.docks["gradients"], window.docks["feature_maps"]
    qtbot.waitUntil(lambda: not front.visibleRegion().isEmpty())
    place, titles = QRect(front.mapToGlobal(QPoint(0, 0)), front.size()), []
    # Another title for a window that is being shown makes it anew, and a window manager never shows that one.
    dock.topLevelChanged.connect(lambda _: titles.append(dock.titleBarWidget()))
    dock.float_or_dock()
    assert titles == [dock._title] and dock.isVisible()
    assert dock.width() == place.width() and place.contains(dock.geometry().center())
    assert dock.geometry().topLeft() != place.topLeft()
    edge = dock.grab().toImage().pixelColor(dock.width() // 2, dock.height() - 1)
    assert edge == current_theme().color("control_border")
    dock.float_or_dock()
    qtbot.waitUntil(lambda: dock in window.tabifiedDockWidgets(front))


def test_what_is_shown_is_told_where_its_first_part_has_room(qtbot: QtBot, window: MainWindow) -> None:
    window.view.show_block("conv2")
    window.resizeDocks([window.docks["training"]], [320], Qt.Orientation.Vertical)
    bar, corner = corner_of(window, "Feature maps")
    qtbot.waitUntil(lambda: corner.isVisible() and "16 maps" in corner.detail)
    label = corner.findChildren(ElidedLabel)[0]
    tabs, seen = bar.tabRect(bar.count() - 1).right() + 1, []
    for room in range(400, 40, -1):
        bar.resize(tabs + room, bar.height())
        shown = label.fitting(label.contentsRect().width()) if label.isVisible() else ""
        if not seen or seen[-1] != shown:
            seen.append(shown)
    assert seen == [corner.detail, "Conv 2", ""]
    line = window.docks["feature_maps"].findChild(DetailLine)
    qtbot.waitUntil(lambda: line.isVisible() and line.height() >= line.fontMetrics().height())
    assert line.text() == corner.detail
    window.resize(2200, 1000)
    qtbot.waitUntil(lambda: label.isVisible() and line.height() == 0)


def test_the_buttons_of_a_bar_act_on_the_panel_in_front_also_where_another_has_the_same_title(
    qtbot: QtBot, window: MainWindow
) -> None:
    runs, dense = window.docks["runs"], window.docks["dense"]
    dense.setWindowTitle(runs.windowTitle())
    window.docks.bring_up("runs")
    bar, corner = corner_of(window, "Runs")
    qtbot.waitUntil(lambda: bar.currentIndex() == bar.count() - 1 and corner.isVisible())
    qtbot.mouseClick(corner.findChildren(QToolButton)[1], Qt.MouseButton.LeftButton)
    assert runs.isHidden() and not dense.isHidden()


def test_a_tab_that_is_double_clicked_floats_and_its_menu_closes_it(qtbot: QtBot, window: MainWindow) -> None:
    bar, _ = corner_of(window, "Outline")
    bar.tabBarDoubleClicked.emit(1)
    qtbot.waitUntil(lambda: window.docks["outline"].isFloating())
    bar, _ = corner_of(window, "Settings")
    bar.customContextMenuRequested.emit(bar.tabRect(2).center())
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text() == "Close this panel").trigger()
    menu.close()
    assert window.docks["settings"].isHidden()


def test_the_first_explanation_moves_nothing(qtbot: QtBot, window: MainWindow) -> None:
    window.resize(1280, 720)
    window.docks.arrange()
    qtbot.waitUntil(lambda: window.studio.controller.snapshot is not None and window.docks["properties"].width() == 294)
    width, snapshot = window.docks["properties"].width(), window.studio.controller.snapshot
    assert snapshot is not None
    window.studio.selection.select_cell(CellRef("conv1.y", (1, 2, 2), snapshot.step, snapshot.probe))
    qtbot.waitUntil(lambda: window.explain.subject is not None and window.docks["explain"].isVisible())
    assert window.docks["explain"].width() == width
    window.explain._head.image.show()  # as for a batch
    assert window.explain.minimumSizeHint().width() <= width


@pytest.mark.parametrize("name", ["samples", "gradients", "kernels", "feature_maps", "runs", "dense", "prediction"])
def test_on_a_screen_of_960_by_540_no_panel_reaches_beyond_its_place(qtbot: QtBot, window: MainWindow, name: str) -> None:
    window.resize(960, 510)
    window.docks.arrange()
    window.docks.bring_up(name)
    qtbot.waitUntil(lambda: not window.docks[name].visibleRegion().isEmpty())
    qtbot.wait(50)
    assert (window.width(), window.height()) == (960, 510)
    dock = window.docks[name]
    assert dock.widget().geometry().right() <= dock.width()
    others = [d for d in window.docks.all if d is not dock and not d.visibleRegion().isEmpty()]
    assert window.rect().contains(dock.geometry()) and not any(dock.geometry().intersects(d.geometry()) for d in others)


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout.widths], ids=lambda layout: layout.title)
@pytest.mark.parametrize("width", [1280, 1440])
def test_titles_of_tabs_are_whole_in_every_layout(qtbot: QtBot, window: MainWindow, layout: Layout, width: int) -> None:
    window.resize(width, width * 9 // 16)
    window.layouts.apply(layout)
    qtbot.waitUntil(lambda: not window.layouts._soon.isActive())
    qtbot.wait(100)
    for bar in window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
        if bar.isVisible() and window.rect().intersects(bar.geometry()):
            needed = sum(bar.fontMetrics().horizontalAdvance(bar.tabText(index)) for index in range(bar.count()))
            assert sum(bar.tabRect(index).width() for index in range(bar.count())) > needed + 8 * bar.count(), bar.tabText(0)


def test_at_1280_by_720_all_ten_classes_are_in_sight(qtbot: QtBot, window: MainWindow) -> None:
    window.resize(1280, 720)
    window.docks.arrange()
    bars = window.prediction.bars
    qtbot.waitUntil(lambda: window.docks["prediction"].width() > 270 and not bars.verticalScrollBar().isVisible())
    assert bars.viewport().rect().contains(bars.row_rect(9))


def test_at_1280_by_720_present_has_large_blocks_and_all_ten_classes(
    qtbot: QtBot, qapp: QApplication, window: MainWindow
) -> None:
    window.actions_.large_text.toggled.connect(
        lambda large: apply_theme(qapp, "light", text_scale=LARGE_TEXT if large else 1.0)
    )
    present = next(layout for layout in LAYOUTS if layout.large_type)
    window.resize(1280, 720)
    window.layouts.apply(present)
    bars = window.prediction.bars
    qtbot.waitUntil(lambda: window.view.viewport().height() > 260)
    qtbot.waitUntil(lambda: not bars.verticalScrollBar().isVisible() and bars.viewport().rect().contains(bars.row_rect(9)))
    window.layouts.apply(LAYOUTS[0])


def test_a_line_of_its_own_keeps_its_margins_in_any_type_and_leaves_a_low_panel_its_room(
    qtbot: QtBot, qapp: QApplication, window: MainWindow
) -> None:
    def scale_type(large: bool) -> None:
        apply_theme(qapp, "light", text_scale=LARGE_TEXT if large else 1.0)

    dock = window.docks["feature_maps"]
    line = dock.findChild(DetailLine)
    window.view.show_block("conv1")
    window.resize(1280, 720)
    window.layouts.apply(next(layout for layout in LAYOUTS if layout.title == "Train"))
    qtbot.waitUntil(lambda: line.isVisible() and line.height() > line.fontMetrics().height())
    for large in (True, False):
        scale_type(large)
        qtbot.waitUntil(lambda: line.height() in (0, line.sizeHint().height()))
        assert line.contentsMargins() == DetailLine.AROUND
    qtbot.waitUntil(lambda: line.contentsRect().height() == line.fontMetrics().height())
    window.resizeDocks([dock], [200], Qt.Orientation.Vertical)
    qtbot.waitUntil(lambda: dock.height() < 220 and line.height() == 0)
    assert "Conv 1" in line.text()


def test_the_hint_names_the_button_as_it_is_and_leaves_a_low_canvas_its_room(qtbot: QtBot, window: MainWindow) -> None:
    hint = window.findChild(HintLine)
    assert hint is not None and "press Train" in hint.text()
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: window.actions_.train.text() == "Resume")
    qtbot.waitUntil(lambda: "Resume goes on from these weights" in hint.text())
    window.layouts.apply(LAYOUTS[0])
    qtbot.waitUntil(hint.isVisible)
    window.resize(1280, 720)
    window.layouts.apply(next(layout for layout in LAYOUTS if layout.title == "Inspect"))
    qtbot.waitUntil(hint.isHidden)
    qtbot.waitUntil(lambda: window.view.height() == window.centralWidget().height())
    hint.parentWidget().resize(900, 290)  # as in "Train" on a screen of 1280 by 720, which has room to spare
    assert hint.isVisible()
