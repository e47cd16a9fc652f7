"""Input: what fitting computes, in how much memory, the way back to pixels, and its errors."""

from __future__ import annotations

import itertools
import tracemalloc
from typing import Any

import numpy as np
import pytest

from engine.errors import DataError, ShapeError
from engine.initializers import initialize
from engine.layer import Array, Shape
from engine.layers.input import Input
from tests.oracles.driver import run

RANGE = (0, 255)


def pictures(n: int = 300, shape: tuple[int, int, int] = (2, 4, 5), seed: int = 0) -> Array:
    """Smooth-ish images in which neighbours are alike, channels differ, and one pixel never changes."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 1, (n, *shape)).cumsum(axis=2).cumsum(axis=3)
    images = noise * rng.uniform(3, 9, shape) + np.arange(1, shape[0] + 1)[:, None, None] * 60
    images[:, 0, 0, 0] = 17
    return np.clip(images, *RANGE).astype(np.uint8)


def applied(layer: Input, images: Array, state: dict[str, Array] | None = None) -> Array:
    """The layer's output for images, with the state fitted to them unless another is given."""
    return run(layer, images, None, {}, state or layer.fit(images, RANGE)).y


def made(shape: tuple[int, ...] = (2, 4, 5), **options: Any) -> Input:
    return Input(*shape, **options)


def test_by_default_pixels_become_numbers_from_0_to_1() -> None:
    images = pictures()
    np.testing.assert_allclose(applied(made(), images), images / 255, atol=1e-15)
    signed = run(made(), images, None, {}, made().fit(images, (-1, 3))).y
    np.testing.assert_allclose(signed, (images + 1.0) / 4)


def test_without_scaling_pixels_stay_as_they_are() -> None:
    images = pictures()
    np.testing.assert_array_equal(applied(made(scaling="none"), images), images)


def test_mean_removal_centres_features_or_channels() -> None:
    images = pictures()
    np.testing.assert_allclose(applied(made(mean="feature"), images).mean(axis=0), 0, atol=1e-13)
    y = applied(made(mean="channel"), images)
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 0, atol=1e-13)
    assert np.abs(y.mean(axis=0)).max() > 0.01


def test_minmax_brings_the_courses_features_to_0_to_1() -> None:
    """Its example: feature A from 0 to 10, feature B from 0 to 10,000."""
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0, 10, 50), rng.uniform(0, 10_000, 50)
    a[:2], b[:2] = (0, 10), (0, 10_000)
    images = np.stack([a, b], axis=1).reshape(50, 2, 1, 1)
    layer = Input(2, 1, 1, scaling="none", normalise="minmax")
    y = run(layer, images, None, {}, layer.fit(images, (0, 10_000))).y
    np.testing.assert_allclose(y[:, 0, 0, 0], a / 10)
    np.testing.assert_allclose(y[:, 1, 0, 0], b / 10_000)


def test_minmax_with_mean_removal_has_range_1_around_0() -> None:
    images = pictures()
    y = applied(made(mean="feature", normalise="minmax"), images)
    ranges = np.ptp(y, axis=0)
    assert ranges[0, 0, 0] == 0
    np.testing.assert_allclose(ranges.ravel()[1:], 1)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-13)


@pytest.mark.parametrize("mean", ["none", "feature", "channel"])
def test_deviation_gives_unit_variance_to_features_or_channels(mean: str) -> None:
    y = applied(made(mean=mean, normalise="deviation", epsilon=0), pictures())
    if mean == "channel":
        np.testing.assert_allclose(y.var(axis=(0, 2, 3)), 1)
    else:
        np.testing.assert_allclose(y.var(axis=0).ravel()[1:], 1)
        assert y.var(axis=0)[0, 0, 0] < 1e-30, "what never changes is not divided"


def test_epsilon_is_added_to_the_variance_of_scaled_pixels() -> None:
    images = pictures()
    y = applied(made(mean="feature", normalise="deviation", epsilon=0.5), images)
    variance = (images / 255).var(axis=0)
    np.testing.assert_allclose(y.var(axis=0), variance / (variance + 0.5), atol=1e-20)


def test_pca_finds_the_axes_of_a_singular_value_decomposition_in_order_of_variance() -> None:
    images = pictures()
    layer = made(projection="pca", components=6)
    state = layer.fit(images, RANGE)
    z = applied(layer, images, state)
    assert layer.output_shape(Shape(())) == (6,) == z.shape[1:]
    rows = (images / 255).reshape(len(images), -1)
    _, singular, axes = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs((state["axes"] * axes[:6]).sum(axis=1)), 1, rtol=1e-9)
    np.testing.assert_allclose(z.var(axis=0), singular[:6]**2 / len(images), rtol=1e-9)
    assert (np.take_along_axis(state["axes"], np.abs(state["axes"]).argmax(axis=1)[:, None], 1) > 0).all()


def test_fewer_components_give_the_nearest_images_and_all_of_them_the_images_themselves() -> None:
    images = pictures()
    errors = []
    for components in (1, 5, 20, 0):
        layer = made(projection="pca", components=components)
        state = layer.fit(images, RANGE)
        errors.append(np.abs(layer.invert(applied(layer, images, state), state) - images).mean())
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 1 and errors[-1] < 1e-9


@pytest.mark.parametrize("projection", ["pca_whitening", "zca_whitening"])
def test_whitening_makes_the_covariance_the_identity(projection: str) -> None:
    images = pictures()
    rows = applied(made(projection=projection, epsilon=0), images).reshape(len(images), -1)
    covariance = np.cov(rows.T, bias=True)
    expected = np.eye(40)
    dead = 39 if projection == "pca_whitening" else 0  # the pixel that never changes
    expected[dead, dead] = 0
    np.testing.assert_allclose(covariance, expected, atol=1e-9)


@pytest.mark.parametrize("projection", ["pca_whitening", "zca_whitening"])
def test_directions_without_variance_are_not_blown_up_when_epsilon_is_0(projection: str) -> None:
    images = pictures()
    images[:, 1] = images[:, 0]  # half of all directions are empty, up to rounding
    layer = made(projection=projection, epsilon=0)
    state = layer.fit(images, RANGE)
    assert np.count_nonzero(state["amplitude"]) <= 20
    assert np.abs(applied(layer, images, state)).max() < 20
    np.testing.assert_allclose(layer.invert(applied(layer, images, state), state), images, atol=1e-8)


def test_zca_gives_the_picture_that_is_nearest_to_the_centred_one() -> None:
    images = pictures()
    layer, other = made(projection="zca_whitening"), made(projection="pca_whitening")
    assert layer.output_shape(Shape(())) == (2, 4, 5)
    centred = applied(made(mean="feature"), images)
    zca, pca = applied(layer, images), applied(other, images).reshape(centred.shape)
    assert np.corrcoef(zca.ravel(), centred.ravel())[0, 1] > 0.5 > abs(np.corrcoef(pca.ravel(), centred.ravel())[0, 1])


def test_whitening_damps_faint_directions_by_epsilon() -> None:
    images = pictures()
    z = applied(made(projection="pca_whitening", epsilon=0.01), images)
    plain = applied(made(projection="pca"), images).var(axis=0)
    np.testing.assert_allclose(z.var(axis=0), plain / (plain + 0.01), atol=1e-12)


@pytest.mark.parametrize(("mean", "normalise", "projection"), list(itertools.product(
    ("none", "feature", "channel"), ("none", "minmax", "deviation"),
    ("none", "pca", "pca_whitening", "zca_whitening"))))
def test_inversion_leads_back_to_the_pixels(mean: str, normalise: str, projection: str) -> None:
    images = pictures()
    layer = made(mean=mean, normalise=normalise, projection=projection)
    state = layer.fit(images, RANGE)
    assert state.keys() == layer.state(Shape(())).keys()
    for name, param in layer.state(Shape(())).items():
        assert state[name].shape == param.shape
    np.testing.assert_allclose(layer.invert(applied(layer, images, state), state), images, atol=1e-8)


@pytest.mark.parametrize("projection", ["none", "pca", "pca_whitening", "zca_whitening"])
def test_before_fitting_the_pixels_pass_unchanged(projection: str) -> None:
    layer, images = made(projection=projection), pictures(3)
    state = {name: initialize(p, np.random.default_rng(0)) for name, p in layer.state(Shape(())).items()}
    np.testing.assert_array_equal(applied(layer, images, state).reshape(images.shape), images)


def test_other_images_are_prepared_with_the_statistics_of_the_training_images() -> None:
    layer = made(mean="feature", normalise="deviation")
    state = layer.fit(pictures(), RANGE)
    other = pictures(seed=1)
    y = applied(layer, other, state)
    np.testing.assert_allclose(y, (other - state["offset"]) * state["gain"])
    assert np.abs(y.mean(axis=0)).max() > 0.01


@pytest.mark.parametrize("options", [
    {"mean": "channel", "normalise": "deviation"}, {"mean": "feature", "normalise": "minmax"},
    {"projection": "pca", "components": 10}])
def test_fitting_needs_memory_for_a_piece_of_the_images_only(options: dict[str, Any]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20_000, 1, 28, 28), dtype=np.uint8)
    layer = Input(1, 28, 28, **options)
    tracemalloc.start()
    try:
        layer.fit(images, RANGE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 90e6, "all images in float64 would be 125 MB"


def test_large_offsets_do_not_cost_precision() -> None:
    images = np.random.default_rng(0).normal(1e6, 1, (500, 1, 2, 2))
    layer = Input(1, 2, 2, scaling="none", mean="feature", normalise="deviation", epsilon=0)
    y = run(layer, images, None, {}, layer.fit(images, (0, 2e6))).y
    np.testing.assert_allclose(y.std(axis=0), 1, rtol=1e-9)


def test_images_of_another_shape_are_refused() -> None:
    with pytest.raises(DataError, match=r"^The images are 32×32×3, but Input expects 28×28×1\.$"):
        Input().fit(np.zeros((5, 3, 32, 32), np.uint8), RANGE)


def test_there_must_be_images() -> None:
    with pytest.raises(DataError, match=r"^There are no training images to prepare the input from\.$"):
        Input().fit(np.zeros((0, 1, 28, 28), np.uint8), RANGE)


def test_an_empty_range_cannot_be_scaled_but_does_not_matter_without_scaling() -> None:
    images = np.full((5, 1, 28, 28), 3.0)
    with pytest.raises(DataError, match=r"^Pixel values from 3 to 3 cannot be scaled to 0\.\.1\.$"):
        Input().fit(images, (3, 3))
    assert Input(scaling="none").fit(images, (3, 3))["gain"].max() == 1


def test_a_projection_of_too_many_features_is_refused() -> None:
    with pytest.raises(ShapeError) as caught:
        Input(3, 64, 64, projection="pca", components=50).output_shape(Shape(()))
    assert str(caught.value) == ("PCA of 64×64×3 = 12288 features needs a 12288 × 12288 matrix. "
                                 "At most 4096 features are possible. Use no PCA.")
    assert caught.value.fixes[0].value == "none"


def test_more_components_than_features_are_refused() -> None:
    with pytest.raises(ShapeError) as caught:
        Input(1, 8, 8, projection="zca_whitening", components=65).output_shape(Shape(()))
    assert str(caught.value) == "PCA cannot keep 65 components. An image of 8×8×1 has 64 features. Keep 64."
    assert caught.value.fixes[0].value == 64


@pytest.mark.parametrize(("layer", "label", "macs"), [
    (Input(1, 28, 28), "28×28×1", 0),
    (Input(3, 4, 5, projection="pca"), "4×5×3 · PCA", 3600),
    (Input(3, 4, 5, projection="pca_whitening", components=7), "4×5×3 · PCA whitening 7", 420),
    (Input(3, 4, 5, projection="zca_whitening", components=7), "4×5×3 · ZCA 7", 840),
])
def test_label_and_macs(layer: Input, label: str, macs: int) -> None:
    assert layer.label() == label
    assert layer.macs(Shape(())) == macs
