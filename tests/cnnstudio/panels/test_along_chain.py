"""Which layers belong to a chosen one, also while the network is broken."""

from __future__ import annotations

from cnnstudio.document.derived import derive
from cnnstudio.document.graph import Graph
from cnnstudio.panels.along_chain import activation_of, input_of, kernels_layer, maps_before_flatten
from engine.layers.activation import ReLU
from engine.layers.batchnorm import BatchNorm
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.layers.pool import MaxPool2D
from engine.spec import NetworkSpec

SPEC = NetworkSpec.of(
    [Input(), Conv2D(), BatchNorm(), ReLU(), MaxPool2D(), Flatten(), Dense(units=20), ReLU(), Dense()]
)


def test_kernels_are_those_of_the_layer_itself_or_of_the_last_before_it() -> None:
    derived = derive(Graph.of(SPEC))
    shown = [kernels_layer(derived, block) for block in ("conv1", "relu1", "max_pool1", "dense1", "relu2", "dense2")]
    assert shown == ["conv1", "conv1", "conv1", "dense1", "dense1", "dense2"]
    assert kernels_layer(derived, "input") == kernels_layer(derived, None) == "conv1"


def test_a_layer_that_does_not_fit_has_no_kernels_to_show() -> None:
    derived = derive(Graph.of(SPEC.remove("flatten1")))
    assert kernels_layer(derived, "dense1") == "conv1"
    assert kernels_layer(derive(Graph.of(NetworkSpec.of([Input()]))), None) is None


def test_the_activation_lies_behind_what_only_passes_on() -> None:
    derived = derive(Graph.of(SPEC))
    assert activation_of(derived, "conv1") == "relu1"
    assert activation_of(derived, "dense1") == "relu2"
    assert activation_of(derived, "dense2") is None
    assert activation_of(derived, "max_pool1") is None


def test_input_and_maps_before_flatten() -> None:
    derived = derive(Graph.of(SPEC))
    assert input_of(derived, "max_pool1") == "relu1" and input_of(derived, "input") is None
    assert maps_before_flatten(derived, "dense1") == derived.placed["max_pool1"].y
    assert maps_before_flatten(derived, "dense2") is None
