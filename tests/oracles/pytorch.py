"""What PyTorch computes for each layer, from the same float64 arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from engine.layer import Array
from tests.oracles.cases import Case
from tests.oracles.driver import Run

torch.set_num_threads(1)

Tensors = dict[str, Any]


def run(case: Case, mask: Array | None = None) -> Run:
    """Output, gradients and state of the same layer in PyTorch; `mask` is that of Dropout."""
    x, dy, p, s = case.arrays
    p, s = ({name: torch.tensor(a) for name, a in named.items()} for named in (p, s))
    t = torch.tensor(x)
    for leaf in (t, *p.values()):
        leaf.requires_grad_()
    if mask is not None:
        s["mask"] = torch.tensor(mask)
    y = FORWARD[case.layer.kind](case, t, p, s)
    y.backward(torch.tensor(dy))
    return Run(y.detach().numpy(), t.grad.numpy(), {name: a.grad.numpy() for name, a in p.items()}, None,
               {name: a.numpy() for name, a in s.items()})


def _sides(case: Case) -> tuple[int, int, int, int]:
    """The padding in PyTorch's order: left, right, top, bottom."""
    top, bottom, left, right = case.layer.window(case.shape).padding
    return left, right, top, bottom


def _conv(case: Case, x: Any, p: Tensors, s: Tensors) -> Any:
    c = case.layer
    return functional.conv2d(functional.pad(x, _sides(case)), p["W"], p.get("b"), c.stride, dilation=c.dilation, groups=c.groups)


def _symmetric(case: Case) -> tuple[int, int] | None:
    """The padding as PyTorch's pooling takes it, or None when it refuses: it allows half a window on both sides."""
    left, right, top, bottom = _sides(case)
    kh, kw = case.layer.kernel_size
    return (top, left) if top == bottom <= kh // 2 and left == right <= kw // 2 else None


def _cropped(case: Case, y: Any) -> Any:
    """Without the windows that PyTorch, which sees padded maps here, lets begin in the padding at the end."""
    _, height, width = case.layer.output_shape(case.shape)
    return y[:, :, :height, :width]


def _max_pool(case: Case, x: Any, p: Tensors, s: Tensors) -> Any:
    c, padding = case.layer, _symmetric(case)
    if padding is not None:
        return functional.max_pool2d(x, c.kernel_size, c.stride, padding, ceil_mode=c.ceil_mode)
    x = functional.pad(x, _sides(case), value=-torch.inf)
    return _cropped(case, functional.max_pool2d(x, c.kernel_size, c.stride, ceil_mode=c.ceil_mode))


def _avg_pool(case: Case, x: Any, p: Tensors, s: Tensors) -> Any:
    c, padding = case.layer, _symmetric(case)
    if padding is not None:
        return functional.avg_pool2d(x, c.kernel_size, c.stride, padding, c.ceil_mode, c.count_padding)

    def mean(a: Any) -> Any:
        return functional.avg_pool2d(functional.pad(a, _sides(case)), c.kernel_size, c.stride, 0, c.ceil_mode)

    return _cropped(case, mean(x) if c.count_padding else mean(x) / mean(torch.ones_like(x)))


def _batch_norm(case: Case, x: Any, p: Tensors, s: Tensors) -> Any:
    return functional.batch_norm(x, s["mean"], s["variance"], p["gamma"], p["beta"], case.training, case.layer.momentum,
                        case.layer.epsilon)


def _input(case: Case, x: Any, p: Tensors, s: Tensors) -> Any:
    even = (x - s["offset"]) * s["gain"]
    if case.layer.projection == "none":
        return even
    z = torch.einsum("np,kp,k->nk", even.flatten(1), s["axes"], s["amplitude"])
    return (z @ s["axes"]).reshape(x.shape) if case.layer.projection == "zca_whitening" else z


FORWARD: dict[str, Callable[[Case, Any, Tensors, Tensors], Any]] = {
    "conv": _conv,
    "max_pool": _max_pool,
    "avg_pool": _avg_pool,
    "global_avg_pool": lambda case, x, p, s: functional.adaptive_avg_pool2d(x, 1).flatten(1),
    "dense": lambda case, x, p, s: functional.linear(x, p["W"], p.get("b")),
    "flatten": lambda case, x, p, s: torch.flatten(x, 1),
    "relu": lambda case, x, p, s: functional.relu(x),
    "leaky_relu": lambda case, x, p, s: functional.leaky_relu(x, case.layer.slope),
    "elu": lambda case, x, p, s: functional.elu(x, case.layer.alpha),
    "gelu": lambda case, x, p, s: functional.gelu(x, approximate=case.layer.approximation),
    "sigmoid": lambda case, x, p, s: torch.sigmoid(x),
    "tanh": lambda case, x, p, s: torch.tanh(x),
    "softmax": lambda case, x, p, s: functional.softmax(x, dim=1),
    "dropout": lambda case, x, p, s: x * s["mask"],
    "batch_norm": _batch_norm,
    "input": _input,
}
