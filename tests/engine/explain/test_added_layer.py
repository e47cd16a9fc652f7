"""Adding a layer is one class: everything else finds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from engine.analysis import analyse
from engine.explain import explain
from engine.layer import LAYERS, Array, Context, Layer, Param, Shape, Workspace, layer_from_json
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.layers.softmax import Softmax
from engine.options import option
from engine.settings import TrainSettings
from engine.snapshot import SnapshotRequest, batch_snapshot, sample_snapshot
from engine.spec import NetworkSpec
from engine.term import CellRef, Term, constant
from engine.trainer import Trainer
from engine.view import View
from tests.engine.explain.checks import assert_true, some_cells
from tests.engine.networks import blobs


@pytest.fixture
def scale() -> Iterator[type[Layer]]:
    """A layer that exists in this test only: y[n, c, i, j] = factor · s[c] · x[n, c, i, j]."""

    @dataclass(frozen=True)
    class Scale(Layer):
        """y = factor · s · x with one trained s for each channel."""

        kind = "scale"
        title = "Scale"
        role = "norm"
        summary = "Multiplies every channel by a trained number."

        factor: float = option(1.0, gt=0, label="Factor", help="Multiplies every channel.")

        def output_shape(self, x: Shape) -> Shape:
            return x

        def params(self, x: Shape) -> dict[str, Param]:
            return {"s": Param((x[0],), value=1.0)}

        def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
            np.multiply(x, self.factor * p["s"][:, None, None], out=y)

        def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array], ws: Workspace) -> None:
            g["s"][...] = self.factor * (dy * ws.x).sum(axis=(0, 2, 3))
            if dx is not None:
                np.multiply(dy, self.factor * p["s"][:, None, None], out=dx)

        def explain_forward(self, cell: tuple[int, ...], view: View) -> Term:
            return constant(self.factor) * view.cell("s", cell[-3]) * view.cell("x", *cell)

        def explain_backward(self, target: str, cell: tuple[int, ...], view: View) -> Term:
            if target == "x":
                return constant(self.factor) * view.cell("s", cell[-3]) * view.cell("dy", *cell)
            i, j = np.ix_(*map(range, view.x_shape[1:]))
            delta, x = (view.cells(name, *view.every_image(2), cell[0], i, j) for name in ("dy", "x"))
            return constant(self.factor) * view.sum_over_images(delta, x)

        def code_numpy(self, x: Shape) -> str:
            return f"y = {self.factor} * s[:, None, None] * x"

        def code_pytorch(self, x: Shape) -> str:
            return f"y = {self.factor} * s[:, None, None] * x"

    yield Scale
    del LAYERS["scale"]


def test_one_class_is_enough(scale: type[Layer]) -> None:
    layer = LAYERS["scale"](factor=2)
    assert layer_from_json({"kind": "scale", "factor": 2}) == layer
    assert [(o.name, o.kind, o.gt, o.label) for o in LAYERS["scale"].options()] == [("factor", "float", 0, "Factor")]
    spec = NetworkSpec.of([Input(1, 8, 8), layer, Flatten(), Dense(3), Softmax()])
    assert NetworkSpec.from_json(spec.to_json()) == spec
    assert spec.nodes[1].id == "scale1"
    row = next(row for row in analyse(spec).layers if row.id == "scale1")
    assert (row.y, row.parameters) == (Shape((1, 8, 8)), 1)

    data = blobs(32)
    trainer = Trainer(spec, data, TrainSettings(epochs=9, batch_size=8), dtype=np.float64)
    for _ in trainer.run(until=2):
        pass
    sample = sample_snapshot(trainer.network, 2, SnapshotRequest(data.train.images[0], 0))
    batch = batch_snapshot(trainer)
    for snapshot, arrays in ((sample, ("y", "dy", "ds")), (batch, ("y", "dy", "ds", "s_after"))):
        for name in (f"scale1.{array}" for array in arrays):
            for ref in some_cells(name, snapshot[name], 5, np.random.default_rng(0)):
                assert_true(explain(snapshot, ref), snapshot.arrays, 1e-12)
    assert explain(batch, CellRef("input.dy", (0, 0, 1, 1))).op == "product"

    names = {"np": np, "x": sample["input.y"][None], "s": sample["scale1.s"]}
    exec(layer.code_numpy(Shape((1, 8, 8))), names)
    np.testing.assert_allclose(names["y"][0], sample["scale1.y"])


def test_a_layer_that_explains_nothing_cannot_be_made() -> None:
    @dataclass(frozen=True)
    class Silent(Layer):
        def output_shape(self, x: Shape) -> Shape:
            return x

    with pytest.raises(TypeError, match="explain_backward, explain_forward"):
        Silent()
