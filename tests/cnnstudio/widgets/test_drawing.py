"""A drawing becomes an array in the manner of a data set; the pad takes strokes and pictures."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent, QGuiApplication, QImage

from cnnstudio.widgets.draw_pad import DrawPad
from cnnstudio.widgets.drawing import MNIST, Manner, as_ink, fit_drawing, manner_of, resample
from cnnstudio.widgets.picture_input import read_picture


def block(height: int, width: int, top: int, left: int, side: int = 280) -> np.ndarray:
    ink = np.zeros((side, side), np.float32)
    ink[top : top + height, left : left + width] = 1.0
    return ink


@given(height=st.integers(8, 150), width=st.integers(8, 150), top=st.integers(0, 120), left=st.integers(0, 120))
def test_size_and_place_of_the_drawing_do_not_matter(height, width, top, left):
    out = fit_drawing(block(height, width, top, left), 28, 28)
    rows, cols = np.nonzero(out > 0.05)
    tall, wide = np.ptp(rows) + 1, np.ptp(cols) + 1
    assert max(tall, wide) == 20
    mass = out.sum()
    assert (out.sum(axis=1) @ np.arange(28)) / mass == pytest.approx(13.5, abs=0.5)
    assert (out.sum(axis=0) @ np.arange(28)) / mass == pytest.approx(13.5, abs=0.5)
    assert out.dtype == np.float32 and out.min() >= 0 and out.max() <= 1


def test_the_centre_of_mass_not_of_the_box_is_in_the_middle():
    ink = block(150, 20, 60, 60)
    ink[60:80, 60:150] = 1.0  # a 7: more ink at the top
    out = fit_drawing(ink, 28, 28)
    rows = np.nonzero((out > 0.05).any(axis=1))[0]
    assert rows.mean() > 13.5


def test_ink_is_never_pushed_over_the_edge():
    ink = block(270, 2, 5, 5)
    ink[270:275, 5:270] = 1.0
    assert fit_drawing(ink, 28, 28).sum() == pytest.approx(resample(ink[5:275, 5:270], 20, 20).sum(), rel=1e-5)


def test_an_empty_drawing_gives_zeros():
    assert not fit_drawing(np.zeros((280, 280), np.float32), 8, 8).any()


@given(box=st.sampled_from([0.5, 0.75, 1.0]), row=st.sampled_from([0.4, 0.5, 0.6]), dark=st.booleans())
def test_a_drawing_lies_where_those_of_the_data_set_lie(box, row, dark):
    drawings = [fit_drawing(block(200, width, 10, 40), 24, 24, Manner(box, row, 0.5)) for width in range(40, 200, 10)]
    data = np.stack([1.0 - drawing if dark else drawing for drawing in drawings])
    found = manner_of(data)
    assert found.dark == dark and found.box == pytest.approx(box, abs=0.05) and found.column == pytest.approx(0.5, abs=0.03)
    again = fit_drawing(block(100, 60, 150, 10), 24, 24, found)
    rows = np.flatnonzero((again > 0.05).any(axis=1))
    middle = (again.sum(axis=1) @ (np.arange(24) + 0.5)) / again.sum() / 24
    assert len(rows) == pytest.approx(24 * box, abs=1) and (box == 1.0 or middle == pytest.approx(row, abs=0.07))


def test_a_data_set_without_ink_is_taken_for_mnist():
    assert manner_of(np.zeros((5, 8, 8), np.float32)) == MNIST == manner_of(np.zeros((0, 8, 8), np.float32))


@pytest.mark.parametrize("target", [(28, 28), (8, 8), (32, 32), (28, 20)])
def test_any_target_size_is_served(target):
    out = fit_drawing(block(100, 60, 10, 200), *target)
    assert out.shape == target and out.max() > 0.9


@pytest.mark.parametrize("size", [(20, 13), (7, 7), (28, 13), (140, 91)])
def test_resampling_down_agrees_with_pillow(size):
    image = np.random.default_rng(0).random((140, 91)).astype(np.float32)
    theirs = np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BOX))
    assert np.abs(resample(image, *size) - theirs).max() < 1e-5


@pytest.mark.parametrize("size", [(9, 9), (27, 31), (1, 1), (200, 100)])
def test_resampling_keeps_the_mean(size):
    image = np.random.default_rng(0).random((140, 91)).astype(np.float32)
    assert resample(image, *size).mean() == pytest.approx(image.mean(), rel=1e-5)


def test_dark_on_light_is_turned_into_ink():
    paper = np.ones((10, 10), np.float32)
    paper[4:6, 4:6] = 0.0
    assert as_ink(paper).sum() == 4.0
    assert as_ink(1.0 - paper).sum() == 4.0


@pytest.mark.parametrize(("paper", "pen"), [(0.9, 0.3), (0.7, 0.1), (0.15, 0.8)])
def test_the_grain_of_paper_is_no_ink(paper, pen):
    scan = paper + np.random.default_rng(0).uniform(-0.02, 0.02, (60, 60))
    scan[20:40, 28:32] = pen
    ink = as_ink(scan.astype(np.float32))
    rows, cols = np.nonzero(ink > 0.02)
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (20, 39, 28, 31)
    assert ink.max() == 1.0 and ink[20:40, 28:32].min() > 0.9


@pytest.mark.parametrize("grey", [0.0, 0.5, 1.0])
def test_a_picture_with_nothing_on_it_is_empty(grey):
    assert not as_ink(np.full((10, 10), grey, np.float32)).any()


@pytest.fixture
def pad(qtbot) -> DrawPad:
    widget = DrawPad()
    widget.resize(200, 200)
    qtbot.addWidget(widget)
    widget.show()
    return widget


def stroke(pad: DrawPad, qtbot, *points: tuple[int, int]) -> None:
    qtbot.mousePress(pad, Qt.MouseButton.LeftButton, pos=QPoint(*points[0]))
    for point in points[1:]:
        qtbot.mouseMove(pad, QPoint(*point))
    qtbot.mouseRelease(pad, Qt.MouseButton.LeftButton, pos=QPoint(*points[-1]))


def test_a_stroke_sends_the_array(pad, qtbot):
    with qtbot.waitSignal(pad.drawn) as told:
        stroke(pad, qtbot, (100, 40), (100, 160))
    (array,) = told.args
    assert array.shape == (28, 28) and array.dtype == np.float32
    stroke(pad, qtbot, (60, 40), (100, 40))
    assert pad.array().sum() > 10


def test_a_single_dot_is_ink(pad, qtbot):
    stroke(pad, qtbot, (100, 100))
    assert pad.array().max() > 0.9


def test_undo_takes_back_stroke_after_stroke(pad, qtbot):
    stroke(pad, qtbot, (100, 40), (100, 160))
    one = pad.array()
    stroke(pad, qtbot, (40, 40), (160, 40))
    assert (pad.array() != one).any()
    qtbot.keyClick(pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (pad.array() == one).all()
    qtbot.keyClick(pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert pad.is_empty and not pad.array().any()


def test_clearing_sends_zeros(pad, qtbot):
    stroke(pad, qtbot, (100, 40), (100, 160))
    with qtbot.waitSignal(pad.drawn) as told:
        qtbot.keyClick(pad, Qt.Key.Key_Delete)
    assert not told.args[0].any()


def picture() -> QImage:
    image = QImage(60, 40, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    for y in range(10, 30):
        for x in range(28, 32):
            image.setPixelColor(x, y, QColor("black"))
    return image


def test_a_pasted_picture_of_dark_on_light_becomes_the_drawing(pad, qtbot):
    QGuiApplication.clipboard().setImage(picture())
    with qtbot.waitSignal(pad.drawn) as told:
        qtbot.keyClick(pad, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    (array,) = told.args
    assert array[14, 13:15].min() > 0.9 and array[:, :8].max() == 0
    rows = np.nonzero((array > 0.05).any(axis=1))[0]
    assert len(rows) == 20


def test_a_dropped_picture_file_becomes_the_drawing(pad, qtbot, tmp_path):
    picture().save(str(tmp_path / "one.png"))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "one.png"))])
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    pad.dropEvent(event)
    assert not pad.is_empty and pad.array().max() > 0.9


@pytest.mark.parametrize("ink", ["white", "black"])
def test_ink_on_transparent_ground_is_seen_whatever_its_colour(pad, ink):
    image = QImage(60, 60, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    for y in range(10, 50):
        for x in range(26, 34):
            image.setPixelColor(x, y, QColor(ink))
    pad.set_picture(image)
    rows, cols = np.nonzero(pad.array() > 0.5)
    assert np.ptp(rows) == 19 and np.ptp(cols) == 3


def test_a_photograph_is_made_small_before_it_is_looked_at(pad):
    image = picture().scaled(4000, 4000)
    tracemalloc.start()
    pad.set_picture(image)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 64 * 2**20 and pad.array().max() > 0.9


def test_a_photograph_stands_upright(tmp_path):
    image = Image.new("L", (60, 40), 255)
    exif = image.getexif()
    exif[0x112] = 6  # the camera was turned by 90°
    image.save(tmp_path / "a.jpg", exif=exif)
    assert (read_picture(str(tmp_path / "a.jpg")).width(), read_picture(str(tmp_path / "a.jpg")).height()) == (40, 60)


def test_a_damaged_picture_file_is_refused_aloud(pad, qtbot, tmp_path):
    picture().save(str(tmp_path / "whole.png"))
    path = tmp_path / "half.png"
    path.write_bytes((tmp_path / "whole.png").read_bytes()[:80])
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    with qtbot.waitSignal(pad.unreadable) as told:
        pad.dropEvent(event)
    assert told.args == [str(path)] and pad.is_empty


def test_what_is_no_picture_is_not_taken(pad):
    QGuiApplication.clipboard().setText("seven")
    pad.paste()
    assert pad.is_empty


def test_the_pad_shows_the_ink(pad, qtbot):
    stroke(pad, qtbot, (100, 40), (100, 160))
    shown = pad.grab().toImage()
    assert shown.pixelColor(100, 100).lightness() > 250
    assert shown.pixelColor(150, 100).lightness() < 5
