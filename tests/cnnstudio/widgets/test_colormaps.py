"""Colour maps: tables, ranges, colours of values, and the way back that proves pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnnstudio.widgets.colormaps import (
    COLORMAPS,
    DIVERGING,
    NAN_COLOR,
    colorize,
    colorize_packed,
    default_colormap,
    invert,
    lut,
    pack_rgb,
    value_range,
    value_ranges,
)

FINITE = st.floats(-100, 100, width=32)


def luminance(rgb: np.ndarray) -> np.ndarray:
    linear = np.where(rgb / 255 <= 0.04045, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("name", COLORMAPS)
def test_every_map_is_a_read_only_table_without_the_colour_of_nan(name: str):
    table = lut(name)
    assert table.shape == (256, 3) and table.dtype == np.uint8
    assert not table.flags.writeable
    assert not (table == NAN_COLOR).all(axis=1).any()


def test_an_unknown_map_is_refused():
    with pytest.raises(KeyError):
        lut("rainbow")


@pytest.mark.parametrize("name", ["viridis", "magma", "cividis", "grey"])
def test_perceptual_maps_grow_steadily_lighter(name: str):
    assert (np.diff(luminance(lut(name).astype(float))) > -1e-3).all()


@pytest.mark.parametrize(("name", "sign"), [pair for name in DIVERGING for pair in ((name, -1), (f"{name}-dark", 1))])
def test_diverging_maps_are_neutral_at_zero_and_symmetric_in_lightness(name: str, sign: int):
    table = lut(name).astype(float)
    assert np.ptp(table[127:129], axis=1).max() <= 12
    away = luminance(table)
    assert (sign * np.diff(away[128:]) > -1e-3).all()
    assert (sign * np.diff(away[:128]) < 1e-3).all()
    assert table[0, 2] > table[0, 0] and table[255, 0] > table[255, 2]  # cold is negative, warm positive


# Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB: how colours look to those who lack one kind of cones.
SEEN = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize("eyes", SEEN)
@pytest.mark.parametrize("name", [name for light in DIVERGING for name in (light, f"{light}-dark")])
def test_signs_are_told_apart_by_colour_blind_eyes(name: str, eyes: str):
    table = lut(name) / 255
    linear = np.where(table <= 0.04045, table / 12.92, ((table + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(SEEN[eyes]).T, 0, 1)
    shown = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055) * 255
    for size in (64, 127):
        assert np.linalg.norm(shown[127 - size] - shown[128 + size]) > 50


@pytest.mark.parametrize("name", COLORMAPS)
@given(values=arrays(np.float32, (3, 4), elements=FINITE))
def test_the_way_back_gives_the_values_to_half_a_bin(name: str, values: np.ndarray):
    low, high = -100.0, 100.0
    back = invert(colorize(values, name, low, high), name, low, high)
    # Some tables repeat a colour in neighbouring rows or, as the flat mask map, over several.
    table, bins = lut(name), 1
    while bins < 256 and len(np.unique(table[::bins], axis=0)) < len(table[::bins]):
        bins += 1
    assert np.abs(back - values).max() <= (high - low) / 256 * (bins + 1) / 2 + 1e-3


def test_values_outside_the_range_take_the_end_colours():
    rgb = colorize(np.array([-9.0, 9.0]), "viridis", 0.0, 1.0)
    assert (rgb == lut("viridis")[[0, 255]]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_magenta_and_comes_back_as_nan(bad: float):
    values = np.array([[0.1, bad], [0.5, 0.9]])
    rgb = colorize(values, "viridis", 0.0, 1.0)
    assert (rgb[0, 1] == NAN_COLOR).all()
    back = invert(rgb, "viridis", 0.0, 1.0)
    assert np.isnan(back[0, 1]) and np.isfinite(np.delete(back.ravel(), 1)).all()


def test_packed_colours_are_the_same_colours():
    values = np.random.default_rng(0).normal(size=(2, 5, 7)).astype(np.float32)
    values[1, 2, 3] = np.nan
    packed = np.zeros(values.shape, np.uint32)
    colorize_packed(values, "diverging", -2.0, 2.0, packed)
    rgb = colorize(values, "diverging", -2.0, 2.0).astype(np.uint32)
    assert (packed == (0xFF000000 | rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2])).all()


def test_each_map_may_have_its_own_range():
    maps = np.stack([np.linspace(0, 1, 4).reshape(2, 2), np.linspace(0, 50, 4).reshape(2, 2)])
    packed = np.zeros(maps.shape, np.uint32)
    low, high = value_ranges(maps, "activation")
    colorize_packed(maps, "viridis", low.reshape(-1, 1, 1), high.reshape(-1, 1, 1), packed)
    assert (packed[0] == packed[1]).all()


def test_colour_pictures_keep_their_channels():
    rgb = np.zeros((1, 1, 3, 3), np.float32)
    rgb[0, 0] = np.eye(3)
    packed = np.zeros((1, 1, 3), np.uint32)
    pack_rgb(rgb, 0.0, 1.0, packed)
    assert [hex(int(c)) for c in packed.ravel()] == ["0xffff0000", "0xff00ff00", "0xff0000ff"]


@given(values=arrays(np.float32, (2, 3), elements=FINITE))
def test_weights_are_centred_on_zero(values: np.ndarray):
    low, high = value_range(values, "weight")
    assert low == -high and low < high
    assert high == max(np.abs(values).max(), 0) or not values.any()


@pytest.mark.parametrize("kind", ["activation", "weight", "mask", "image"])
@pytest.mark.parametrize(
    "values", [np.zeros((2, 2)), np.full((2, 2), 5.0), np.full((1, 1), np.nan), np.zeros((0, 3)), np.full(3, np.inf)]
)
def test_every_array_has_a_range_with_extent(kind, values: np.ndarray):
    low, high = value_range(values, kind)
    assert np.isfinite([low, high]).all() and low < high


def test_the_range_ignores_what_is_not_finite():
    assert value_range(np.array([1.0, np.nan, 3.0, -np.inf]), "activation") == (1.0, 3.0)


def test_weights_in_the_dark_get_the_map_with_a_dark_middle():
    assert default_colormap("weight", dark=True) == "diverging-dark"
    assert default_colormap("weight") == "diverging"
    assert default_colormap("activation", dark=True) == "viridis"


@pytest.mark.parametrize("kind", ["activation", "weight", "mask", "image"])
@pytest.mark.parametrize(
    "values", [[0.5, -2.0, 1.0], [3.0, 3.0], [0.0], [-1.0, -1.0], [np.nan, 1.0, 2.0], [np.inf, -4.0, 1.0], [np.nan], []]
)
def test_one_map_has_the_range_that_it_has_among_many(kind, values):
    array = np.array(values, np.float32)
    lows, highs = value_ranges(array[np.newaxis], kind)
    assert value_range(array, kind) == (lows[0], highs[0])
