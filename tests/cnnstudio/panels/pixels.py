"""What a person sees, turned back into numbers; and the session's network, built anew from its weights as an oracle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from cnnstudio.mainwindow import MainWindow
from cnnstudio.studio import Studio
from cnnstudio.theme import current_theme
from cnnstudio.widgets.colormaps import invert
from cnnstudio.widgets.curve_plot import CurvePlot
from cnnstudio.widgets.map_view import MapView
from cnnstudio.widgets.number_grid import NumberGrid
from cnnstudio.widgets.numbers import parse_number
from engine.network import Network

Floats = NDArray[np.floating]


def network_of(studio: Studio) -> Network:
    """The session's network, built anew from its weights, without fast plans."""
    checkpoint = studio.controller.checkpoint_now(5)
    assert checkpoint is not None and studio.data is not None
    network = Network(studio.document.spec, fast=False)
    network.parameters.flat[...] = checkpoint.parameters
    network.fit_input(studio.data.train.images, studio.data.value_range)
    return network


def outputs_of(network: Network, image: NDArray[np.generic]) -> dict[str, Floats]:
    """Every layer's output for one image, by the id of the layer."""
    lane = network.forward_sample(image)
    return {p.node.id: lane.workspaces[p.index].y[0].copy() for p in network.placed}


def enlarge(window: MainWindow, name: str, width: int = 900, height: int = 500) -> None:
    """Give a panel room enough that every cell is in sight."""
    window.resize(1600, 1000)
    window.docks[name].setFloating(True)
    window.docks[name].resize(width, height)
    window.docks.bring_up(name)


def pixels_of(widget: QWidget) -> tuple[NDArray[np.uint8], float]:
    """(colours (H, W, 3) of what is painted, device pixels for a logical one)."""
    picture = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), -1)
    pixels = flat[:, : picture.width() * 3].reshape(picture.height(), picture.width(), 3)
    return pixels.copy(), picture.devicePixelRatio()


def color_in(pixels: NDArray[np.uint8], box: QRectF | QRect, scale: float) -> NDArray[np.uint8]:
    """The colour of a cell: a quarter from its corner, where neither numbers nor lines are drawn."""
    box = QRectF(box)
    assert box.left() >= 0 and box.right() * scale <= pixels.shape[1] + 1 and box.top() >= 0, "out of sight"
    return pixels[int((box.top() + box.height() / 4) * scale), int((box.left() + box.width() / 4) * scale)]


def colors_on_screen(view: MapView) -> NDArray[np.uint8]:
    """The colour of every cell, (N, H, W, 3), of what is painted; all cells must be in sight and plain."""
    pixels, scale = pixels_of(view.viewport())
    assert view.maps is not None
    shape = view.maps.shape[:3]
    colors = np.zeros((*shape, 3), np.uint8)
    for place in np.ndindex(*shape):
        colors[place] = color_in(pixels, view.cell_rect(*place), scale)
    return colors


def values_on_screen(view: MapView, low: float, high: float) -> NDArray[np.float64]:
    """The value of every cell as its colour tells it over [low, high]."""
    return invert(colors_on_screen(view), view.colormap, low, high)


def assert_shows(view: MapView, expected: NDArray[np.generic], low: float | None = None, high: float | None = None) -> None:
    """The picture's colours are the expected numbers over [low, high], by default the least and largest of them.

    Diverging maps reach over ± the largest size. A colour tells a value to 1/256 of the range; two are allowed for.
    """
    expected = np.asarray(expected, float)
    if low is None or high is None:
        low, high = float(expected.min()), float(expected.max())
        if view.colormap.startswith("diverging"):
            high = max(abs(low), abs(high))
            low = -high
    # Colours alone would not tell a picture from the same picture scaled.
    np.testing.assert_allclose(view.bounds, (low, high), rtol=1e-4, atol=1e-6)
    found = values_on_screen(view, low, high)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 2 / 256 * (high - low)


def assert_grid(grid: NumberGrid, expected: NDArray[np.generic], colormap: str, low: float, high: float) -> None:
    """Every cell has the colour and the text of its number; texts are rounded to what three digits tell."""
    pixels, scale = pixels_of(grid)
    for place in np.ndindex(*expected.shape):
        corner = grid.cell_rect(*place).topLeft() * scale
        color = pixels[corner.y() + 3, corner.x() + 3]  # between the line and the number
        assert abs(invert(color[None], colormap, low, high)[0] - expected[place]) <= 2 / 256 * (high - low)
        number = parse_number(grid.text(*place))
        assert number is not None and abs(number - expected[place]) <= 0.005 * max(1.0, abs(low), abs(high))


def assert_curves(plot: CurvePlot, expected: dict[str, tuple[NDArray[np.generic], NDArray[np.generic]]]) -> None:
    """Every line is painted where its (steps, values in axis coordinates) lie, column by column, and nothing of its colour
    elsewhere.

    Columns in which two lines come close to each other are left out; most of three lines may be such.
    """
    plot._redraw()
    pixels, scale = pixels_of(plot.chart)
    area = plot.chart.plot_rect
    bottom = int(area.bottom() * scale)
    columns = np.arange(int(area.left() * scale) + 2, int(area.right() * scale) - 2)
    paths = {}
    for name, (steps, values) in expected.items():
        view = plot.chart._views[plot._curves[name].style.axis]
        points = [view.mapViewToScene(QPointF(x, y)) for x, y in zip(steps, values, strict=True)]  # its corner is the chart's
        xs, ys = (np.array([get(point) * scale for point in points]) for get in (QPointF.x, QPointF.y))
        inside = (columns >= xs[0]) & (columns <= xs[-1])
        paths[name] = np.where(inside, np.interp(columns, xs, ys), np.nan)
    compared = 0
    ground = np.array(current_theme().color("surface").getRgb()[:3], float)
    for name, path in paths.items():
        ink = np.array(plot._curves[name].style.ink().getRgb()[:3], float)
        far = np.abs(pixels[:, columns].astype(float) - ink).sum(axis=-1) / np.abs(ground - ink).sum()
        others = [np.abs(other - path) for key, other in paths.items() if key != name]
        clear = np.isfinite(path) & np.all([~(gap < 5) for gap in others] or [np.full(len(path), True)], axis=0)
        compared += int(clear.sum())
        slope = np.nan_to_num(np.abs(np.gradient(path)))
        for at in np.flatnonzero(clear):
            reach = 1.5 + slope[at]
            low, high = int(path[at] - reach), int(path[at] + reach) + 1
            assert far[max(low, 0) : high + 1, at].min() < 0.5, (name, at, path[at])
            painted = np.flatnonzero(far[:bottom, at] < 0.1)
            assert np.abs(painted - path[at]).max(initial=0) <= 2.5 + 2 * slope[at], (name, at, path[at], painted)
    assert compared > 0.3 * sum(np.isfinite(path).sum() for path in paths.values())
