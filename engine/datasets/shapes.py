"""Draws the bundled data set of coloured shapes: `python -m engine.datasets.shapes shapes32.npz`.

Ten classes of bright shapes on dark backgrounds, 32×32 pixels, RGB. Colour, position, size, direction,
proportions, the gradient of the background, its noise and small specks vary at random, so that only the
form tells the classes apart.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIDE = 32
TRAINING_IMAGES = 250
TEST_IMAGES = 50
"""Images a class."""

_FINE = 4  # drawn this many times larger and averaged down: smooth edges
_MOST_NOISE = 6.0  # standard deviation of the brightness from pixel to pixel
_STEP = 8  # colours in steps of 8 of 256: hardly visible, and the file gets much smaller
_MOST_TURN = 30.0  # degrees

Points = NDArray[np.float64]
Floats = NDArray[np.float64]
Outlines = tuple[Points, ...]
Numbers = NDArray[Any]


def _regular(corners: int, turn: float = 0.0) -> Points:
    """The corners of a regular polygon in the unit circle, (corners, 2) of x, y."""
    angle = turn + 2 * np.pi * np.arange(corners) / corners
    return np.stack([np.sin(angle), -np.cos(angle)], axis=1)


def _circle(rng: np.random.Generator) -> Outlines:
    return (_regular(64),)


def _square(rng: np.random.Generator) -> Outlines:
    return (_regular(4, np.pi / 4),)


def _triangle(rng: np.random.Generator) -> Outlines:
    return (_regular(3) * (rng.uniform(0.8, 1.0), 1.0),)


def _star(rng: np.random.Generator) -> Outlines:
    radius = np.where(np.arange(10) % 2 == 0, 1.0, rng.uniform(0.38, 0.5))
    return (_regular(10) * radius[:, None],)


def _ring(rng: np.random.Generator) -> Outlines:
    return _regular(64), _regular(64) * rng.uniform(0.45, 0.68)


def _cross(rng: np.random.Generator) -> Outlines:
    h = rng.uniform(0.2, 0.34)
    arm = np.array([(-h, -1), (h, -1), (h, -h)]) / np.hypot(1, h)
    quarter_turn = np.array([(0, 1), (-1, 0)])
    return (np.concatenate([arm @ np.linalg.matrix_power(quarter_turn, k) for k in range(4)]),)


def _heart(rng: np.random.Generator) -> Outlines:
    t = 2 * np.pi * np.arange(80) / 80
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    heart = np.stack([16 * np.sin(t) ** 3, y - 2.5], axis=1)
    return (heart / np.linalg.norm(heart, axis=1).max(),)


def _crescent(rng: np.random.Generator) -> Outlines:
    hole = _regular(64) * rng.uniform(0.78, 0.9) + (rng.uniform(0.4, 0.55), 0)
    return _regular(64), hole


def _hexagon(rng: np.random.Generator) -> Outlines:
    return (_regular(6),)


def _arrow(rng: np.random.Generator) -> Outlines:
    shaft, neck, wing = rng.uniform(0.16, 0.26), rng.uniform(-0.2, 0.1), rng.uniform(0.6, 0.75)
    half = np.array([(0, -1), (wing, neck), (shaft, neck), (shaft, 1)])
    return (np.concatenate([half, half[:0:-1] * (-1, 1)]),)


SHAPES: dict[str, Callable[[np.random.Generator], Outlines]] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "ring": _ring,
    "cross": _cross,
    "heart": _heart,
    "crescent": _crescent,
    "hexagon": _hexagon,
    "arrow": _arrow,
}
"""For each class, what draws the outline and the holes of a shape in the unit circle, y downwards."""


def draw(name: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One random image of a class, (32, 32, 3)."""
    background = _gradient(rng, 0, 120)
    pixels = background + _specks(rng) * (_vivid(rng) - background)
    pixels += _shape(name, rng) * (_vivid(rng) + _gradient(rng, -20, 20) - pixels)
    pixels += rng.uniform(0, _MOST_NOISE) * rng.standard_normal((SIDE, SIDE, 1))
    levels = np.clip(pixels, 0, 255).astype(np.uint8) // _STEP
    return levels * np.uint8(_STEP) + np.uint8(_STEP // 2)


def _gradient(rng: np.random.Generator, darkest: float, brightest: float) -> Floats:
    """(32, 32, 3): one colour passes into another in a random direction."""
    first, last = rng.uniform(darkest, brightest, (2, 3))
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    along = (x * np.cos(angle) + y * np.sin(angle)) / 2 / np.sqrt(2) + 0.5
    gradient: Floats = first + along[:, :, None] * (last - first)
    return gradient


def _vivid(rng: np.random.Generator) -> Floats:
    """A random strong colour, (3,): one channel bright, one middling, one anything, in any order."""
    colour: Floats = rng.permutation([rng.uniform(200, 255), rng.uniform(80, 220), rng.uniform(0, 255)])
    return colour


def _specks(rng: np.random.Generator) -> Floats:
    """The mask of up to three small dots."""
    dots = [_regular(12) * rng.uniform(0.5, 1.6) + rng.uniform(0, SIDE, 2) for _ in range(rng.integers(4))]
    return _mask(dots, [])


def _shape(name: str, rng: np.random.Generator) -> Floats:
    """The mask of one shape of random size, direction and place, wholly inside the image."""
    radius = rng.uniform(8.5, 14)
    room = SIDE / 2 - 1 - radius
    centre = SIDE / 2 + rng.uniform(-room, room, 2)
    angle = np.radians(rng.uniform(-_MOST_TURN, _MOST_TURN))
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    outline, *holes = (radius * points @ turn + centre for points in SHAPES[name](rng))
    return _mask([outline], holes)


def _mask(filled: list[Points], holes: list[Points]) -> Floats:
    """(32, 32, 1), 1 inside the filled outlines and 0 outside and in the holes; edges in between."""
    canvas = Image.new("L", (SIDE * _FINE, SIDE * _FINE))
    pen = ImageDraw.Draw(canvas)
    for outlines, value in ((filled, 255), (holes, 0)):
        for points in outlines:
            pen.polygon([(x, y) for x, y in points * _FINE], fill=value)
    mask: Floats = np.asarray(canvas).reshape(SIDE, _FINE, SIDE, _FINE).mean(axis=(1, 3))[:, :, None] / 255
    return mask


def generate(seed: int = 0) -> dict[str, Numbers]:
    """The arrays of the data set: images and labels of both parts under the usual names, and the class names."""
    train_images, train_labels = draw_part(seed, 0, TRAINING_IMAGES)
    test_images, test_labels = draw_part(seed, 1, TEST_IMAGES)
    return {
        "train_images": train_images,
        "train_labels": train_labels,
        "test_images": test_images,
        "test_labels": test_labels,
        "classes": np.array(list(SHAPES)),
    }


def draw_part(seed: int, stream: int, images_a_class: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (N, 32, 32, 3) and labels (N,) in random order; each stream of a seed draws other images."""
    rng = np.random.default_rng(np.random.SeedSequence((seed, stream)))
    labels = rng.permutation(np.repeat(np.arange(len(SHAPES), dtype=np.uint8), images_a_class))
    names = list(SHAPES)
    return np.stack([draw(names[label], rng) for label in labels]), labels


def write(arrays: dict[str, Numbers], path: Path) -> None:
    """Write an .npz file whose bytes depend on the arrays only: unlike NumPy's own, it carries no date."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            stream = io.BytesIO()
            np.lib.format.write_array(stream, array, allow_pickle=False)
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(member, stream.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)


def main() -> None:
    """Command line: draw the set and write it to the file given."""
    parser = argparse.ArgumentParser(description="Draw the data set of coloured shapes.")
    parser.add_argument("out", type=Path, help="the .npz file to write")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws other images (default: %(default)s)")
    options = parser.parse_args()
    write(generate(options.seed), options.out)


if __name__ == "__main__":
    main()
