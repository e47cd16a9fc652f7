"""Pixels are arrays; pointer and keyboard lead to cells; nothing is drawn that nobody sees."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QImage, QMouseEvent, QPainter
from PySide6.QtWidgets import QApplication, QWidget

from cnnstudio.theme import apply_theme, current_theme
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.colormaps import invert
from cnnstudio.widgets.map_view import MapView
from cnnstudio.widgets.mosaic import Picture
from cnnstudio.widgets.picture_menu import save_picture
from cnnstudio.widgets.scale_bar import ScaleBar

RNG = np.random.default_rng(7)


@pytest.fixture
def view(qtbot) -> MapView:
    widget = MapView(max_cell=30)  # below the size at which numbers are printed
    widget.resize(420, 240)
    qtbot.addWidget(widget)
    widget.show()
    return widget


def pixels_of(view: MapView, scale: float = 1.0) -> np.ndarray:
    """What is on screen, (height, width, 3), in device pixels."""
    image = QImage(view.viewport().size() * scale, QImage.Format.Format_RGB888)
    image.setDevicePixelRatio(scale)
    image.fill(Qt.GlobalColor.black)
    painter = QPainter(image)
    view.viewport().render(painter, QPoint())
    painter.end()
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return flat[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def colors_of(view: MapView, scale: float = 1.0) -> np.ndarray:
    """The colour at the middle of every cell, (N, H, W, 3)."""
    shown = pixels_of(view, scale)
    count, height, width = view.maps.shape[:3]
    out = np.zeros((count, height, width, 3), np.uint8)
    for place in np.ndindex(count, height, width):
        at = view.cell_rect(*place).center() * scale
        out[place] = shown[int(at.y()), int(at.x())]
    return out


def center(view: MapView, map: int, row: int, col: int) -> QPoint:
    return view.cell_rect(map, row, col).center().toPoint()


@pytest.mark.parametrize("kind", ["activation", "weight", "image"])
@pytest.mark.parametrize("shape", [(16, 28, 28), (6, 5, 5), (120, 1, 1), (1, 8, 13), (3, 14, 10)])
def test_pixels_are_the_array(view, shape, kind):
    maps = RNG.normal(size=shape).astype(np.float32)
    view.set_maps(maps, kind=kind)
    low, high = view.bounds
    back = invert(colors_of(view), view.colormap, low, high)
    assert np.abs(back - maps).max() <= (high - low) / 256


def test_a_new_frame_replaces_the_pixels(view):
    view.set_maps(RNG.random((4, 6, 6)), key=1)
    new = RNG.random((4, 6, 6)).astype(np.float32)
    view.set_maps(new, key=2)
    assert np.abs(invert(colors_of(view), "viridis", *view.bounds) - new).max() <= 1 / 256


def test_given_bounds_colour_all_steps_alike(view):
    maps = RNG.random((2, 4, 4))
    view.set_maps(maps, low=-1.0, high=3.0)
    assert view.bounds == (-1.0, 3.0)
    assert np.abs(invert(colors_of(view), "viridis", -1.0, 3.0) - maps).max() <= 4 / 256


def test_own_ranges_use_all_colours_in_every_map(view, qtbot):
    maps = np.stack([RNG.random((6, 6)), 100 * RNG.random((6, 6))])
    view.set_maps(maps, range_mode="unit")
    for index in range(2):
        low, high = maps[index].min(), maps[index].max()
        back = invert(colors_of(view)[index], "viridis", low, high)
        assert np.abs(back - maps[index]).max() <= (high - low) / 256
    with qtbot.waitSignal(view.hovered):
        qtbot.mouseMove(view.viewport(), center(view, 1, 2, 2))
    assert view.bounds == (maps[1].min(), maps[1].max())
    (bar,) = view.findChildren(ScaleBar)
    assert bar.accessibleDescription().endswith("range of this map")
    qtbot.mouseMove(view.viewport(), QPoint(view.viewport().width() - 1, view.viewport().height() - 1))
    qtbot.waitUntil(lambda: bar.accessibleDescription().endswith("each map its own range"))


def test_colour_pictures_show_their_channels(view):
    rgb = RNG.random((2, 6, 6, 3)).astype(np.float32)
    view.set_maps(rgb, kind="image", low=0.0, high=1.0)
    assert np.abs(colors_of(view) / 255.0 - rgb).max() <= 1 / 128


def test_masks_show_two_colours(view):
    mask = RNG.random((2, 6, 6)) > 0.5
    view.set_maps(mask, kind="mask")
    assert (invert(colors_of(view), "mask", 0, 1) > 0.5).tolist() == mask.tolist()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_magenta_and_crossed_out(view, bad):
    maps = RNG.random((2, 5, 5))
    maps[1, 2, 3] = bad
    view.set_maps(maps)
    shown, box = pixels_of(view), view.cell_rect(1, 2, 3)
    cell = shown[int(box.top()) : int(box.bottom()), int(box.left()) : int(box.right())]
    assert (cell == (255, 0, 255)).all(axis=-1).mean() > 0.5
    assert (cell == (255, 255, 255)).all(axis=-1).any()
    low, high = view.bounds
    assert np.isfinite([low, high]).all()


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_cells_are_sharp_at_every_scale(view, monkeypatch, scale):
    monkeypatch.setattr(view, "devicePixelRatioF", lambda: scale)
    view.resize(421, 241)
    maps = RNG.random((6, 5, 5)).astype(np.float32)
    view.set_maps(maps)
    shown = pixels_of(view, scale)
    for place in np.ndindex(maps.shape):
        box = view.cell_rect(*place)
        rows = slice(round(box.top() * scale), round(box.bottom() * scale))
        cols = slice(round(box.left() * scale), round(box.right() * scale))
        assert len(np.unique(shown[rows, cols].reshape(-1, 3), axis=0)) == 1
    back = invert(colors_of(view, scale), "viridis", *view.bounds)
    assert np.abs(back - maps).max() <= 1 / 128


def test_hovering_tells_the_cell_and_its_value(view, qtbot):
    maps = RNG.random((4, 6, 6))
    view.set_maps(maps)
    with qtbot.waitSignal(view.hovered) as told:
        qtbot.mouseMove(view.viewport(), center(view, 2, 3, 4))
    assert told.args == [Cell(2, 3, 4, maps[2, 3, 4])]


def test_a_new_value_under_the_pointer_is_told(view, qtbot):
    view.set_maps(np.zeros((1, 4, 4)))
    qtbot.mouseMove(view.viewport(), center(view, 0, 1, 2))
    qtbot.waitUntil(lambda: view.cell_at(center(view, 0, 1, 2)) is not None)
    with qtbot.waitSignal(view.hovered) as told:
        view.set_maps(np.arange(16.0).reshape(1, 4, 4))
    assert told.args == [Cell(0, 1, 2, 6.0)]


def test_leaving_tells_none(view, qtbot):
    view.set_maps(np.zeros((1, 4, 4)))
    with qtbot.waitSignal(view.hovered):
        qtbot.mouseMove(view.viewport(), center(view, 0, 3, 3))
    with qtbot.waitSignal(view.hovered, check_params_cb=lambda cell: cell is None):
        qtbot.mouseMove(view.viewport(), QPoint(view.viewport().width() - 1, view.viewport().height() - 1))


def test_a_click_and_a_double_click_name_the_cell(view, qtbot):
    maps = RNG.random((4, 6, 6))
    view.set_maps(maps)
    at = center(view, 3, 0, 5)
    with qtbot.waitSignal(view.cell_clicked) as clicked:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    with qtbot.waitSignal(view.cell_activated) as activated:
        qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert clicked.args == activated.args == [Cell(3, 0, 5, maps[3, 0, 5])]


def test_letting_go_after_a_double_click_is_no_second_click(view, qtbot):
    view.set_maps(RNG.random((4, 6, 6)))
    at, clicks = center(view, 3, 0, 5), []
    view.cell_clicked.connect(clicks.append)
    for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick,
                 QEvent.Type.MouseButtonRelease):  # fmt: skip  # what a real mouse sends
        button, up = Qt.MouseButton.LeftButton, kind == QEvent.Type.MouseButtonRelease
        QApplication.sendEvent(view.viewport(), QMouseEvent(
            kind, QPointF(at), QPointF(view.viewport().mapToGlobal(at)), button, Qt.MouseButton.NoButton if up else button,
            Qt.KeyboardModifier.NoModifier))  # fmt: skip
    assert len(clicks) == 1
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert len(clicks) == 2


def test_a_click_beside_the_maps_is_no_click(view, qtbot):
    view.set_maps(RNG.random((1, 2, 2)))
    with qtbot.assertNotEmitted(view.cell_clicked):
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(400, 200))


def test_the_keyboard_reaches_every_cell(view, qtbot):
    maps = np.arange(4 * 3 * 3, dtype=float).reshape(4, 3, 3)
    view.set_maps(maps)
    seen = []
    view.hovered.connect(seen.append)
    view.activateWindow()
    qtbot.waitUntil(view.hasFocus)
    for key, expected in [
        (Qt.Key.Key_Right, (0, 0, 0)),  # the first key brings the cursor up
        (Qt.Key.Key_Right, (0, 0, 1)),
        (Qt.Key.Key_Down, (0, 1, 1)),
        (Qt.Key.Key_Right, (0, 1, 2)),
        (Qt.Key.Key_Right, (1, 1, 0)),  # on into the next map
        (Qt.Key.Key_Left, (0, 1, 2)),
        (Qt.Key.Key_PageDown, (1, 1, 2)),
        (Qt.Key.Key_End, (3, 2, 2)),
        (Qt.Key.Key_Right, (3, 2, 2)),  # there is nothing beyond
        (Qt.Key.Key_Home, (0, 0, 0)),
        (Qt.Key.Key_Up, (0, 0, 0)),
    ]:
        qtbot.keyClick(view, key)
        assert seen[-1] == Cell(*expected, maps[expected]), key
    with qtbot.waitSignal(view.cell_activated) as activated:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    with qtbot.waitSignal(view.cell_clicked) as clicked:
        qtbot.keyClick(view, Qt.Key.Key_Space)
    assert activated.args == clicked.args == [Cell(0, 0, 0, 0.0)]


@pytest.mark.parametrize(
    ("shape", "options", "text"),
    [
        ((3, 2, 2), {}, "map 2 · row 1 · column 0: 0.5000"),
        ((3, 2, 2), {"labels": ("a", "b", "c")}, "c · row 1 · column 0: 0.5000"),
        ((1, 2, 2), {}, "row 1 · column 0: 0.5000"),
        ((3, 2, 2), {"kind": "image"}, "row 1 · column 0: 0.5000"),
    ],
)
def test_the_readout_names_map_row_and_column(view, shape, options, text):
    view.set_maps(np.full(shape, 0.5, np.float32), **options)
    assert view._readout(Cell(shape[0] - 1, 1, 0, 0.5)) == text


def test_the_cursor_scrolls_into_view(view, qtbot):
    view.set_maps(RNG.random((600, 5, 5)))
    assert view.verticalScrollBar().maximum() > 0
    qtbot.keyClick(view, Qt.Key.Key_End)
    view.clearFocus()  # takes cursor and readout off the picture
    assert view.viewport().rect().contains(center(view, 599, 4, 4))
    back = invert(colors_near(view, 599), "viridis", *view.bounds)
    assert np.abs(back - view.maps[599]).max() <= 1 / 128


def colors_near(view: MapView, index: int) -> np.ndarray:
    shown = pixels_of(view)
    out = np.zeros((5, 5, 3), np.uint8)
    for row, col in np.ndindex(5, 5):
        at = view.cell_rect(index, row, col).center()
        out[row, col] = shown[int(at.y()), int(at.x())]
    return out


@pytest.fixture
def colorings(monkeypatch) -> list[object]:
    calls: list[object] = []
    color = Picture.color

    def counted(self, maps, *rest):
        calls.append(maps)
        color(self, maps, *rest)

    monkeypatch.setattr(Picture, "color", counted)
    return calls


def test_the_same_step_is_not_coloured_twice(view, colorings):
    maps = RNG.random((2, 4, 4))
    view.set_maps(maps, key=5)
    view.set_maps(maps, key=5)
    assert len(colorings) == 1
    view.set_maps(maps, key=5, range_mode="unit")
    assert len(colorings) == 2


def test_a_hidden_view_costs_nothing_until_it_is_shown(qtbot, colorings):
    parent = QWidget()
    qtbot.addWidget(parent)
    view = MapView(parent)
    for step in range(5):
        view.set_maps(RNG.random((2, 4, 4)), key=step)
    assert not colorings
    parent.show()
    assert len(colorings) == 1
    view.hide()
    view.set_maps(RNG.random((2, 4, 4)), key=6)
    assert len(colorings) == 1


def test_marks_are_light_dots_on_their_cells_only(view):
    maps, marks = np.zeros((1, 6, 6)), np.zeros((1, 6, 6), bool)
    marks[0, 2, 3] = True
    view.set_maps(maps, marks=marks)
    colors = colors_of(view)[0]
    assert (colors[2, 3] == 255).all()
    assert (colors[~marks[0]] != 255).any(axis=-1).all()


def test_a_window_may_reach_into_the_padding(view):
    view.set_maps(np.zeros((2, 5, 5)))
    before = pixels_of(view)
    view.highlight(0, range(-1, 2), range(3, 6))
    changed = (pixels_of(view) != before).any(axis=-1)
    rows, cols = np.nonzero(changed)
    box = view.cell_rect(0, 1, 3)
    assert abs(rows.max() - box.bottom()) <= 4 and abs(cols.min() - box.left()) <= 4
    assert not changed[int(box.center().y()), int(box.center().x())]  # an outline covers no cell
    view.clear_highlight()
    assert (pixels_of(view) == before).all()


@pytest.mark.parametrize(
    ("side", "kind", "framed"),
    [(3, "activation", True), (28, "activation", False), (28, "weight", True), (28, "mask", True)],
)
def test_maps_of_large_cells_and_of_pale_colours_have_a_frame(view, side, kind, framed):
    view.set_maps(np.zeros((6, side, side)), kind=kind)
    shown, ground = pixels_of(view), current_theme().color("control_border").getRgb()[:3]
    for index in range(6):
        first, last = view.cell_rect(index, 0, 0), view.cell_rect(index, side - 1, side - 1)
        around = [(first.top() - 1, first.left()), (first.top(), first.left() - 1), (last.bottom(), last.left()),
                  (last.top(), last.right())]  # fmt: skip
        assert all((tuple(shown[int(y), int(x)]) == ground) == framed for y, x in around)


def test_the_frame_of_single_units_goes_round_the_last_row_however_short_it_is(view):
    view.set_maps(np.zeros((47, 1, 1)), kind="weight")
    columns = view._arranged().columns
    assert 47 % columns
    shown, ground = pixels_of(view), current_theme().color("control_border").getRgb()[:3]
    first, right, last = view.cell_rect(0, 0, 0), view.cell_rect(columns - 1, 0, 0), view.cell_rect(46, 0, 0)
    beside = [(first.top(), first.left() - 1), (right.top(), right.right()), (last.top(), last.right()),
              (last.bottom(), last.left())]  # fmt: skip
    assert all(tuple(shown[int(y), int(x)]) == ground for y, x in beside)


def test_the_windows_of_a_pooling_appear_once_there_is_room_for_them(view):
    view.set_maps(np.zeros((1, 8, 8)))
    view.set_grid(2, 2)
    for height, lines in ((60, False), (240, True), (60, False)):
        view.resize(420, height)
        inside = pixels_of(view)[4 : int(view.cell_rect(0, 7, 7).bottom()) - 1, 4 : int(view.cell_rect(0, 7, 7).right()) - 1]
        assert (len(np.unique(inside.reshape(-1, 3), axis=0)) > 1) == lines


def test_numbers_are_printed_where_cells_are_large_enough(qtbot):
    view = MapView(max_cell=60)
    qtbot.addWidget(view)
    view.resize(200, 200)
    view.show()
    view.set_maps(np.full((1, 2, 2), 0.5), low=0.0, high=1.0)
    box = view.cell_rect(0, 0, 0)
    cell = pixels_of(view)[int(box.top()) : int(box.bottom()), int(box.left()) : int(box.right())]
    assert len(np.unique(cell.reshape(-1, 3), axis=0)) > 3
    view.resize(60, 60)
    box = view.cell_rect(0, 0, 0)
    cell = pixels_of(view)[int(box.top()) : int(box.bottom()), int(box.left()) : int(box.right())]
    assert len(np.unique(cell.reshape(-1, 3), axis=0)) == 1


def test_numbers_are_black_on_light_and_white_on_dark_cells(qtbot):
    view = MapView(max_cell=60)
    qtbot.addWidget(view)
    view.resize(200, 200)
    view.show()
    view.set_maps(np.array([[[0.0, 1.0]]]))  # viridis: dark violet, light yellow
    inks = []
    for col in range(2):
        box = view.cell_rect(0, 0, col)
        cell = pixels_of(view)[int(box.top()) : int(box.bottom()), int(box.left()) : int(box.right())]
        ground = cell[1, 1].astype(int)
        inks.append(cell.reshape(-1, 3)[np.abs(cell.reshape(-1, 3) - ground).sum(axis=1).argmax()].mean())
    assert inks[0] > 200 and inks[1] < 55


def test_values_are_copied_as_csv_that_reads_back(view):
    maps = RNG.normal(size=(3, 2, 4)).astype(np.float32)
    view.set_maps(maps, labels=["a", "b", "c"])
    view.context_menu().actions()[1].trigger()
    text = QGuiApplication.clipboard().text()
    assert [line for line in text.splitlines() if line.startswith("#")] == ["# a", "# b", "# c"]
    numbers = np.array([line.split(",") for line in text.splitlines() if not line.startswith("#")], np.float32)
    assert (numbers.reshape(maps.shape) == maps).all()


def test_the_picture_has_all_maps_even_those_out_of_sight(view):
    view.set_maps(RNG.random((600, 5, 5)))
    view.context_menu().actions()[0].trigger()
    assert QGuiApplication.clipboard().image().height() > view.viewport().height()
    assert view.picture().size() == view._arranged().size


def test_a_panel_can_add_to_the_context_menu(view):
    view.set_maps(np.zeros((1, 2, 2)))
    view.menu_opening.connect(lambda menu: menu.addAction("Explain"))
    menu = view.context_menu()
    assert [action.text() for action in menu.actions()] == [
        "Copy picture",
        "Copy values (CSV)",
        "Save PNG, SVG or CSV…",
        "Explain",
    ]


def test_a_screen_reader_hears_shape_and_range(view):
    view.set_maps(np.linspace(0, 2, 32).reshape(2, 4, 4))
    assert view.accessibleDescription() == "2 maps of 4×4, values from 0 to 2.00"


@pytest.mark.parametrize("maps", [None, np.zeros((0, 4, 4)), np.zeros((3, 0, 4))])
def test_without_maps_the_placeholder_is_shown(view, maps):
    view.set_placeholder("Select a layer.")
    view.set_maps(maps)
    assert view.maps is None and view.bounds is None
    assert len(np.unique(pixels_of(view).reshape(-1, 3), axis=0)) > 1
    assert view.picture().isNull() and view.values_csv() == ""


def test_weights_change_their_colours_with_the_theme(view, qapp: QApplication):
    maps = RNG.normal(size=(2, 5, 5)).astype(np.float32)
    try:
        view.set_maps(maps, kind="weight")
        apply_theme(qapp, "dark")
        assert view.colormap == "diverging-dark"
        low, high = view.bounds
        back = invert(colors_of(view), "diverging-dark", low, high)
        assert np.abs(back - maps).max() <= (high - low) / 256
    finally:
        apply_theme(qapp, "light")


def test_another_shape_forgets_cell_and_window(view):
    view.set_maps(np.zeros((2, 9, 9)))
    view.highlight(1, range(5, 8), range(5, 8))
    view.set_maps(np.zeros((1, 2, 2)))
    assert not view._highlights
    pixels_of(view)


def test_the_size_of_the_view_does_not_matter(view):
    view.set_maps(RNG.random((5, 3, 3)))
    for size in (QSize(8, 60), QSize(20, 400), QSize(400, 20), QSize(900, 700)):
        view.resize(size)
        pixels_of(view)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".csv"])
def test_a_saved_picture_holds_the_colours_and_a_saved_table_the_numbers(view, tmp_path, suffix):
    maps = RNG.normal(size=(2, 6, 6)).astype(np.float32)
    view.set_maps(maps)
    path = tmp_path / f"maps{suffix}"
    save_picture(view, path, 1.0)
    if suffix == ".csv":
        assert path.read_text() == view.values_csv()
        return
    image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB888)
    image = image.scaled(view.picture_size())  # Qt reads an SVG at 90 dots an inch
    for place in ((0, 0, 0), (0, 5, 5), (1, 3, 2)):
        at = view.cell_rect(*place).center()
        color = image.pixelColor(int(at.x()), int(at.y()))
        value = invert(np.array([[color.red(), color.green(), color.blue()]], np.uint8), "viridis", *view.bounds)[0]
        assert abs(value - maps[place]) < 0.05


def test_where_a_file_cannot_be_written_the_error_says_so(view, tmp_path):
    view.set_maps(np.zeros((1, 2, 2)))
    with pytest.raises(OSError, match="nowhere"):
        save_picture(view, tmp_path / "nowhere" / "maps.png")
