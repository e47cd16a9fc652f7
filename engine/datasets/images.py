"""From an array of images in any usual layout and type to N × C × H × W of uint8 or float32."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.datasets.dataset import Array, times
from engine.errors import DataError, Fix

MAX_CHANNELS = 4
_USUAL_RANGES = ((0.0, 1.0), (0.0, 16.0), (0.0, 255.0), (-1.0, 1.0))


def as_images(array: Array, path: str, size: tuple[int, int] = (0, 0)) -> Array:
    """The images as C-contiguous (N, C, H, W), values unchanged; `path` is for messages.

    Accepted: (N, C, H, W) and (N, H, W, C) with up to four channels, (N, H, W), and rows (N, C·H·W) of
    `size`, or square if no size is given. Whole numbers 0..255 become uint8, everything else float32.
    """
    if array.dtype.kind not in "buif":
        raise DataError(
            "{path}: the images are no numbers but {dtype}.",
            code="data.images",
            path=path,
            dtype=str(array.dtype),
        )
    if array.size == 0:
        raise DataError("{path}: there are no images ({shape}).", code="data.empty", path=path, shape=times(array.shape))
    if array.ndim == 2:
        array = _unflatten(array, path, size)
    elif array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[1] > MAX_CHANNELS >= array.shape[3]:
        array = np.moveaxis(array, 3, 1)
    if array.ndim != 4 or array.shape[1] > MAX_CHANNELS:
        raise DataError(
            "{path}: the images have the shape {shape}. Known are N × H × W, N × C × H × W and N × H × W × C "
            "with at most {most} channels, and rows of numbers.",
            code="data.images",
            path=path,
            shape=times(array.shape),
            most=MAX_CHANNELS,
        )
    return _as_published_type(array, path)


def _unflatten(rows: Array, path: str, size: tuple[int, int]) -> Array:
    """Rows of pixels, channel by channel, as (N, C, H, W)."""
    pixels = rows.shape[1]
    side = math.isqrt(pixels)
    height, width = size if all(size) else (side, side)
    channels, rest = divmod(pixels, height * width)
    if rest or not 1 <= channels <= MAX_CHANNELS or (not all(size) and channels != 1):
        raise DataError(
            "{path}: {pixels} numbers an image do not make {height} × {width} pixels ({height} · {width} = {area}).",
            code="data.row_length",
            path=path,
            pixels=pixels,
            height=height,
            width=width,
            area=height * width,
            fixes=_size_fixes(pixels),
        )
    return rows.reshape(len(rows), channels, height, width)


def _size_fixes(pixels: int) -> tuple[Fix, ...]:
    """The sizes that fit: three square colour planes, then the most nearly square grey image."""
    sizes = []
    side = math.isqrt(pixels // 3)
    if pixels == 3 * side * side:
        sizes.append((side, side))
    height = next(h for h in range(math.isqrt(pixels), 0, -1) if pixels % h == 0)
    if height > 1:
        sizes.append((height, pixels // height))
    if not sizes:
        return (Fix("advice", "check which columns are pixels"),)
    return tuple(
        Fix(
            "set",
            "read them as {channels} × {height} × {width} with shape = {height} × {width}",
            {"channels": pixels // (h * w), "height": h, "width": w},
            field="shape",
            value=(h, w),
        )
        for h, w in sizes
    )


def _as_published_type(array: Array, path: str) -> Array:
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite and is reported below
            array = np.ascontiguousarray(array, np.float32)
        broken = np.flatnonzero(~np.isfinite(array).all(axis=(1, 2, 3)))
        if broken.size:
            raise DataError(
                "{path}: {count} of {total} images hold a value that is not a finite number, the first is image {first}.",
                code="data.not_finite",
                path=path,
                count=int(broken.size),
                total=len(array),
                first=int(broken[0]),
                fixes=(Fix("advice", "remove these images or replace the values"),),
            )
        return array
    fits = array.dtype.kind == "b" or (array.min() >= 0 and array.max() <= 255)
    return np.ascontiguousarray(array, np.uint8 if fits else np.float32)


def usual_range(parts: Sequence[Array]) -> tuple[float, float]:
    """The narrowest of 0..1, 0..16, 0..255 and −1..1 that holds every pixel, otherwise minimum and maximum.

    0..16 is the scale of the UCI 8×8 digits. Fixed steps, so that the range seldom changes with a few more
    images.
    """
    low = min(float(part.min()) for part in parts)
    high = max(float(part.max()) for part in parts)
    for first, last in _USUAL_RANGES:
        if first <= low and high <= last:
            return (first, last)
    return (low, high)
