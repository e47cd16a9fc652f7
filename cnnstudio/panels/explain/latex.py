"""Formulas as LaTeX with the numbers of one cell: the whole first, then the partial sum in view."""

from __future__ import annotations

import math
import re

import numpy as np

from cnnstudio.panels.explain.subject import Subject
from cnnstudio.widgets.formula import GOES_ON
from engine.term import LEAVES, Term

DIGITS = 5
"""Significant digits, as many as the number above the formula has: a reader who adds the terms gets the sum."""
LONGEST_SUM = 6
"""Terms of a sum that are written out; a longer one shows its first and last."""
LONGEST_LINE = 40
"""Letters after which a sum goes on in the next line."""
LONGEST_WHOLE = 55
"""Letters after which a formula that cannot be cut shows numbers one level earlier."""


def numbers(subject: Subject, part: int) -> list[str]:
    """The same with numbers: the whole first, then the partial sum in view."""
    term = subject.term
    if term.op in LEAVES:
        return []
    whole = latex(term)
    if term.op != "sum" and _length(whole) > LONGEST_WHOLE:
        whole = latex(term, 2)
    lines = _cut(f"{number(term.value)} = {whole}", term)
    parts = subject.parts
    if not parts:
        long = next((child for child in term.children if callable(child.inner) and child.op in ("sum", "mean")), None)
        lines += _cut(f"{number(long.value)} = {latex(long)}", long) if long is not None else []
    if len(parts) > 1 or (parts and parts[0] is not term):
        chosen = parts[min(part, len(parts) - 1)]
        lines += _cut(f"{number(chosen.value)} = {latex(chosen)}", chosen)
    return lines


def _cut(text: str, term: Term) -> list[str]:
    """A long sum in several lines."""
    if term.op != "sum":
        return [text]
    first, *pieces = text.split(" + ")
    lines = [first]
    for piece in pieces:
        if _length(lines[-1]) + _length(piece) > LONGEST_LINE:
            lines.append(rf"{GOES_ON} + {piece}")
        else:
            lines[-1] += f" + {piece}"
    return lines


def _length(text: str) -> int:
    """About as many letters as the formula will have."""
    return len(re.sub(r"\\[a-z]+|[{}^_\\]", "", text))


def number(value: float) -> str:
    """A number in `DIGITS` significant digits, powers of ten as such; in fewer where they give it exactly: 0, 0.9."""
    if math.isnan(value):
        return r"\mathrm{nan}"
    if math.isinf(value):
        return r"\infty" if value > 0 else r"{-}\infty"
    short = f"{abs(value):.{DIGITS}g}"
    # An exact number may come as a float32: 0.9 is then 0.89999998.
    text = short if np.float32(float(short)) == np.float32(abs(value)) else f"{abs(value):#.{DIGITS}g}".rstrip(".")
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = rf"{mantissa}\cdot 10^{{{int(exponent)}}}"
    return f"{{-}}{text}" if value < 0 else text  # braces: a sign, not a difference


def latex(term: Term, depth: int = 0) -> str:
    """How a term was computed, with the numbers of the terms below; what lies deeper than three levels is a number."""
    if term.op in LEAVES or (depth and (term.part is not None or term.label or callable(term.inner))) or depth > 3:
        return number(term.value)
    children = term.children
    below = [latex(child, depth + 1) for child in children[:2]] if term.op not in ("sum", "max", "mean", "product") else []
    match term.op:
        case "sum" if not children:
            return number(term.value)
        case "sum":
            return _joined([_added(child, depth) for child in _ends(children, depth)], len(children), "+")
        case "product":
            return r" \cdot ".join(_factor(child, depth) for child in children)
        case "max" | "argmax" | "mean":
            inside = [latex(child, depth + 1) for child in _ends(children, depth)]
            return rf"\mathrm{{{term.op}}}({_joined(inside, len(children), ',')})"
        case "difference":
            return f"{below[0]} - {_factor(children[1], depth)}"
        case "quotient":
            return rf"\frac{{{below[0]}}}{{{below[1]}}}"
        case "negative":
            return f"-{_factor(children[0], depth)}"
        case "exp":
            return f"e^{{{below[0]}}}"
        case "log":
            return rf"\ln\left({below[0]}\right)"
        case "root":
            return rf"\sqrt{{{below[0]}}}"
        case "square":
            return f"{_factor(children[0], depth, always=True)}^2"
        case "power":
            return f"{_factor(children[0], depth, always=True)}^{{{below[1]}}}"
        case "abs":
            return f"|{below[0]}|"
        case "tanh":
            return rf"\tanh\left({below[0]}\right)"
        case "gate":
            x = number(children[0].value)
            chosen = latex(children[1] if children[0].value > 0 else children[2], depth + 1)
            sign = ">" if children[0].value > 0 else r"\le"
            return rf"{chosen}\;\;[{x} {sign} 0]"
        case "equals":
            sign = "=" if children[0].value == children[1].value else r"\neq"
            return f"[{number(children[0].value)} {sign} {number(children[1].value)}]"
        case "sign":
            return rf"\mathrm{{sign}}({below[0]})"
        case "normal_cdf":
            return rf"\Phi({below[0]})"
    return below[0] if below else number(term.value)


def _ends(children: tuple[Term, ...], depth: int) -> tuple[Term, ...]:
    """The terms of a sum that are written out; fewer in a fraction or a root, which cannot be cut into lines."""
    return children if len(children) <= LONGEST_SUM else (*children[:2 if depth else 3], *children[-1:])


def _joined(texts: list[str], count: int, sign: str) -> str:
    if count > len(texts):
        texts = [*texts[:-1], r"\cdots", texts[-1]]
    return f" {sign} ".join(texts)


def _added(child: Term, depth: int) -> str:
    """A term of a sum: in parentheses where it would begin with a minus."""
    text = latex(child, depth + 1)
    return rf"({text})" if text.startswith(("-", "{-}")) else text


def _factor(child: Term, depth: int, *, always: bool = False) -> str:
    """A factor: in parentheses where it begins with a minus or is a sum."""
    text = latex(child, depth + 1)
    compound = child.op in ("sum", "difference", "negative") and child.op not in LEAVES and not callable(child.inner)
    return rf"({text})" if always or compound or text.startswith(("-", "{-}")) else text
