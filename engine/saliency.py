"""Saliency: which pixels and which parts of a feature map speak for a class.

    gradient     ∂s/∂image                               how the score would change with each pixel
    Grad-CAM     ReLU(Σ_c α[c] · A[c])                   α[c] = mean over i, j of ∂s/∂A[c, i, j]
    occlusion    y(image) − y(image with a patch)        how much of the output a covered patch takes away

    s   the score of one output unit: z of a closing softmax or sigmoid that is fused with the loss, otherwise the output
    A   the maps that a layer gives, for example the last convolution; α weighs a map by how much the score rests on it
    y   the output of the same unit

The gradient is sharp but noisy, and 0 where a unit is saturated. Grad-CAM is coarse, as coarse as its maps. Occlusion needs no
gradient, but as many forward passes as there are places for the patch.

Sources: Simonyan et al. 2013 (gradient); Selvaraju et al. 2017 (Grad-CAM); Zeiler and Fergus 2014 (occlusion).
"""

from __future__ import annotations

import numpy as np

from engine.errors import DataError, ShapeError
from engine.lane import PlainLane
from engine.layer import Array
from engine.network import Network


def gradient(network: Network, image: Array, unit: int) -> Array:
    """∂s/∂image for a raw image (C, H, W), in the same shape."""
    lane = _backward_from_score(network, image, unit)
    assert lane.images_delta is not None
    return np.array(lane.images_delta[0])


def grad_cam(network: Network, image: Array, unit: int, layer: str) -> Array:
    """The map (H', W') of one layer, for a raw image (C, H, W); raises ShapeError when the layer gives no maps."""
    index = network.spec.index(layer)
    if not network.placed[index].y.is_image:
        raise ShapeError("Grad-CAM needs maps, but this layer gives a vector of {size}.", code="saliency.needs_maps",
                         layer=network.spec[layer].title, position=index, size=network.placed[index].y.size)
    lane = _backward_from_score(network, image, unit)
    maps, deltas = lane.workspaces[index].y[0], lane.deltas[index][0]
    weights = deltas.mean(axis=(1, 2))
    return np.asarray(np.maximum(np.tensordot(weights, maps, axes=1), 0))


def occlusion(network: Network, image: Array, unit: int, patch: tuple[int, int] = (4, 4), *, fill: float | None = None) -> Array:
    """How much the unit's output falls when a patch (height, width) covers the raw image (C, H, W), at every place.

    Gives (H − height + 1, W − width + 1), negative where covering helps. The patch has the number `fill`, or each channel's
    mean. Raises ShapeError when the patch is larger than the image.
    """
    _check_unit(network, unit)
    channels, height, width = image.shape
    rows, columns = height - patch[0] + 1, width - patch[1] + 1
    if rows < 1 or columns < 1:
        raise ShapeError("a patch of {patch} does not fit on an image of {image}.", code="saliency.patch",
                         patch=f"{patch[0]}×{patch[1]}", image=f"{height}×{width}")
    colour = image.mean(axis=(1, 2)) if fill is None else np.full(channels, fill)
    whole = network.predict(image[None].astype(network.dtype))[0, unit]
    falls = np.zeros((rows, columns), network.dtype)
    for i in range(rows):
        covered = np.repeat(image[None].astype(network.dtype), columns, axis=0)
        for j in range(columns):
            covered[j, :, i:i + patch[0], j:j + patch[1]] = colour[:, None, None]
        falls[i] = whole - network.predict(covered)[:, unit]
    return falls


def _backward_from_score(network: Network, image: Array, unit: int) -> PlainLane:
    """The sample's lane with every layer's output and its ∂s/∂y."""
    _check_unit(network, unit)
    lane = network.forward_sample(image)
    lane.delta.fill(0)
    lane.delta[0, unit] = 1
    with np.errstate(all="ignore"):
        for _, calls in lane.backward:
            for call in calls:
                call()
    return lane


def _check_unit(network: Network, unit: int) -> None:
    if not 0 <= unit < network.outputs:
        raise DataError("There is no output {unit}; the network has outputs 0 to {last}.", code="saliency.unit", unit=unit,
                        last=network.outputs - 1)
