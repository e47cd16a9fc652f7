"""Every layer once more as plain loops: slow, but with nothing to hide; the oracle of the fast forms.

`forward(layer, x, p, ctx)` gives y, and `backward(layer, x, dy, p, ctx)` gives ∂E/∂x and the gradients of the
parameters by name. The files are those of engine/layers. The forward loops are the sums of the layers'
docstrings, written down one product at a time. The backward loops walk through the same products and apply
the chain rule to each: where y took in w · x, the gradient of w takes in δ · x, and that of x takes in δ · w.
No rotated kernel, no formula for a whole layer.

All arrays are float64 and of the shapes that the layers themselves use. Dropout's mask is not drawn but read
from `ctx.state["mask"]`.
"""

import importlib
import pkgutil

from engine.reference.dispatch import backward, forward

__all__ = ["backward", "forward"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
