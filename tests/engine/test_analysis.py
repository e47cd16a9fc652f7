"""Analysis: counts against hand calculation, receptive fields against what a changed pixel really reaches."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnstudio.resources import resource_path
from engine.analysis import ReceptiveField, analyse
from engine.layer import LAYERS, Layer, Shape
from engine.spec import NetworkSpec
from engine.templates import load_template
from engine.windows import resolve_padding


def network(*layers: Layer) -> NetworkSpec:
    return NetworkSpec.of(layers)


def layer(kind: str, **options: object) -> Layer:
    made: Layer = LAYERS[kind](**options)
    return made


def test_lenet_has_the_counts_of_a_hand_calculation() -> None:
    facts = analyse(load_template(resource_path("templates"), "lenet5").network)
    assert [f.parameters for f in facts.layers if f.parameters] == [156, 2416, 48120, 10164, 850]
    assert facts["conv1"].macs == 28 * 28 * 6 * 25
    assert facts["conv2"].macs == 10 * 10 * 16 * 6 * 25
    assert facts["dense1"].macs == 400 * 120
    assert facts["conv1"].activation_bytes == 28 * 28 * 6 * 4
    assert facts.parameter_bytes == 4 * facts.parameters == 4 * 61_706
    assert str(facts.receptive_field) == "16×16"


def test_layers_behind_the_first_error_are_left_out() -> None:
    facts = analyse(network(layer("input"), layer("conv"), layer("dense"), layer("softmax")))
    assert [f.id for f in facts.layers] == ["input", "conv1"]
    assert facts.get("dense1") is None


windows_1d = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2))


@settings(max_examples=60)
@given(st.lists(windows_1d, min_size=1, max_size=3))
def test_receptive_field_is_what_a_changed_pixel_reaches(stack: list[tuple[int, int, int, int]]) -> None:
    """Oracle: reachability by loops over cells, without any formula."""
    side = 20
    reach = [[{i} for i in range(side)]]
    layers = [layer("input", height=side, width=side)]
    for k, s, p, d in stack:
        cells = reach[-1]
        padded: list[set[int]] = [set()] * p + cells + [set()] * p
        span = d * (k - 1) + 1
        if len(padded) < span:
            break
        starts = range(0, len(padded) - span + 1, s)
        reach.append([set().union(*(padded[a + d * u] for u in range(k))) for a in starts])
        layers.append(layer("conv", kernel_size=k, stride=s, padding=p, dilation=d, depth=1))
    facts = analyse(network(*layers)).layers[-1]
    field = facts.receptive_field
    assert field is not None
    for i, cells in enumerate(reach[-1]):
        rect = field.of_cell((0, i, 0))
        if rect.top >= 0 and rect.bottom <= side:  # at the edge, a dilated window may step over the padding
            assert (rect.top, rect.bottom) == (min(cells), max(cells) + 1)


def test_a_fully_connected_layer_sees_all_that_its_maps_see() -> None:
    facts = analyse(network(layer("input", height=8, width=8), layer("conv", kernel_size=3, stride=2),
                            layer("relu"), layer("flatten"), layer("dense")))  # fmt: skip
    field = facts["dense1"].receptive_field
    assert field is not None
    for cell in ((0,), (9,)):
        rect = field.of_cell(cell)
        assert (rect.top, rect.bottom, rect.left, rect.right) == (0, 7, 0, 7)
    assert facts.receptive_field is not None and str(facts.receptive_field) == "3×3"


def test_a_flattened_cell_keeps_the_field_of_its_place_on_the_maps() -> None:
    facts = analyse(network(layer("input", height=6, width=6), layer("conv", kernel_size=3, depth=2), layer("flatten")))
    before, behind = facts["conv1"].receptive_field, facts["flatten1"].receptive_field
    assert before is not None and behind is not None
    for index, cell in enumerate(itertools.product(range(2), range(4), range(4))):
        assert behind.of_cell((index,)) == before.of_cell(cell)


def test_global_average_sees_the_whole_picture() -> None:
    facts = analyse(network(layer("input", height=9, width=9), layer("conv", kernel_size=3), layer("global_avg_pool")))
    field = facts["global_avg_pool1"].receptive_field
    assert field is not None and field.size == (9, 9)


def test_after_pca_there_is_no_receptive_field() -> None:
    facts = analyse(network(layer("input", height=4, width=4, projection="pca"), layer("dense")))
    assert facts["dense1"].receptive_field is None and facts.receptive_field is None


@pytest.mark.parametrize("rule", ["valid", "same", "cover"])
def test_padding_rules_shift_the_start(rule: str) -> None:
    facts = analyse(network(layer("input", height=7, width=7), layer("conv", kernel_size=4, stride=2, padding=rule)))
    field = facts["conv1"].receptive_field
    assert field is not None
    top, _, left, _ = resolve_padding(rule, (7, 7), (4, 4), (2, 2))
    assert field.start == (-top, -left)


def test_a_cell_outside_the_picture_has_an_empty_rectangle() -> None:
    field = ReceptiveField((2, 2), (1, 1), (-3, 0), Shape((1, 5, 5)))
    assert field.of_cell((0, 0, 0)).within(4, 4).height == 0
    assert np.prod(field.maps) == 25
