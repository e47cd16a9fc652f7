"""Where maps and cells lie, and thumbnails."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage

from cnnstudio.widgets.colormaps import colorize_packed, invert, value_range
from cnnstudio.widgets.mosaic import Layout, arrange, as_maps, mosaic_thumbnail


def layout_of(count: int, height: int, width: int, room: QSize, **options: Any) -> Layout:
    settings = {"gap": 5, "margin": 3, "max_cell": 40, "min_map": 20, **options}
    return arrange((count, height, width), room, **settings)


@given(
    count=st.integers(1, 70),
    height=st.integers(1, 30),
    width=st.integers(1, 30),
    room=st.tuples(st.integers(60, 900), st.integers(60, 600)),
    caption=st.sampled_from([0, 14]),
)
def test_every_cell_lies_inside_its_map_and_is_found_again(count, height, width, room, caption):
    layout = layout_of(count, height, width, QSize(*room), caption=caption)
    bounds = layout.size
    for index in {0, count // 2, count - 1}:
        box = layout.map_rect(index)
        assert box.right() < bounds.width() and box.bottom() < bounds.height()
        for row in {0, height // 2, height - 1}:
            for col in {0, width // 2, width - 1}:
                cell = layout.cells_rect(index, range(row, row + 1), range(col, col + 1))
                if min(cell.width(), cell.height()) >= 1:
                    assert layout.hit(cell.center().x(), cell.center().y()) == (index, row, col)


def test_the_rectangles_of_all_maps_are_made_once():
    layout = layout_of(7, 5, 4, QSize(300, 200))
    assert list(layout.rects) == [layout.map_rect(index) for index in range(7)] and layout.rects is layout.rects


@given(count=st.integers(2, 40), room=st.tuples(st.integers(100, 900), st.integers(100, 600)))
def test_maps_do_not_overlap(count, room):
    layout = layout_of(count, 7, 5, QSize(*room))
    rects = [layout.map_rect(i) for i in range(count)]
    assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[:i])


@given(names=st.tuples(st.integers(0, 80), st.integers(0, 80)), height=st.integers(1, 40), width=st.integers(1, 40))
def test_names_and_tall_cells_leave_every_cell_where_it_is_found(names, height, width):
    layout = layout_of(1, height, width, QSize(500, 400), names=names, oblong=True)
    box = layout.map_rect(0)
    assert box.left() >= names[0] and box.top() >= names[1]
    assert layout.size.width() <= 500 and layout.size.height() <= 400
    for row, col in ((0, 0), (height // 2, width // 2), (height - 1, width - 1)):
        cell = layout.cells_rect(0, range(row, row + 1), range(col, col + 1))
        assert layout.hit(cell.center().x(), cell.center().y()) == (0, row, col)


def test_a_flat_matrix_fills_the_room_with_tall_cells():
    flat = layout_of(1, 10, 128, QSize(540, 290))
    tall = layout_of(1, 10, 128, QSize(540, 290), oblong=True)
    assert flat.map_height < 50 and tall.map_height > 270 and tall.map_width == flat.map_width
    assert layout_of(6, 5, 5, QSize(540, 290), oblong=True).aspect == 1.0


def test_all_maps_fit_when_they_can():
    layout = layout_of(16, 28, 28, QSize(470, 200))
    assert layout.size.width() <= 470 and layout.size.height() <= 200
    assert layout.map_width > 40


def test_cells_have_whole_pixels_and_a_largest_size():
    assert layout_of(6, 5, 5, QSize(333, 222)).cell == int(layout_of(6, 5, 5, QSize(333, 222)).cell)
    assert layout_of(1, 3, 3, QSize(2000, 2000)).cell == 40


def test_the_mosaic_grows_taller_when_maps_would_get_too_small():
    layout = layout_of(400, 8, 8, QSize(200, 100))
    assert layout.map_width >= 20
    assert layout.size.width() <= 200 < 100 * layout.rows
    assert layout.visible(0, 99).stop < 400


def test_a_picture_larger_than_the_room_shrinks_to_its_width():
    layout = layout_of(1, 224, 224, QSize(150, 400))
    assert layout.size.width() <= 150


def test_there_is_nothing_between_the_maps():
    layout = layout_of(4, 5, 5, QSize(300, 100))
    first, second = layout.map_rect(0), layout.map_rect(1)
    assert layout.hit((first.right() + second.left()) / 2, first.center().y()) is None
    assert layout.hit(-1, -1) is None
    assert layout.hit(layout.size.width() + 5, 10) is None


def test_equal_choices_go_to_the_fuller_mosaic():
    layout = layout_of(16, 1, 1, QSize(10_000, 10_000))
    assert layout.count % layout.columns == 0


@pytest.mark.parametrize("shape", [(5,), (5, 5), (2, 5, 5, 4), (1, 2, 3, 4, 5)])
def test_an_array_that_is_no_stack_of_maps_is_refused(shape):
    with pytest.raises(ValueError, match="maps must be"):
        as_maps(np.zeros(shape))


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return flat[:, : image.width() * 4].reshape(image.height(), image.width(), 4).copy()


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_thumbnail_shows_the_values(scale: float):
    maps = np.random.default_rng(0).normal(size=(6, 5, 5)).astype(np.float32)
    image = mosaic_thumbnail(maps, "weight", QSize(96, 60), device_pixel_ratio=scale)
    assert image.devicePixelRatio() == scale
    assert image.width() <= 96 * scale and image.height() <= 60 * scale
    layout = arrange((6, 5, 5), QSize(int(96 * scale), int(60 * scale)), gap=int(2 * scale), max_cell=99, min_map=1)
    shown = pixels(image)
    low, high = value_range(maps, "weight")
    for (index, row, col), value in np.ndenumerate(maps):
        at = layout.cells_rect(index, range(row, row + 1), range(col, col + 1)).center()
        color = shown[int(at.y()), int(at.x())]
        assert color[3] == 255
        assert invert(color[:3], "diverging", low, high) == pytest.approx(value, abs=(high - low) / 400)
    assert (shown[..., 3] == 0).any()  # transparent between the maps


def test_a_thumbnail_leaves_out_maps_that_would_be_too_small():
    image = mosaic_thumbnail(np.ones((512, 8, 8)), "activation", QSize(60, 40))
    assert 0 < image.width() <= 60 and image.height() <= 40


def test_of_large_maps_only_the_cells_that_are_seen_are_coloured(monkeypatch: pytest.MonkeyPatch):
    coloured = []

    def counted(values, name, low, high, out):
        coloured.append(values.size)
        colorize_packed(values, name, low, high, out)

    monkeypatch.setattr("cnnstudio.widgets.mosaic.colorize_packed", counted)
    image = mosaic_thumbnail(np.random.default_rng(0).random((64, 56, 56)), "activation", QSize(128, 56))
    assert coloured == [image.width() * image.height()]


@pytest.mark.parametrize("shape", [(7, 32, 32), (5, 40, 9), (1, 28, 28), (3, 5, 5), (20, 1, 1), (2, 8, 8, 3)])
def test_each_pixel_of_a_thumbnail_shows_the_cell_at_its_centre(shape: tuple[int, ...]):
    maps = np.random.default_rng(1).random(shape)
    image = mosaic_thumbnail(maps, "image", QSize(150, 90), 0.0, 1.0)
    layout = arrange(shape[:3], QSize(150, 90), gap=2, max_cell=16, min_map=1)
    assert image.size() == layout.size
    shown = pixels(image)
    for y, x in np.ndindex(image.height(), image.width()):
        cell = layout.hit(x, y)
        assert (shown[y, x, 3] == 255) == (cell is not None)
        if cell is not None:
            value = maps[cell] if maps.ndim == 4 else np.repeat(maps[cell], 3)
            np.testing.assert_allclose(shown[y, x, :3] / 255, value, atol=1 / 128)


def test_units_of_an_fc_layer_become_cells():
    values = np.linspace(0, 1, 84, dtype=np.float32).reshape(84, 1, 1)
    image = mosaic_thumbnail(values, "activation", QSize(96, 60))
    assert len(np.unique(pixels(image).reshape(-1, 4), axis=0)) >= 80


def test_nothing_gives_no_picture():
    assert mosaic_thumbnail(np.zeros((0, 3, 3)), "activation", QSize(50, 50)).isNull()
