"""Colour maps: from values to colours, and back again so that tests can prove that pixels are arrays."""

import math
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QT_TRANSLATE_NOOP

Kind = Literal["activation", "weight", "mask", "image", "counts"]
Lut = NDArray[np.uint8]
Bounds = NDArray[np.float64]

NAN_COLOR = (255, 0, 255)
"""Magenta, which no map below contains: the colour of NaN and of both infinities."""

COLORMAPS = {
    "viridis": QT_TRANSLATE_NOOP("Colormaps", "Viridis"),
    "magma": QT_TRANSLATE_NOOP("Colormaps", "Magma"),
    "cividis": QT_TRANSLATE_NOOP("Colormaps", "Cividis"),
    "grey": QT_TRANSLATE_NOOP("Colormaps", "Grey"),
    "diverging": QT_TRANSLATE_NOOP("Colormaps", "Blue – red"),
    "diverging-dark": QT_TRANSLATE_NOOP("Colormaps", "Blue – red"),
    "diverging-purple": QT_TRANSLATE_NOOP("Colormaps", "Purple – orange"),
    "diverging-purple-dark": QT_TRANSLATE_NOOP("Colormaps", "Purple – orange"),
    "diverging-teal": QT_TRANSLATE_NOOP("Colormaps", "Teal – brown"),
    "diverging-teal-dark": QT_TRANSLATE_NOOP("Colormaps", "Teal – brown"),
    "mask": QT_TRANSLATE_NOOP("Colormaps", "Mask"),
    "mask-dark": QT_TRANSLATE_NOOP("Colormaps", "Mask"),
    "counts": QT_TRANSLATE_NOOP("Colormaps", "Counts"),
    "counts-dark": QT_TRANSLATE_NOOP("Colormaps", "Counts"),
}
"""Name of every map and its title for a menu (context "Colormaps")."""

# Each of these pairs tells the signs apart for every common colour blindness, lightness the sizes for everyone; in the dark
# theme 0 is dark.
_STOPS: dict[str, list[tuple[float, str]]] = {
    "diverging": [(0, "#0b3c8c"), (0.25, "#4f86d6"), (0.5, "#fbfbfb"), (0.75, "#e0605a"), (1, "#9c0f1c")],
    "diverging-dark": [(0, "#9cc9ff"), (0.25, "#2f74c8"), (0.5, "#15171b"), (0.75, "#c2402f"), (1, "#ffb39c")],
    "diverging-purple": [(0, "#3f1d78"), (0.25, "#8a73c0"), (0.5, "#fbfbfb"), (0.75, "#e08a2e"), (1, "#7f3b08")],
    "diverging-purple-dark": [(0, "#cbb8ff"), (0.25, "#7452b8"), (0.5, "#15171b"), (0.75, "#b5651d"), (1, "#ffc27d")],
    "diverging-teal": [(0, "#00443a"), (0.25, "#4fae9f"), (0.5, "#fbfbfb"), (0.75, "#c08a3e"), (1, "#5a3406")],
    "diverging-teal-dark": [(0, "#9ff0e0"), (0.25, "#1f8a7a"), (0.5, "#15171b"), (0.75, "#9a6a24"), (1, "#ffd79a")],
    "mask": [(0, "#e6e9ee"), (1, "#0b8074")],
    "mask-dark": [(0, "#2f3640"), (1, "#3ecdb9")],
    "grey": [(0, "#000000"), (1, "#ffffff")],
    # A few of hundreds must be seen: 0 is like the ground, the next bin is not, and from there it goes as the square root.
    "counts": [(0, "#f3f5f8"), (1 / 255, "#b9dcd6"), (1 / 16, "#92c6be"), (1 / 4, "#5fa99f"), (9 / 16, "#2b857a"),
               (1, "#003d36")],
    "counts-dark": [(0, "#2a3037"), (1 / 255, "#2b524f"), (1 / 16, "#2f6f69"), (1 / 4, "#37968b"), (9 / 16, "#5fc4b5"),
                    (1, "#c9fff4")],
}


@lru_cache
def lut(name: str) -> Lut:
    """The map `name` as a read-only (256, 3) uint8 table; KeyError for a name not in `COLORMAPS`."""
    COLORMAPS[name]
    if name in _STOPS:
        at = np.linspace(0.0, 1.0, 256)
        places = [place for place, _ in _STOPS[name]]
        rgb = np.array([[int(color[i : i + 2], 16) for i in (1, 3, 5)] for _, color in _STOPS[name]], float)
        table = np.stack([np.interp(at, places, rgb[:, i]) for i in range(3)], axis=1).round().astype(np.uint8)
    else:
        import pyqtgraph as pg  # here, because it takes longer to load than the rest of the window

        table = np.ascontiguousarray(pg.colormap.get(name).getLookupTable(nPts=256, mode="byte")[:, :3])
    table.setflags(write=False)
    return table


@lru_cache
def _packed(name: str) -> NDArray[np.uint32]:
    rgb = lut(name).astype(np.uint32)
    table = (0xFF000000 | rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2]).astype(np.uint32)
    table.setflags(write=False)
    return table


SEQUENTIAL = ("viridis", "magma", "cividis", "grey")
"""The maps that suit activations; the first is the default. All but grey are made for colour-blind eyes, too."""
DIVERGING = ("diverging", "diverging-purple", "diverging-teal")
"""The maps that suit signed numbers, on a light ground; the first is the default."""
CHOICES: dict[Kind, tuple[str, ...]] = {"activation": SEQUENTIAL, "weight": DIVERGING}
"""The maps that the user can choose from; those of weights are for gradients, deltas and contributions, too."""
_chosen: dict[Kind, str] = {kind: names[0] for kind, names in CHOICES.items()}


def choose_colormap(kind: Kind, name: str) -> None:
    """Show a kind of array in another map from now on; ValueError for one that does not suit it."""
    if name not in CHOICES[kind]:
        raise ValueError(f"{name} is none of {CHOICES[kind]}")
    _chosen[kind] = name


def default_colormap(kind: Kind, *, dark: bool = False) -> str:
    """The name of the map for a kind of array, on a light or a dark ground: the chosen one for activations and signed numbers."""
    if kind == "image":
        return "grey"
    name = _chosen.get(kind, kind)
    return f"{name}-dark" if dark and kind != "activation" else name


def sign_colors(*, dark: bool = False) -> tuple[str, str]:
    """The colours of a negative and a positive number of half the largest size, as "#rrggbb", where only the sign is shown."""
    table = lut(default_colormap("weight", dark=dark))
    negative, positive = (f"#{bytes(table[row]).hex()}" for row in (64, 191))
    return negative, positive


def value_range(array: NDArray[np.generic], kind: Kind) -> tuple[float, float]:
    """The finite range (low, high) to colour one array with: centred on 0 for weights, 0 to 1 for masks.

    A range without extent (a constant or empty array) is widened, so that low < high always holds.
    """
    if kind != "mask" and array.size:
        low, high = float(array.min()), float(array.max())
        if math.isfinite(low) and math.isfinite(high):  # as nearly always: without the arrays of many ranges
            if kind == "weight":
                high = max(abs(low), abs(high)) or 1.0
                return -high, high
            return low, high if high > low else low + max(1.0, abs(low) * 1e-3)
    lows, highs = value_ranges(array[np.newaxis], kind)
    return float(lows[0]), float(highs[0])


def value_ranges(maps: NDArray[np.generic], kind: Kind) -> tuple[Bounds, Bounds]:
    """The range of each of N maps (N, …) on its own: two arrays (N,), as `value_range` gives for one."""
    count = len(maps)
    if kind == "mask" or maps.size == 0:
        return np.zeros(count), np.ones(count)
    flat = maps.reshape(count, -1)
    low, high = flat.min(axis=1).astype(float), flat.max(axis=1).astype(float)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):  # NaN and Inf are extremes wherever they are
        finite = np.isfinite(flat)
        some = finite.any(axis=1)
        low = np.where(some, np.where(finite, flat, np.inf).min(axis=1), 0.0)
        high = np.where(some, np.where(finite, flat, -np.inf).max(axis=1), 0.0)
    if kind == "weight":
        high = np.maximum(np.abs(low), np.abs(high))
        high[high == 0.0] = 1.0
        return -high, high
    return low, np.where(high > low, high, low + np.maximum(1.0, np.abs(low) * 1e-3))


def indices(array: NDArray[np.generic], low: float | Bounds, high: float | Bounds) -> NDArray[np.uint8]:
    """The row of the table for each value: 256 equal bins over [low, high], clipped; NaN gives 0.

    Bounds are numbers, or arrays that broadcast against the values (one range per map).
    """
    scaled = np.subtract(array, low, dtype=np.float32)
    np.multiply(scaled, 256.0 / (high - low), out=scaled, casting="same_kind")
    # In two steps, which begin sooner than `np.clip`: most pictures are small.
    np.maximum(scaled, 0.0, out=scaled)
    np.minimum(scaled, 255.0, out=scaled)
    if not np.isfinite(scaled.sum()):
        np.nan_to_num(scaled, copy=False)
    return scaled.astype(np.uint8)


def colorize(array: NDArray[np.generic], name: str, low: float, high: float) -> NDArray[np.uint8]:
    """Colours (…, 3) uint8 of values by the map `name` over [low, high]; NaN and Inf in magenta."""
    rgb = lut(name)[indices(array, low, high)]
    if not np.isfinite(array).all():
        rgb[~np.isfinite(array)] = NAN_COLOR
    return rgb


def colorize_packed(
    array: NDArray[np.generic], name: str, low: float | Bounds, high: float | Bounds, out: NDArray[np.uint32]
) -> None:
    """Write the colours as 0xffRRGGBB into `out` (of the array's shape): what a QImage takes as it is."""
    # mode="clip" only spares `take` its buffering: the indices are uint8 and always inside.
    _packed(name).take(indices(array, low, high), out=out, mode="clip")
    mark_nonfinite(array, out)


def pack_rgb(array: NDArray[np.generic], low: float | Bounds, high: float | Bounds, out: NDArray[np.uint32]) -> None:
    """Write RGB values (…, 3) over [low, high] as 0xffRRGGBB into `out` (…)."""
    rgb = indices(array, low, high).astype(np.uint32)
    np.bitwise_or(rgb[..., 0] << 16 | rgb[..., 1] << 8, rgb[..., 2] | np.uint32(0xFF000000), out=out)
    mark_nonfinite(array, out)


def mark_nonfinite(array: NDArray[np.generic], out: NDArray[np.uint32]) -> None:
    """Paint magenta over the cells of `out` whose value (or one of whose channels) is NaN or infinite."""
    finite = np.isfinite(array)
    if not finite.all():
        bad = ~finite if finite.shape == out.shape else ~finite.all(axis=-1)
        out[bad] = 0xFF000000 | NAN_COLOR[0] << 16 | NAN_COLOR[1] << 8 | NAN_COLOR[2]


def invert(rgb: NDArray[np.uint8], name: str, low: float, high: float) -> NDArray[np.float64]:
    """The values (…) of colours (…, 3): the middle of the nearest table row's bin; magenta gives NaN.

    Exact to half a bin, (high − low) / 512, for values inside [low, high] and maps without repeated colours.
    """
    flat = rgb.reshape(-1, 3).astype(np.int32)
    colors, where = np.unique(flat, axis=0, return_inverse=True)
    distance = ((colors[:, None, :] - lut(name).astype(np.int32)[None]) ** 2).sum(axis=2)
    # Neighbouring rows may share a colour; their mean is then the fairest answer.
    ties = distance == distance.min(axis=1, keepdims=True)
    row = (ties * np.arange(256)).sum(axis=1) / ties.sum(axis=1)
    values = low + (row + 0.5) * (high - low) / 256.0
    values[(colors == NAN_COLOR).all(axis=1)] = np.nan
    return values[where.reshape(-1)].reshape(rgb.shape[:-1])
