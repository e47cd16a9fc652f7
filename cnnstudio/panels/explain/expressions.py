"""Terms as Python source: any explanation becomes an expression over named numbers."""

from __future__ import annotations

import math
import re

from engine.term import LEAVES, Term

MANY = 6
"""Sums of more terms than this become a sum over arrays."""

_FUNCTIONS = {
    "numpy": {"exp": "np.exp", "log": "np.log", "root": "np.sqrt", "tanh": "np.tanh", "abs": "abs", "sign": "np.sign"},
    "pytorch": {"exp": "torch.exp", "log": "torch.log", "root": "torch.sqrt", "tanh": "torch.tanh", "abs": "abs",
                "sign": "torch.sign"},
    "loop": {"exp": "math.exp", "log": "math.log", "root": "math.sqrt", "tanh": "math.tanh", "abs": "abs"},
}  # fmt: skip
_LETTERS = {"μ": "mu", "σ²": "variance", "γ": "gamma", "β": "beta", "δ": "delta", "λ₂": "l2", "λ₁": "l1", "β₁": "beta1",
            "β₂": "beta2", "ε": "epsilon", "1 − β₁": "one_minus_beta1", "1 − β₂": "one_minus_beta2"}  # fmt: skip
_BETWEEN = {"sum": " + ", "product": " * ", "difference": " - ", "quotient": " / ", "power": " ** "}


class Writer:
    """Writes terms for one language. `setup` names the numbers, `steps` are lines to run before the expression is true."""

    def __init__(self, language: str) -> None:
        self.setup: list[str] = []
        self.steps: list[str] = []
        self._language = language
        self._names: dict[object, str] = {}
        self._taken: set[str] = set()
        self._of_shared: dict[int, str] = {}

    def write(self, term: Term) -> str:
        """The expression for a term."""
        if term.op in LEAVES:
            return self._leaf(term)
        if term.op == "copy":
            return self.write(term.children[0])
        if term.op in ("sum", "mean", "max", "argmax") and len(term.children) > MANY:
            many = self._many(term)
            if many is not None:
                return many
        if id(term) in self._of_shared:
            return self._of_shared[id(term)]
        text = self._combined(term, [self.write(child) for child in term.children])
        if term.label:
            # A named intermediate, such as a mean, is computed once, however often it is used.
            name = self._new(_plain(term.label) or "part")
            self.steps.append(f"{name} = {text}")
            self._of_shared[id(term)] = text = name
        return text

    def _combined(self, term: Term, below: list[str]) -> str:
        match term.op:
            case "negative":
                return f"(-{below[0]})"
            case "square":
                return f"{below[0]} ** 2" if re.fullmatch(r"\w+", below[0]) else f"({below[0]}) ** 2"
            case "mean":
                return f"({' + '.join(below)}) / {len(below)}"
            case "max":
                return f"max({', '.join(below)})"
            case "argmax":
                return f"max(range({len(below)}), key=[{', '.join(below)}].__getitem__)"
            case "gate":
                return f"({below[1]} if {below[0]} > 0 else {below[2]})"
            case "equals":
                return f"float({below[0]} == {below[1]})"
            case "normal_cdf":
                erfc = "torch.erfc" if self._language == "pytorch" else "math.erfc"
                return f"0.5 * {erfc}(-{below[0]} / 2 ** 0.5)"
            case "sign" if self._language == "loop":
                return f"math.copysign(1.0 if {below[0]} else 0.0, {below[0]})"
        if term.op in _BETWEEN:
            return f"({_BETWEEN[term.op].join(below)})" if len(below) > 1 else below[0] if below else "0.0"
        return f"{_FUNCTIONS[self._language][term.op]}({below[0]})"

    def _leaf(self, term: Term) -> str:
        if term.op == "padding" or (term.op == "constant" and not term.label):
            return literal(term.value)
        key = term.ref or (term.label, term.value)
        if key not in self._names:
            short = term.ref.array.rpartition(".")[2] if term.ref is not None else ""
            name = self._new(_plain(term.label) or short or "number")
            value = literal(term.value)
            made = f"torch.tensor({value}, dtype=torch.float64)" if self._language == "pytorch" else value
            where = f"  # {term.ref}" if term.ref is not None else ""
            self.setup.append(f"{name} = {made}{where}")
            self._names[key] = name
        return self._names[key]

    def _many(self, term: Term) -> str | None:
        """A long operation over leaves, or a long sum over products of two; None for anything else."""
        children = term.children
        if all(child.op in LEAVES for child in children):
            cells = self._array("cells", list(children))
            return self._reduced(term.op, cells, len(children))
        pairs = [child.children for child in children if child.op == "product" and len(child.children) == 2]
        simple = len(pairs) == len(children) and all(leaf.op in LEAVES for pair in pairs for leaf in pair)
        if term.op != "sum" or not simple:
            return None
        a, b = self._array("a", [pair[0] for pair in pairs]), self._array("b", [pair[1] for pair in pairs])
        if self._language != "loop":
            return f"({a} * {b}).sum()"
        total = self._new("total")
        self.steps += [f"{total} = 0.0", f"for p, q in zip({a}, {b}):", f"    {total} += p * q"]
        return total

    def _reduced(self, op: str, cells: str, count: int) -> str:
        if self._language != "loop":
            return f"{cells}.{op}()"
        plain = {"sum": f"sum({cells})", "mean": f"sum({cells}) / {count}", "max": f"max({cells})",
                 "argmax": f"{cells}.index(max({cells}))"}  # fmt: skip
        return plain[op]

    def _array(self, base: str, terms: list[Term]) -> str:
        name = self._new(base)
        row = f"[{', '.join(literal(term.value) for term in terms)}]"
        made = {"numpy": f"np.array({row})", "pytorch": f"torch.tensor({row}, dtype=torch.float64)", "loop": row}
        self.setup.append(f"{name} = {made[self._language]}")
        return name

    def _new(self, base: str) -> str:
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return name


def _plain(label: str) -> str:
    """A symbol as a name of Python; empty when it makes none."""
    text = _LETTERS.get(label, label).replace(" ", "_")
    return text if text.isascii() and text.isidentifier() and text not in ("lambda", "longest") else ""


def literal(value: float) -> str:
    """A number as source, infinities included."""
    if math.isinf(value):
        return "math.inf" if value > 0 else "-math.inf"
    return "math.nan" if math.isnan(value) else repr(float(value))
