"""Augmented images agree with NumPy's own rotations, mirrors and shifts, and with functions known everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from engine.datasets.augmentation import Augmentation
from engine.errors import OptionError


class Drawn:
    """A generator that draws what is given: amounts as a fraction of their limit, shifts of up to 2 pixels, mirrors."""

    def __init__(self, at: float = 1.0, shift: tuple[int, int] = (0, 0), mirror: int = 0) -> None:
        down, right = ((pixels + 2.5) / 5 for pixels in shift)
        self.numbers = np.array([down, right, (at + 1) / 2, (at + 1) / 2, mirror])

    def random(self, size: tuple[int, int]) -> np.ndarray:
        return np.broadcast_to(self.numbers[:, None], size)


def augmented(options: Augmentation, images: np.ndarray, rng: object) -> np.ndarray:
    out = np.full_like(images, np.nan)
    options.augment(images, rng, out)  # type: ignore[arg-type]
    return out


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (70, 2, 9, 9)).astype(np.float32)


def test_with_everything_off_images_stay_and_nothing_is_drawn(images: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    before = rng.bit_generator.state
    assert np.array_equal(augmented(Augmentation(), images, rng), images)
    assert rng.bit_generator.state == before


def test_a_quarter_turn_is_numpys(images: np.ndarray) -> None:
    turned = augmented(Augmentation(rotation=90), images, Drawn())
    quarter = np.rot90(images, axes=(2, 3)), np.rot90(images, -1, axes=(2, 3))
    assert any(np.allclose(turned, q, atol=1e-3) for q in quarter)
    back = augmented(Augmentation(rotation=90), turned, Drawn(-1))
    assert np.allclose(back, images, atol=2e-3)


def test_a_half_turn_of_a_non_square_image_is_exact() -> None:
    images = np.random.default_rng(0).random((3, 1, 4, 7), np.float32)
    assert np.allclose(augmented(Augmentation(rotation=180), images, Drawn()), images[:, :, ::-1, ::-1], atol=1e-5)


def test_a_mirrored_image_is_exact_to_the_bit(images: np.ndarray) -> None:
    assert np.array_equal(augmented(Augmentation(flip=True), images, Drawn(mirror=1)), images[..., ::-1])
    assert np.array_equal(augmented(Augmentation(flip=True), images, Drawn(mirror=0)), images)


@pytest.mark.parametrize("shift", [(2, 0), (0, -1), (-2, 2)])
def test_a_shift_is_exact_to_the_bit_and_continues_the_border(images: np.ndarray, shift: tuple[int, int]) -> None:
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)), mode="edge")
    down, right = shift
    expected = padded[:, :, 2 - down : 11 - down, 2 - right : 11 - right]
    assert np.array_equal(augmented(Augmentation(shift=2), images, Drawn(shift=shift)), expected)


def test_any_pose_of_a_plane_is_the_plane_at_the_points_that_the_map_says() -> None:
    # Bilinear interpolation reproduces a plane exactly, so that the affine map itself is what is compared here.
    height, width = 12, 15
    r, c = np.mgrid[:height, :width].astype(np.float64)
    plane = (3 * r - 2 * c + 50).astype(np.float32)[None, None]
    options = Augmentation(shift=2, rotation=25, scale=0.2, flip=True)
    for at in (-1.0, 0.6):
        found = augmented(options, plane, Drawn(at, shift=(1, -2), mirror=1))[0, 0]
        angle, scale = np.radians(25) * at, 1 + 0.2 * at
        y, x = r - (height - 1) / 2, -(c - (width - 1) / 2)
        row = (np.cos(angle) * y + np.sin(angle) * x) / scale + (height - 1) / 2 - 1
        column = (-np.sin(angle) * y + np.cos(angle) * x) / scale + (width - 1) / 2 + 2
        inside = (row >= 0) & (row <= height - 1) & (column >= 0) & (column <= width - 1)
        assert inside.sum() > 50
        assert np.allclose(found[inside], (3 * row - 2 * column + 50)[inside], atol=1e-3)


def test_enlarging_pushes_the_content_outwards_from_the_centre() -> None:
    image = np.zeros((1, 1, 9, 9), np.float32)
    image[0, 0, 4, 6] = 1
    found = augmented(Augmentation(scale=0.5), image, Drawn())
    assert np.unravel_index(found.argmax(), (9, 9)) == (4, 7)  # 2 · 1.5 = 3 from the centre


def test_values_stay_between_the_smallest_and_the_largest_pixel(images: np.ndarray) -> None:
    found = augmented(Augmentation(3, 40, 0.5, True), images, np.random.default_rng(0))
    assert np.isfinite(found).all()
    assert images.min() - 1e-3 <= found.min() and found.max() <= images.max() + 1e-3


def test_every_image_of_a_batch_gets_its_own_pose_and_all_channels_the_same(images: np.ndarray) -> None:
    same = np.repeat(images[:1, :1], 70, axis=0).repeat(2, axis=1)
    found = augmented(Augmentation(1, 20, 0.2, True), same, np.random.default_rng(0))
    assert np.array_equal(found[:, 0], found[:, 1])
    assert len(np.unique(found[:, 0].reshape(70, -1), axis=0)) == 70


def test_noise_has_the_asked_deviation_and_no_offset() -> None:
    images = np.full((100, 1, 28, 28), 7, np.float32)
    noise = augmented(Augmentation(noise=3), images, np.random.default_rng(0)) - 7
    assert abs(noise.std() - 3) < 0.05
    assert abs(noise.mean()) < 0.05


def test_turning_up_one_amount_leaves_the_others_as_they_were(images: np.ndarray) -> None:
    shifted, both = (augmented(Augmentation(shift=2, flip=flip), images, np.random.default_rng(0)) for flip in (False, True))
    kept = (shifted == both).all(axis=(1, 2, 3))
    assert 20 < kept.sum() < 50  # half of the images are not mirrored, and those have the same shift


def test_every_shift_is_equally_frequent() -> None:
    image = np.zeros((2500, 1, 9, 9), np.float32)
    image[:, :, 4, 4] = 1
    found = augmented(Augmentation(shift=2), image, np.random.default_rng(0)).sum(axis=0)[0]
    assert found[2:7, 2:7].sum() == 2500
    assert found[2:7, 2:7].min() > 60 and found.max() < 140


def test_one_seed_gives_one_result(images: np.ndarray) -> None:
    options = Augmentation(2, 20, 0.2, True, 4)
    first, again, other = (augmented(options, images, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("shape", [(3, 1, 1, 1), (3, 2, 1, 6), (3, 1, 5, 1)])
def test_images_one_pixel_wide_or_high_are_allowed(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).random(shape, np.float32)
    assert np.isfinite(augmented(Augmentation(1, 30, 0.3, True), images, np.random.default_rng(0))).all()


def test_illegal_amounts_are_refused() -> None:
    with pytest.raises(OptionError, match="Rotation must be at most 180"):
        Augmentation(rotation=200)
