"""Finding the layers that belong to a chosen one: its weights, its activation, its input, the output of the network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnstudio.document.derived import Derived
from cnnstudio.document.words import class_names
from engine.datasets.dataset import Dataset
from engine.layer import Shape

Maps = NDArray[np.generic]

WITH_KERNELS = ("conv", "dense")
PASSES_ON = ("norm", "dropout")
"""Roles between a layer and its activation that leave the meaning of its maps as it is."""


def kernels_layer(derived: Derived, block_id: str | None) -> str | None:
    """The layer with weights to show for a chosen block: itself, else the last before it, else the first of all."""
    place = _place(derived, block_id)
    # Only layers whose shapes are known have weights of a known form.
    with_weights = [p for p in derived.placed.values() if p.node.layer.role in WITH_KERNELS]
    before = [p.node.id for p in with_weights if p.index <= place]
    if before:
        return before[-1]
    return with_weights[0].node.id if with_weights else None


def activation_of(derived: Derived, block_id: str) -> str | None:
    """The activation that follows a layer with weights, or None."""
    nodes = derived.spec.nodes
    place = _place(derived, block_id)
    if place < 0 or nodes[place].layer.role not in (*WITH_KERNELS, "norm"):
        return None
    for node in nodes[place + 1 :]:
        if node.layer.role == "activation":
            return node.id
        if node.layer.role not in PASSES_ON:
            return None
    return None


def input_of(derived: Derived, block_id: str) -> str | None:
    """The layer whose output a layer reads, or None for the first."""
    place = _place(derived, block_id)
    return derived.spec.nodes[place - 1].id if place > 0 else None


def maps_before_flatten(derived: Derived, block_id: str) -> Shape | None:
    """The shape of the maps that a fully connected layer reads flattened, or None when it reads a plain vector."""
    nodes = derived.spec.nodes
    for node in reversed(nodes[: max(_place(derived, block_id), 0)]):
        if node.layer.role == "flatten":
            placed = derived.placed.get(node.id)
            return placed.x if placed is not None and placed.x.is_image else None
        if node.layer.role != "dropout":
            return None
    return None


def output_names(derived: Derived, block_id: str, data: Dataset | None) -> tuple[str, ...]:
    """The classes, for the last fully connected layer where its outputs stand for them; else none."""
    nodes, placed = derived.spec.nodes, derived.placed.get(block_id)
    behind = nodes[_place(derived, block_id) + 1 :]
    if placed is None or any(node.layer.role == "dense" for node in behind):
        return ()
    names = class_names(data)
    return names if placed.y.size == len(names) else ()


def as_maps(array: Maps) -> Maps:
    """Maps (C, H, W) as they are; a vector (K,) as K maps of one cell."""
    return array if array.ndim == 3 else array.reshape(-1, 1, 1)


def as_picture(image: Maps) -> Maps:
    """A raw image (C, H, W) as what a picture widget takes: (1, H, W, 3) of three channels, else its maps."""
    return np.moveaxis(image, 0, -1)[None] if image.shape[0] == 3 else image


def _place(derived: Derived, block_id: str | None) -> int:
    for place, node in enumerate(derived.spec.nodes):
        if node.id == block_id:
            return place
    return -1
