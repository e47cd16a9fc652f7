"""ONNX's own tests of single nodes: what our layers can express passes, the rest is listed with its reason."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.layer import Array, Layer, Shape
from engine.layers.activation import ELU, GELU, LeakyReLU, ReLU, Sigmoid, Tanh
from engine.layers.batchnorm import BatchNorm
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.pool import AvgPool2D, GlobalAvgPool, MaxPool2D
from engine.layers.softmax import Softmax
from engine.losses import CrossEntropy
from tests.oracles.driver import Run, run

onnx = pytest.importorskip("onnx", reason="ONNX is an optional oracle")

ONE_D = "one-dimensional; the engine's maps have two dimensions"
THREE_D = "three-dimensional; the engine's maps have two dimensions"
DILATED_POOL = "dilated pooling; only convolutions have dilation here"
SPLIT = "keeps other axes than the batch's apart; Flatten makes one vector of each sample"
PER_SAMPLE = "a bias for each sample; a layer has one bias for each unit"
BIASED = "ONNX's running variance takes in the biased variance of the batch, PyTorch's and ours the unbiased one"
WEIGHTS = "weights of the classes; the loss has none"
IGNORED = "a class to ignore; every image has a class here"
PLACES = "a class at each place of a map; the loss has one for each image"

IN_SCOPE = (
    "test_averagepool_2d_ceil", "test_averagepool_2d_ceil_last_window_starts_on_pad",
    "test_averagepool_2d_default", "test_averagepool_2d_pads", "test_averagepool_2d_pads_count_include_pad",
    "test_averagepool_2d_precomputed_pads", "test_averagepool_2d_precomputed_pads_count_include_pad",
    "test_averagepool_2d_precomputed_same_upper", "test_averagepool_2d_precomputed_strides",
    "test_averagepool_2d_same_lower", "test_averagepool_2d_same_upper", "test_averagepool_2d_strides",
    "test_basic_conv_with_padding", "test_basic_conv_without_padding", "test_batchnorm_epsilon",
    "test_batchnorm_example", "test_conv_with_autopad_same",
    "test_conv_with_strides_and_asymmetric_padding", "test_conv_with_strides_no_padding",
    "test_conv_with_strides_padding", "test_elu", "test_elu_default", "test_elu_example",
    "test_flatten_axis1", "test_flatten_default_axis", "test_flatten_negative_axis3", "test_gelu_default_1",
    "test_gelu_default_2", "test_gelu_tanh_1", "test_gelu_tanh_2", "test_gemm_all_attributes",
    "test_gemm_alpha", "test_gemm_beta", "test_gemm_default_no_bias", "test_gemm_default_scalar_bias",
    "test_gemm_default_single_elem_vector_bias", "test_gemm_default_vector_bias",
    "test_gemm_default_zero_bias", "test_gemm_transposeA", "test_gemm_transposeB", "test_globalaveragepool",
    "test_globalaveragepool_precomputed", "test_leakyrelu", "test_leakyrelu_default",
    "test_leakyrelu_example", "test_maxpool_2d_ceil", "test_maxpool_2d_ceil_output_size_reduce_by_one",
    "test_maxpool_2d_default", "test_maxpool_2d_pads", "test_maxpool_2d_precomputed_pads",
    "test_maxpool_2d_precomputed_same_upper", "test_maxpool_2d_precomputed_strides",
    "test_maxpool_2d_same_lower", "test_maxpool_2d_same_upper", "test_maxpool_2d_strides",
    "test_maxpool_2d_uint8", "test_maxpool_with_argmax_2d_precomputed_pads",
    "test_maxpool_with_argmax_2d_precomputed_strides", "test_relu", "test_sce_mean",
    "test_sce_mean_log_prob", "test_sce_none", "test_sce_none_log_prob", "test_sce_sum",
    "test_sce_sum_log_prob", "test_sigmoid", "test_sigmoid_example", "test_softmax_axis_0",
    "test_softmax_axis_1", "test_softmax_axis_2", "test_softmax_default_axis", "test_softmax_example",
    "test_softmax_large_number", "test_softmax_negative_axis", "test_tanh", "test_tanh_example",
)

OUT_OF_SCOPE = {
    "test_averagepool_1d_default": ONE_D,
    "test_averagepool_2d_dilations": DILATED_POOL,
    "test_averagepool_3d_default": THREE_D,
    "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_False": THREE_D,
    "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_True": THREE_D,
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_False": THREE_D,
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True": THREE_D,
    "test_averagepool_3d_dilations_small": THREE_D,
    "test_batchnorm_epsilon_training_mode": BIASED,
    "test_batchnorm_example_training_mode": BIASED,
    "test_flatten_axis0": SPLIT,
    "test_flatten_axis2": SPLIT,
    "test_flatten_axis3": SPLIT,
    "test_flatten_negative_axis1": SPLIT,
    "test_flatten_negative_axis2": SPLIT,
    "test_flatten_negative_axis4": SPLIT,
    "test_gemm_default_matrix_bias": PER_SAMPLE,
    "test_maxpool_1d_default": ONE_D,
    "test_maxpool_2d_dilations": DILATED_POOL,
    "test_maxpool_3d_default": THREE_D,
    "test_maxpool_3d_dilations": THREE_D,
    "test_maxpool_3d_dilations_use_ref_impl": THREE_D,
    "test_maxpool_3d_dilations_use_ref_impl_large": THREE_D,
} | {f"test_sce_{name}{more}": reason for more in ("", "_log_prob") for name, reason in {
    "none_weights": WEIGHTS,
    "mean_weight": WEIGHTS,
    "mean_weight_ii": WEIGHTS,
    "mean_no_weight_ii": IGNORED,
    "mean_3d": PLACES,
    "mean_no_weight_ii_3d": PLACES,
    "mean_no_weight_ii_4d": PLACES,
    "mean_weight_ii_3d": PLACES,
    "mean_weight_ii_4d": PLACES,
    "NCd1_mean_weight_negative_ii": PLACES,
    "NCd1d2d3_none_no_weight_negative_ii": PLACES,
    "NCd1d2d3_sum_weight_high_ii": WEIGHTS,
    "NCd1d2d3d4d5_mean_weight": PLACES,
    "NCd1d2d3d4d5_none_no_weight": PLACES,
}.items()}


ROUNDED = ("test_averagepool_2d_ceil_last_window_starts_on_pad",)
"""Tests whose expected numbers are written with four digits."""


@functools.cache
def node_tests() -> dict[str, Any]:
    """ONNX's tests that consist of one node of a kind that the engine has."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of the making of tests for other nodes
        every = load_model_tests(kind="node")
    return {test.name: test for test in every
            if len(test.model.graph.node) == 1 and test.model.graph.node[0].op_type in NODES}


def test_every_onnx_test_of_our_nodes_is_in_scope_or_excluded_with_a_reason() -> None:
    assert not set(IN_SCOPE) & OUT_OF_SCOPE.keys()
    assert node_tests().keys() == set(IN_SCOPE) | OUT_OF_SCOPE.keys()


@pytest.mark.parametrize("name", IN_SCOPE)
def test_node(name: str) -> None:
    test = node_tests()[name]
    node = test.model.graph.node[0]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    for inputs, outputs in test.data_sets:
        found = NODES[node.op_type](attributes, *(np.asarray(a) for a in inputs))
        assert len(found) >= len(outputs)
        for a, b in zip(found, outputs, strict=False):
            assert a.shape == b.shape
            np.testing.assert_allclose(a, b, rtol=1e-3 if name in ROUNDED else 1e-5, atol=1e-6)


Outputs = tuple[Array, ...]


def _run(layer: Layer, x: Array, **named: Array) -> Run:
    """The layer in evaluation mode; the arrays given by name are its parameters and its state."""
    sample = Shape(x.shape[1:])
    return run(layer, x, None, {name: named[name] for name in layer.params(sample)},
               {name: named[name] for name in layer.state(sample)}, training=False)


def _padding(attributes: dict[str, Any], x: Array, kernel: tuple[int, int], stride: tuple[int, int]) -> tuple[int, ...]:
    """ONNX's pads (top, left, bottom, right) or auto_pad as (top, bottom, left, right)."""
    rule = attributes.get("auto_pad", b"NOTSET")
    if rule in (b"SAME_UPPER", b"SAME_LOWER"):
        sides: list[int] = []
        for cells, k, s in zip(x.shape[2:], kernel, stride, strict=True):
            total = max((-(-cells // s) - 1) * s + k - cells, 0)
            small, large = total // 2, total - total // 2
            sides += [small, large] if rule == b"SAME_UPPER" else [large, small]
        return tuple(sides)
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    return top, bottom, left, right


def _conv(attributes: dict[str, Any], x: Array, w: Array) -> Outputs:
    stride = tuple(attributes.get("strides", (1, 1)))
    layer = Conv2D(depth=len(w), kernel_size=w.shape[2:], stride=stride, bias=False,
                   padding=_padding(attributes, x, w.shape[2:], stride),
                   dilation=tuple(attributes.get("dilations", (1, 1))), groups=attributes.get("group", 1))
    return (_run(layer, x, W=w).y,)


def _pool(kind: type[MaxPool2D | AvgPool2D], attributes: dict[str, Any], x: Array, **more: Any) -> tuple[Any, Run]:
    kernel, stride = tuple(attributes["kernel_shape"]), tuple(attributes.get("strides", (1, 1)))
    layer = kind(kernel_size=kernel, stride=stride, padding=_padding(attributes, x, kernel, stride),
                 ceil_mode=bool(attributes.get("ceil_mode", 0)), **more)
    return layer, _run(layer, x)


def _max_pool(attributes: dict[str, Any], x: Array) -> Outputs:
    """The largest numbers, and where in the whole of x they stand."""
    layer, result = _pool(MaxPool2D, attributes, x)
    n, c, i, j = np.indices(result.y.shape)
    u, v = np.divmod(result.ws["winner"].astype(int), layer.kernel_size[1])
    top, _, left, _ = layer.window(Shape(x.shape[1:])).padding
    row, column = i * layer.stride[0] + u - top, j * layer.stride[1] + v - left
    _, channels, height, width = x.shape
    within = column * height + row if attributes.get("storage_order", 0) else row * width + column
    return result.y, (n * channels + c) * height * width + within


def _gemm(attributes: dict[str, Any], a: Array, b: Array, c: Array | None = None) -> Outputs:
    x = a.T if attributes.get("transA", 0) else a
    w = (b if attributes.get("transB", 0) else b.T) * attributes.get("alpha", 1.0)
    layer = Dense(units=len(w), bias=c is not None)
    bias = None if c is None else np.broadcast_to(c * attributes.get("beta", 1.0), (1, len(w)))[0]
    return (_run(layer, x, W=w, b=bias).y,)


def _of_each_number(make: Callable[[dict[str, Any]], Layer]) -> Callable[..., Outputs]:
    def node(attributes: dict[str, Any], x: Array) -> Outputs:
        return (_run(make(attributes), x[None]).y[0],)
    return node


def _softmax(attributes: dict[str, Any], x: Array) -> Outputs:
    axis = attributes.get("axis", -1)
    over = np.moveaxis(x, axis, 0)
    y = _run(Softmax(), over.reshape(1, len(over), -1, 1)).y.reshape(over.shape)
    return (np.moveaxis(y, 0, axis),)


def _batch_norm(attributes: dict[str, Any], x: Array, gamma: Array, beta: Array, mean: Array, variance: Array) -> Outputs:
    layer = BatchNorm(epsilon=attributes.get("epsilon", 1e-5))
    return (_run(layer, x, gamma=gamma, beta=beta, mean=mean, variance=variance).y,)


def _flatten(attributes: dict[str, Any], x: Array) -> Outputs:
    return (_run(Flatten(), x).y,)


def _cross_entropy(attributes: dict[str, Any], scores: Array, labels: Array) -> Outputs:
    """The loss as ONNX reduces it, and the logarithms of the probabilities."""
    z, t = scores.astype(float), np.eye(scores.shape[1])[labels]
    y = _run(Softmax(), z).y
    values = CrossEntropy().values("softmax", z, y, t)
    reduced = {b"none": values, b"sum": values.sum(), b"mean": values.mean()}[attributes["reduction"]]
    return np.asarray(reduced), np.log(y)


NODES: dict[str, Callable[..., Outputs]] = {
    "Conv": _conv,
    "MaxPool": _max_pool,
    "AveragePool": lambda attributes, x: (_pool(
        AvgPool2D, attributes, x, count_padding=bool(attributes.get("count_include_pad", 0)))[1].y,),
    "GlobalAveragePool": lambda attributes, x: (_run(GlobalAvgPool(), x).y[:, :, None, None],),
    "Relu": _of_each_number(lambda attributes: ReLU()),
    "LeakyRelu": _of_each_number(lambda attributes: LeakyReLU(attributes.get("alpha", 0.01))),
    "Elu": _of_each_number(lambda attributes: ELU(attributes.get("alpha", 1.0))),
    "Gelu": _of_each_number(lambda attributes: GELU(attributes.get("approximate", b"none").decode())),
    "Sigmoid": _of_each_number(lambda attributes: Sigmoid()),
    "Tanh": _of_each_number(lambda attributes: Tanh()),
    "Softmax": _softmax,
    "Gemm": _gemm,
    "Flatten": _flatten,
    "BatchNormalization": _batch_norm,
    "SoftmaxCrossEntropyLoss": _cross_entropy,
}
