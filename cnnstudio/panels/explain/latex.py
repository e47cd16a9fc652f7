"""Formulas as LaTeX: a line of symbols for what was computed, and lines with the numbers of one cell."""

from __future__ import annotations

import math
import re

from cnnstudio.panels.explain.subject import Subject
from engine.term import LEAVES, Term

LONGEST_SUM = 6
"""Terms of a sum that are written out; a longer one shows its first and last."""
LONGEST_LINE = 40
"""Letters after which a sum goes on in the next line."""

_CHAIN = r"\frac{\partial E}{\partial x} = \delta \cdot y'"

_FORWARD = {
    "conv": r"y_{f,i,j} = \sum_{c}\sum_{u}\sum_{v} W_{f,c,u,v}\,\hat{x}_{c,\,is+u,\,js+v} + b_f",
    "max_pool": r"y_{c,i,j} = \max_{u,v}\; \hat{x}_{c,\,is+u,\,js+v}",
    "avg_pool": r"y_{c,i,j} = \frac{1}{m}\sum_{u}\sum_{v} \hat{x}_{c,\,is+u,\,js+v}",
    "global_avg_pool": r"y_{c} = \frac{1}{H W}\sum_{i}\sum_{j} x_{c,i,j}",
    "dense": r"y_{j} = \sum_{i} W_{j,i}\, x_{i} + b_j",
    "flatten": r"y_{(cH+i)W+j} = x_{c,i,j}",
    "relu": r"y = \max(0,\, x)",
    "leaky_relu": r"y = \begin{cases} x & x > 0 \\ \mathrm{slope}\cdot x & x \le 0 \end{cases}",
    "elu": r"y = \begin{cases} x & x > 0 \\ \alpha\,(e^{x}-1) & x \le 0 \end{cases}",
    "gelu": r"y = x\,\Phi(x)",
    "sigmoid": r"y = \frac{1}{1 + e^{-x}}",
    "tanh": r"y = \tanh x",
    "softmax": r"y_k = \frac{e^{x_k}}{\sum_{j} e^{x_j}}",
    "batch_norm": r"y = \gamma\,\frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta",
    "dropout": r"y = x \cdot m",
    "input": r"y = (x - \mathrm{offset})\cdot\mathrm{gain}",
}
_BACKWARD = {
    "conv": r"\frac{\partial E}{\partial x_{c,i,j}} = \sum_{f}\sum_{u}\sum_{v} W^{180^\circ}_{f,c,u,v}\,"
            r"\hat{\delta}_{f,\,i+u,\,j+v}",
    "max_pool": r"\frac{\partial E}{\partial x_{r}} = \sum_{i,j} \delta_{i,j}\,[\,r = \mathrm{argmax}_{i,j}\,]",
    "avg_pool": r"\frac{\partial E}{\partial x_{r}} = \sum_{i,j} \frac{\delta_{i,j}}{m}",
    "global_avg_pool": r"\frac{\partial E}{\partial x} = \frac{\delta}{H W}",
    "dense": r"\frac{\partial E}{\partial x_i} = \sum_{j} W_{j,i}\,\delta_j",
    "flatten": r"\frac{\partial E}{\partial x_{c,i,j}} = \delta_{(cH+i)W+j}",
    "relu": r"\frac{\partial E}{\partial x} = \begin{cases} \delta & x > 0 \\ 0 & x \le 0 \end{cases}",
    "sigmoid": r"\frac{\partial E}{\partial x} = \delta\, y\,(1 - y)",
    "tanh": r"\frac{\partial E}{\partial x} = \delta\,(1 - y^2)",
    "softmax": r"\frac{\partial E}{\partial x_k} = y_k\left(\delta_k - \sum_{j} \delta_j y_j\right)",
    "dropout": r"\frac{\partial E}{\partial x} = \delta \cdot m",
    "input": r"\frac{\partial E}{\partial x} = \delta\cdot\mathrm{gain}",
}
_GRADIENT = {
    ("conv", "W"): r"\frac{\partial E}{\partial W_{f,c,u,v}} = \sum_{n}\sum_{i}\sum_{j} \delta_{n,f,i,j}\,"
                   r"\hat{x}_{n,c,\,is+u,\,js+v}",
    ("conv", "b"): r"\frac{\partial E}{\partial b_f} = \sum_{n}\sum_{i}\sum_{j} \delta_{n,f,i,j}",
    ("dense", "W"): r"\frac{\partial E}{\partial W_{j,i}} = \sum_{n} \delta_{n,j}\, x_{n,i}",
    ("dense", "b"): r"\frac{\partial E}{\partial b_j} = \sum_{n} \delta_{n,j}",
    ("batch_norm", "gamma"): r"\frac{\partial E}{\partial \gamma} = \sum \delta\,\hat{x}",
    ("batch_norm", "beta"): r"\frac{\partial E}{\partial \beta} = \sum \delta",
}
_OF_BATCH_NORM = {
    True: r"\frac{\partial E}{\partial x} = \frac{\gamma}{\sqrt{\sigma^2+\varepsilon}}"
          r"\left(\delta - \frac{\Sigma\delta}{m} - \hat{x}\,\frac{\Sigma\delta\hat{x}}{m}\right)",
    False: r"\frac{\partial E}{\partial x} = \frac{\gamma}{\sqrt{\sigma^2+\varepsilon}}\,\delta",
}
_UPDATE = {
    "sgd": r"w \leftarrow w - \eta\, g",
    "momentum": r"w \leftarrow w - \eta\, v, \quad v \leftarrow \mu v + g",
    "nesterov": r"w \leftarrow w - \eta\,(g + \mu v), \quad v \leftarrow \mu v + g",
    "rmsprop": r"w \leftarrow w - \frac{\eta\, g}{\sqrt{s} + \varepsilon}",
    "adam": r"w \leftarrow w - \frac{\eta\,\hat{m}}{\sqrt{\hat{s}} + \varepsilon},\quad \hat{m} = \frac{m}{1-\beta_1^t},"
            r"\; \hat{s} = \frac{s}{1-\beta_2^t}",
    "adamw": r"w \leftarrow (1-\eta\lambda)\,w - \frac{\eta\,\hat{m}}{\sqrt{\hat{s}} + \varepsilon}",
}
_LABELS = {"λ": r"\lambda", "ε": r"\varepsilon", "μ": r"\mu", "σ²": r"\sigma^2", "γ": r"\gamma", "β": r"\beta", "δ": r"\delta"}


def symbols(subject: Subject) -> str:
    """The formula in symbols; empty where a number was given and not computed."""
    snapshot = subject.snapshot
    if subject.kind == "new" and snapshot.update is not None:
        return _UPDATE.get(snapshot.update.settings.optimizer.kind, "")
    if subject.kind in ("loss", "losses"):
        if subject.kind == "loss" and subject.batch:
            return r"E = \frac{1}{N}\sum_{n} E_n + \mathrm{penalty}"
        squared = snapshot.loss_function.kind == "squared_error"
        return r"E = \frac{1}{2}\sum_{k} (y_k - t_k)^2" if squared else r"E = -\sum_{k} t_k \ln y_k"
    if subject.kind == "delta" and subject.by is None:
        share = r"\frac{1}{N}\," if subject.batch else ""
        head = snapshot.spec.nodes[-1]
        at_the_end = subject.owner is not None and subject.owner.node.id == head.id
        if at_the_end and head.layer.kind in snapshot.loss_function.fused_with:
            return rf"\frac{{\partial E}}{{\partial y_k}} = -{share}\frac{{t_k}}{{y_k}}"
        return rf"\delta_k = {share}(y_k - t_k)"
    if subject.by is None:
        return ""
    kind = subject.by.node.layer.kind
    if subject.target == "y":
        return _FORWARD.get(kind, "")
    if subject.target == "x":
        return _OF_BATCH_NORM[subject.batch] if kind == "batch_norm" else _BACKWARD.get(kind, _CHAIN)
    return _GRADIENT.get((kind, subject.target), "")


def numbers(subject: Subject, part: int) -> list[str]:
    """The same with numbers: the whole first, then the partial sum in view."""
    term = subject.term
    if term.op in LEAVES:
        return []
    lines = _cut(f"{number(term.value)} = {latex(term)}", term)
    parts = subject.parts
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
            lines.append(rf"\quad + {piece}")
        else:
            lines[-1] += f" + {piece}"
    return lines


def _length(text: str) -> int:
    """About as many letters as the formula will have."""
    return len(re.sub(r"\\[a-z]+|[{}^_\\]", "", text))


def number(value: float) -> str:
    """A number in four significant digits, powers of ten as such."""
    if math.isnan(value):
        return r"\mathrm{nan}"
    if math.isinf(value):
        return r"\infty" if value > 0 else r"{-}\infty"
    text = f"{abs(value):.4g}"
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
        case "sum":
            return _joined([_added(child, depth) for child in _ends(children)], len(children), "+")
        case "product":
            return r" \cdot ".join(_factor(child, depth) for child in children)
        case "max" | "argmax" | "mean":
            inside = [latex(child, depth + 1) for child in _ends(children)]
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


def _ends(children: tuple[Term, ...]) -> tuple[Term, ...]:
    """The terms of a sum that are written out."""
    return children if len(children) <= LONGEST_SUM else (*children[:3], *children[-1:])


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
