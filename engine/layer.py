"""What a layer is: shapes, the contract that every layer keeps, and the registry that finds it by kind."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.options import Configurable, from_kind
from engine.phrase import Phrase
from engine.term import Term
from engine.view import View

Array = NDArray[Any]


class Shape(tuple[int, ...]):
    """The shape of one sample: (channels, height, width) of an image, or (features,) of a vector."""

    __slots__ = ()

    @property
    def is_image(self) -> bool:
        """True for (channels, height, width)."""
        return len(self) == 3

    @property
    def size(self) -> int:
        """How many numbers one sample holds."""
        return math.prod(self)

    def __str__(self) -> str:
        """Height × width × channels, as the field writes it: "28×28×1"; a vector as "400"."""
        if self.is_image:
            channels, height, width = self
            return f"{height}×{width}×{channels}"
        return "×".join(str(n) for n in self)


@dataclass(frozen=True)
class Param:
    """A parameter that a layer asks for: its shape, how it starts, and whether a weight penalty applies to it.

    `fan_in` and `fan_out` count the inputs that one output reads and the outputs that one input serves; `init` names an
    initializer of engine/initializers.py, and `value` is what "constant" starts with.
    """

    shape: tuple[int, ...]
    fan_in: int = 1
    fan_out: int = 1
    init: str = "constant"
    value: float = 0.0
    penalised: bool = False


@dataclass(frozen=True)
class Buffer:
    """An array that a layer asks for, to be allocated once per batch size.

    A live buffer (the default) keeps its contents from forward to backward and can be looked at; it starts as zeros. A scratch
    buffer lasts for one call only and shares one arena with all other layers. `dtype` "float" means the dtype of the network.
    `shown` is False for live buffers that hold nothing to look at, such as a padded copy of the input.
    """

    shape: tuple[int, ...]
    dtype: str = "float"
    scratch: bool = False
    shown: bool = True


class Workspace(dict[str, Array]):
    """The named buffers of one layer for one slice of the batch, with the layer's input `x` and output `y`."""

    x: Array
    y: Array


@dataclass
class Context:
    """What a forward pass needs beside its input: the mode, a random generator, and the layer's state by name."""

    training: bool = False
    rng: np.random.Generator | None = None
    state: dict[str, Array] = field(default_factory=dict)


LAYERS: dict[str, type[Layer]] = {}


@dataclass(frozen=True)
class Layer(Configurable, ABC):
    """A layer: hyper-parameters and pure mathematics, never an array.

    Shapes: `x` and `dx` are (N, *input shape), `y` and `dy` are (N, *output shape). `p` and `g` hold the parameters and their
    gradients by name; `ws` holds the buffers that the layer asked for. All results are written into the arrays given.
    """

    title: ClassVar[str]
    """The name on the block."""
    role: ClassVar[str]
    """input, conv, activation, pool, norm, flatten, dense, dropout or output: the group and the colour of the block."""
    summary: ClassVar[str]
    """One line that says what the layer does."""
    couples_batch: ClassVar[bool] = False
    """True when an image's output depends on the other images of the batch, so that a batch must not be cut."""
    random: ClassVar[bool] = False
    """True when the forward pass of training draws from the context's random generator."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__dict__.get("kind"):
            LAYERS[cls.kind] = cls

    @abstractmethod
    def output_shape(self, x: Shape) -> Shape:
        """The shape of one output sample; raises ShapeError when the input does not fit."""

    def params(self, x: Shape) -> dict[str, Param]:
        """The trained parameters for input samples of shape `x`."""
        return {}

    def state(self, x: Shape) -> dict[str, Param]:
        """Arrays that belong to the layer but are not trained by gradient, for example running means."""
        return {}

    def workspace(self, x: Shape, n: int) -> dict[str, Buffer]:
        """The buffers needed for `n` samples of shape `x`."""
        return {}

    @abstractmethod
    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        """Compute y from x."""

    @abstractmethod
    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array], ws: Workspace) -> None:
        """Compute dx = ∂E/∂x (unless it is None) and the gradients g = ∂E/∂p (unless g is empty) from dy = ∂E/∂y."""

    @abstractmethod
    def explain_forward(self, cell: tuple[int, ...], view: View) -> Term:
        """How one cell of y was computed. As in the snapshot, an index begins with the image in a batch, but not in a sample."""

    @abstractmethod
    def explain_backward(self, target: str, cell: tuple[int, ...], view: View) -> Term:
        """How one cell of dx (target "x") or of a parameter's gradient (target "W", "b" …) was computed from dy."""

    @abstractmethod
    def code_numpy(self, x: Shape) -> str:
        """NumPy source of `y` in evaluation mode, from `x` (N, …) and the parameters and state by their names."""

    @abstractmethod
    def code_pytorch(self, x: Shape) -> str:
        """The same with PyTorch tensors; `torch` and `torch.nn.functional as F` are imported."""

    def caption(self) -> list[Phrase]:
        """The main options, the first one foremost, in a few words for the block: "6 @ 5×5", "pad 2"."""
        return []

    def label(self) -> str:
        """The caption in English as one line: "6 @ 5×5 · pad 2"."""
        return " · ".join(map(str, self.caption()))

    def macs(self, x: Shape) -> int:
        """Multiply-accumulate operations of the forward pass for one sample."""
        return 0

    def window(self, x: Shape) -> Window | None:
        """The window through which the layer reads its input, or None when it reads element by element or all of it."""
        return None


@dataclass(frozen=True)
class Window:
    """The geometry of a sliding window over a map: all pairs are (vertical, horizontal)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    dilation: tuple[int, int] = (1, 1)


def layer_from_json(data: Any) -> Layer:
    """The layer that `{"kind": …, option: value}` describes."""
    layer: Layer = from_kind(LAYERS, data, "layer")
    return layer
