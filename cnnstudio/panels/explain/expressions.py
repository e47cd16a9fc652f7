"""Terms as Python source: any explanation becomes an expression over named numbers."""

from __future__ import annotations

import math
import re

from cnnstudio.panels.explain.names import Names
from engine.term import LEAVES, Term

MANY = 6
"""Sums of more terms than this become a sum over arrays."""

ALIKE = ("sum", "product", "difference", "quotient", "negative", "square", "root", "exp", "log", "abs", "sign")
"""What can be done to whole arrays as it is to numbers."""

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

    def __init__(self, language: str, names: Names) -> None:
        self.setup: list[str] = []
        self.steps: list[str] = []
        self._language, self._cells = language, names
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
            where = f"  # {self._cells.cell(term.ref)}" if term.ref is not None else ""
            self.setup.append(f"{name} = {made}{where}")
            self._names[key] = name
        return self._names[key]

    def _many(self, term: Term) -> str | None:
        """A long operation over terms that are all made alike, as sums of products are; None for anything else."""
        children = list(term.children)
        if all(child.op in LEAVES for child in children):
            return self._reduced(term.op, self._array("cells", children), len(children))
        if term.op not in ("sum", "mean"):
            return None
        saved = list(self.setup), list(self.steps), set(self._taken), dict(self._names), dict(self._of_shared)
        arrays: list[tuple[str, str]] = []
        text = self._alike(children, arrays)
        if text is None:
            self.setup, self.steps, self._taken, self._names, self._of_shared = saved
            return None
        if self._language != "loop":
            return f"({text}).{term.op}()"
        total = self._new("total")
        variables, lists = ", ".join(v for v, _ in arrays), ", ".join(a for _, a in arrays)
        over = f"zip({lists})" if len(arrays) > 1 else lists
        self.steps += [f"{total} = 0.0", f"for {variables} in {over}:", f"    {total} += {text}"]
        return f"{total} / {len(children)}" if term.op == "mean" else total

    def _alike(self, terms: list[Term], arrays: list[tuple[str, str]]) -> str | None:
        """One expression for many terms of the same form: cells that differ become arrays (in loops, a variable over a list)."""
        first = terms[0]
        if all(term is first for term in terms):
            return self.write(first)
        if all(term.op in LEAVES for term in terms):
            if all(term.ref is None and term.value == first.value and term.label == first.label for term in terms):
                return self.write(first)
            name = self._array("abcdefgh"[min(len(arrays), 7)], terms)
            variable = self._new("pqrstuvw"[min(len(arrays), 7)]) if self._language == "loop" else name
            arrays.append((variable, name))
            return variable
        count = len(first.children) if first.op in ALIKE and first.op not in LEAVES else 0
        if not count or count > MANY or any(term.op != first.op or len(term.children) != count for term in terms):
            return None
        below = []
        for k in range(count):
            text = self._alike([term.children[k] for term in terms], arrays)
            if text is None:
                return None
            below.append(text)
        return self._combined(first, below)

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
