"""The canonical network: recognise it in a chain of layers, say where a chain departs from it, and build it
from numbers.

    INPUT → [[CONV → RELU]*N → POOL?]*M → [FC → RELU]*K → FC          0 ≤ N ≤ 3, 0 ≤ M, 0 ≤ K ≤ 3

N may differ from stage to stage. RELU stands for any activation and POOL for any pooling. Tolerated without
being written: one Flatten, before the first FC; batch normalisation directly behind a CONV, an FC or their
activation; dropout anywhere behind Input; and at the end one Softmax, or one activation as the output's own
(a sigmoid for one class). A run of more than three [CONV → RELU] is read as several stages without POOL.

Source: neuzhaoxin, "Convolutional neural networks (principles)", 2019, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from engine.layer import LAYERS, Layer
from engine.spec import NetworkSpec, Node

MOST_N, MOST_K = 3, 3


@dataclass(frozen=True)
class Unit:
    """A CONV or an FC with what belongs to it; `ids` are all its blocks, tolerated ones included."""

    ids: tuple[str, ...]
    main: str
    activation: str
    """The title of the activation, "ReLU" for example; empty for the last FC."""


@dataclass(frozen=True)
class Stage:
    """[CONV → RELU]*N → POOL?"""

    units: tuple[Unit, ...]
    pool: tuple[str, ...] = ()
    """The blocks of the pooling, or nothing."""

    @property
    def n(self) -> int:
        """How many convolutions there are."""
        return len(self.units)

    @property
    def ids(self) -> tuple[str, ...]:
        """All blocks of the stage."""
        return sum((unit.ids for unit in self.units), ()) + self.pool

    @property
    def form(self) -> tuple[tuple[str, ...], bool]:
        """What two stages must have in common to be written as one with a ×2."""
        return tuple(unit.activation for unit in self.units), bool(self.pool)


@dataclass(frozen=True)
class Token:
    """A piece of the written formula: a chip with a role, or plain text between chips; and the blocks it
    stands for.
    """

    text: str
    role: str = ""
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Formula:
    """A canonical network, parsed."""

    input: tuple[str, ...]
    stages: tuple[Stage, ...]
    hidden: tuple[Unit, ...]
    output: Unit

    @property
    def n(self) -> tuple[int, ...]:
        """Convolutions in each stage; one number when all stages are alike."""
        counts = tuple(stage.n for stage in self.stages)
        return counts[:1] if len(set(counts)) == 1 else counts

    @property
    def m(self) -> int:
        """Number of stages."""
        return len(self.stages)

    @property
    def k(self) -> int:
        """Number of hidden fully connected layers."""
        return len(self.hidden)

    def tokens(self) -> tuple[Token, ...]:
        """The formula in pieces, for chips: equal neighbouring stages and layers are written once with a
        factor.
        """
        out = [Token("INPUT", "input", self.input)]
        for _, group in groupby(self.stages, key=lambda stage: stage.form):
            stages = list(group)
            ids = sum((stage.ids for stage in stages), ())
            out += [Token(" → ["), *_units_tokens([s.units for s in stages], "CONV", "conv")]
            if pools := sum((stage.pool for stage in stages), ()):
                out += [Token(" → ") if stages[0].units else Token(""), Token("POOL", "pool", pools)]
            out.append(Token(f"]×{len(stages)}", ids=ids))
        if self.hidden:
            out += [Token(" → "), *_units_tokens([self.hidden], "FC", "dense")]
        out += [Token(" → "), Token("FC", "dense", self.output.ids)]
        return tuple(token for token in out if token.text)

    def __str__(self) -> str:
        return "".join(token.text for token in self.tokens())


def _units_tokens(rows: list[tuple[Unit, ...]], symbol: str, role: str) -> list[Token]:
    """[CONV → ReLU]×n of stages that are alike: `rows` holds the units of each; runs of one activation are
    one bracket.
    """
    out: list[Token] = []
    start = 0
    for activation, group in groupby(rows[0], key=lambda unit: unit.activation):
        count = len(list(group))
        units = [unit for row in rows for unit in row[start : start + count]]
        start += count
        ids = sum((unit.ids for unit in units), ())
        if out:
            out.append(Token(" → "))
        out += [
            Token("["),
            Token(symbol, role, tuple(unit.main for unit in units)),
            Token(" → "),
            Token(activation, "activation", tuple(i for i in ids if i not in {u.main for u in units})),
            Token(f"]×{count}", ids=ids),
        ]
    return out


@dataclass(frozen=True)
class Departure:
    """Why a chain is not canonical: the first block that departs, in one sentence, and the kinds that may
    stand there.

    `block` is None when something is missing at the end of the chain.
    """

    block: str | None
    code: str
    template: str
    args: dict[str, Any] = field(default_factory=dict)
    may: tuple[str, ...] = ()
    """Titles of the layers that the formula allows at this place."""
    words: tuple[str, ...] = ()
    """The same in the words of the formula; they take the place of {may} in the sentence."""

    @property
    def sentence(self) -> str:
        """The sentence in English."""
        return self.template.format(**self.args, may=either(self.words, "{first} or {last}"))


def either(words: Sequence[str], template: str) -> str:
    """The words as an alternative, "a, b or c"; the template joins the last one."""
    if len(words) < 2:
        return "".join(words)
    return template.format(first=", ".join(words[:-1]), last=words[-1])


def parse(spec: NetworkSpec) -> Formula | Departure:
    """The canonical formula of a network, or the first place where it departs from it."""
    reader = _Reader(spec.nodes)
    try:
        return reader.read()
    except _DepartsError as departs:
        return departs.departure


class _DepartsError(Exception):
    def __init__(self, departure: Departure) -> None:
        self.departure = departure


class _Reader:
    """Reads the chain from left to right; one method per part of the formula."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self.at = 0

    def role(self) -> str:
        return self.nodes[self.at].layer.role if self.at < len(self.nodes) else ""

    def take(self, *roles: str) -> tuple[str, ...]:
        """The ids of all next blocks with these roles."""
        ids = []
        while self.role() in roles:
            ids.append(self.nodes[self.at].id)
            self.at += 1
        return tuple(ids)

    def read(self) -> Formula:
        if self.role() != "input":
            raise self.departs("input")
        first: tuple[str, ...] = (self.nodes[0].id,)
        self.at = 1
        first += self.take("dropout")
        units: list[Unit] = []
        stages: list[Stage] = []
        while self.role() in ("conv", "pool"):
            if self.role() == "conv":
                units.append(self.unit(("activation", "norm")))
            else:
                pool = (self.nodes[self.at].id,)
                self.at += 1
                stages += _stages(units, pool + self.take("dropout"))
                units = []
        stages += _stages(units, ())
        flatten = self.flatten()
        dense: list[Unit] = []
        while not dense or self.role() not in ("", "output"):
            if self.role() != "dense":
                raise self.departs(*(() if dense or flatten else ("conv", "pool", "flatten")), "dense")
            dense.append(self.unit(("activation", "norm"), last=True))
        output = dense[-1]
        dense[-1] = Unit(output.ids + self.take("output"), output.main, "")
        if self.at < len(self.nodes):
            raise self.departs("")
        if len(dense) - 1 > MOST_K:
            raise _DepartsError(
                Departure(
                    dense[MOST_K].main,
                    "pattern.many_fc",
                    "{count} hidden FC layers are more than the {most} of the formula.",
                    {"count": len(dense) - 1, "most": MOST_K},
                )
            )
        dense[0] = Unit(flatten + dense[0].ids, dense[0].main, dense[0].activation)
        return Formula(first, tuple(stages), tuple(dense[:-1]), dense[-1])

    def flatten(self) -> tuple[str, ...]:
        if self.role() != "flatten":
            return ()
        ids = (self.nodes[self.at].id,)
        self.at += 1
        return ids + self.take("dropout")

    def unit(self, expected: tuple[str, ...], last: bool = False) -> Unit:
        """CONV or FC with its activation; with `last` it may be missing at the end."""
        main = self.nodes[self.at]
        self.at += 1
        ids = (main.id, *self.take("norm", "dropout"))
        if self.role() != "activation":
            if last and self.role() in ("", "output"):
                return Unit(ids, main.id, "")
            raise self.departs(*expected)
        activation = self.nodes[self.at]
        self.at += 1
        return Unit((*ids, activation.id, *self.take("norm", "dropout")), main.id, activation.layer.title)

    def departs(self, *roles: str) -> _DepartsError:
        may = tuple(layer.title for role in roles for layer in LAYERS.values() if layer.role == role)
        words = tuple(_WORDS[role] for role in roles if role)
        if self.at >= len(self.nodes):
            return _DepartsError(
                Departure(
                    None,
                    "pattern.unfinished",
                    "The chain ends too early: {may} must follow.",
                    {},
                    may,
                    words,
                )
            )
        node = self.nodes[self.at]
        args = {"block": node.title, "kind": node.layer.title}
        if not words:
            return _DepartsError(Departure(node.id, "pattern.after_end", "{block}: nothing may stand behind the output.", args))
        return _DepartsError(
            Departure(
                node.id,
                "pattern.out_of_place",
                "{block}: {kind} is out of place here; the formula allows {may}.",
                args,
                may,
                words,
            )
        )


_WORDS = {
    "input": "INPUT",
    "conv": "CONV",
    "activation": "an activation",
    "pool": "POOL",
    "norm": "batch normalisation",
    "flatten": "Flatten",
    "dense": "FC",
}


def _stages(units: list[Unit], pool: tuple[str, ...]) -> list[Stage]:
    """A run of convolutions as stages of at most three, the last one with the pooling."""
    runs = [tuple(units[i : i + MOST_N]) for i in range(0, len(units), MOST_N)] or ([()] if pool else [])
    return [Stage(run, pool if run is runs[-1] else ()) for run in runs]


def build(
    *,
    n: int = 1,
    m: int = 2,
    k: int = 1,
    image: tuple[int, int, int] = (1, 28, 28),
    classes: int = 10,
    depth: int = 8,
    kernel: int = 3,
    pool: str | None = "max_pool",
    activation: str = "relu",
    hidden: int = 64,
) -> NetworkSpec:
    """The canonical network of these numbers; the depth doubles from stage to stage, and convolutions keep
    the size.

    `image` is (channels, height, width); `pool` is the kind of pooling, or None; `hidden` is the number of
    units of the K hidden FC layers. Raises ValueError for N, M or K outside the formula.
    """
    if not 0 <= n <= MOST_N or not 0 <= k <= MOST_K or m < 0:
        raise ValueError(f"N = {n}, M = {m}, K = {k} are not within 0 ≤ N ≤ {MOST_N}, 0 ≤ M, 0 ≤ K ≤ {MOST_K}")
    channels, height, width = image
    layers = [_layer("input", channels=channels, height=height, width=width)]
    for stage in range(m):
        for _ in range(n):
            layers += [
                _layer("conv", depth=depth * 2**stage, kernel_size=kernel, padding="same"),
                _layer(activation),
            ]
        if pool:
            layers.append(_layer(pool))
    layers.append(_layer("flatten"))
    for _ in range(k):
        layers += [_layer("dense", units=hidden), _layer(activation)]
    return NetworkSpec.of([*layers, _layer("dense", units=classes), _layer("softmax")])


def _layer(kind: str, **options: Any) -> Layer:
    layer: Layer = LAYERS[kind](**options)
    return layer
