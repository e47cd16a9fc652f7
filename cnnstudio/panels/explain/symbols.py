"""Formulas as LaTeX in symbols: what a layer, a loss or an optimizer computes, forward, backward and in the update."""

from __future__ import annotations

from cnnstudio.panels.explain.subject import Subject, array_kind
from cnnstudio.panels.explain.words import translate
from engine.layers.input import Input
from engine.snapshot import Snapshot, UpdateFacts

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
# A sum is put in plain parentheses: those that grow with it grow beyond all bounds (ziamath).
_BACKWARD = {
    "conv": r"\frac{\partial E}{\partial x_{c,i,j}} = \sum_{f}\sum_{u}\sum_{v} W^{180^\circ}_{f,c,u,v}\,"
            r"\hat{\delta}_{f,\,i+u,\,j+v}",
    "max_pool": r"\frac{\partial E}{\partial x_{r}} = \sum_{i,j} \delta_{i,j}\,[\,r = \mathrm{argmax}_{i,j}\,]",
    "avg_pool": r"\frac{\partial E}{\partial x_{r}} = \sum_{i,j} \frac{\delta_{i,j}}{m}",
    "global_avg_pool": r"\frac{\partial E}{\partial x} = \frac{\delta}{H W}",
    "dense": r"\frac{\partial E}{\partial x_i} = \sum_{j} W_{j,i}\,\delta_j",
    "flatten": r"\frac{\partial E}{\partial x_{c,i,j}} = \delta_{(cH+i)W+j}",
    "relu": r"\frac{\partial E}{\partial x} = \begin{cases} \delta & x > 0 \\ 0 & x \le 0 \end{cases}",
    "leaky_relu": r"\frac{\partial E}{\partial x} = \begin{cases} \delta & x > 0 \\ \mathrm{slope}\cdot\delta & x \le 0"
                  r" \end{cases}",
    "elu": r"\frac{\partial E}{\partial x} = \begin{cases} \delta & x > 0 \\ \delta\,(y + \alpha) & x \le 0 \end{cases}",
    "gelu": r"\frac{\partial E}{\partial x} = \delta\,y', \quad y' = \Phi(x) + x\,\Phi'(x)",
    "sigmoid": r"\frac{\partial E}{\partial x} = \delta\, y\,(1 - y)",
    "tanh": r"\frac{\partial E}{\partial x} = \delta\,(1 - y^2)",
    "softmax": r"\frac{\partial E}{\partial x_k} = y_k\,(\delta_k - \sum_{j} \delta_j y_j)",
    "dropout": r"\frac{\partial E}{\partial x} = \delta \cdot m",
    "input": r"\frac{\partial E}{\partial x} = \delta\cdot\mathrm{gain}",
}
_CHAIN = r"\frac{\partial E}{\partial x} = \delta \cdot y'"
"""For a layer that has no line of its own."""
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
_OF_PROJECTION = {
    "pca": (r"y_k = a_k \sum_{p} A_{k,p}\,(x_p - \mathrm{offset}_p)\cdot\mathrm{gain}_p",
            r"\frac{\partial E}{\partial x_p} = \mathrm{gain}_p \sum_{k} A_{k,p}\, a_k\,\delta_k"),
    "zca_whitening": (r"y_p = \sum_{k} A_{k,p}\, z_k, \quad "
                      r"z_k = a_k \sum_{q} A_{k,q}\,(x_q - \mathrm{offset}_q)\cdot\mathrm{gain}_q",
                      r"\frac{\partial E}{\partial x_p} = \mathrm{gain}_p \sum_{k} A_{k,p}\, a_k \sum_{q} A_{k,q}\,\delta_q"),
}  # fmt: skip
"""With the principal axes A and their amplitudes a: (forward, backward)."""
_UPDATE = {
    "sgd": r"w \leftarrow w - \eta\, g",
    "momentum": r"w \leftarrow w - \eta\, v, \quad v \leftarrow \mu v + g",
    "nesterov": r"w \leftarrow w - \eta\,(g + \mu v), \quad v \leftarrow \mu v + g",
    "rmsprop": r"w \leftarrow w - \frac{\eta\, g}{\sqrt{s} + \varepsilon}",
    "adam": r"w \leftarrow w - \frac{\eta\,\hat{m}}{\sqrt{\hat{s}} + \varepsilon},\quad \hat{m} = \frac{m}{1-\beta_1^t},"
            r"\; \hat{s} = \frac{s}{1-\beta_2^t}",
    "adamw": r"w \leftarrow (1-\eta\lambda)\,w - \frac{\eta\,\hat{m}}{\sqrt{\hat{s}} + \varepsilon}",
}
_SLOTS = {
    "velocity": r"v \leftarrow \mu\, v + g",
    "mean": r"m \leftarrow \beta_1\, m + (1 - \beta_1)\, g",
    "square": r"s \leftarrow \beta_2\, s + (1 - \beta_2)\, g^2",
}


def symbols(subject: Subject) -> list[str]:
    """The formula in symbols, in one or two lines; none where a number was given and not computed."""
    if subject.kind in ("new", "new slot"):
        return _of_update(subject)
    if subject.kind in ("loss", "losses", "penalty", "gradient_norm"):
        return _of_whole_network(subject)
    if subject.kind == "delta" and subject.by is None:
        return [_delta_at_the_end(subject)]
    if subject.by is None:
        return []
    layer = subject.by.node.layer
    if isinstance(layer, Input) and layer.projection != "none":
        found = _OF_PROJECTION.get(layer.projection, _OF_PROJECTION["pca"])[subject.target == "x"]
    elif subject.target == "y":
        found = _FORWARD.get(layer.kind, "")
    elif subject.target == "x":
        found = _OF_BATCH_NORM[subject.batch] if layer.kind == "batch_norm" else _BACKWARD.get(layer.kind, _CHAIN)
    else:
        found = _GRADIENT.get((layer.kind, subject.target), "")
    return [found] if found else []


def meanings(subject: Subject) -> str:
    """What the letters with a hat stand for, which no picture names; empty where the formula has none."""
    formula = " ".join(symbols(subject))
    if r"\hat{x}_{" in formula:
        return translate("x̂: the padded input, s: the stride")
    if r"\hat{\delta}" in formula:
        return translate("δ̂: δ of the output, spread by the stride and padded")
    return translate("x̂: the normalised input") if r"\hat{x}" in formula else ""


def _of_update(subject: Subject) -> list[str]:
    """The optimizer's line, and what g is where it is not the gradient alone."""
    facts = subject.snapshot.update
    if facts is None or subject.owner is None:
        return []
    kind = facts.settings.optimizer.kind
    if subject.kind == "new":
        lines = [_UPDATE.get(kind, "")]
    else:
        slot = array_kind(subject.owner, subject.ref.array.rpartition(".")[2])[2]
        lines = [_SLOTS.get(slot, "").replace(r"\beta_2", r"\rho" if kind == "rmsprop" else r"\beta_2")]
    return [line for line in (*lines, _gradient_used(subject, facts)) if line]


def _gradient_used(subject: Subject, facts: UpdateFacts) -> str:
    """g with penalties and clipping; empty where it is the gradient itself."""
    assert subject.owner is not None
    settings, parameter = facts.settings, subject.owner.node.layer.params(subject.owner.x)[subject.target]
    text = r"\frac{\partial E}{\partial w}"
    if parameter.penalised and settings.l2:
        text += r" + \lambda_2 w"
    if parameter.penalised and settings.l1:
        text += r" + \lambda_1 \mathrm{sign}(w)"
    if facts.is_clipped(float(subject.snapshot["gradient_norm"])):
        inner = rf"\left({text}\right)" if " + " in text else text
        text = rf"{inner} \cdot \frac{{\mathrm{{longest}}}}{{\Vert g \Vert}}"
    return f"g = {text}" if text != r"\frac{\partial E}{\partial w}" else ""


def _of_whole_network(subject: Subject) -> list[str]:
    snapshot, facts = subject.snapshot, subject.snapshot.update
    if subject.kind == "gradient_norm":
        return [r"\Vert g \Vert = \sqrt{\sum g^2}"]
    if subject.kind == "penalty":
        settings = facts.settings if facts is not None else None
        parts = [r"\frac{\lambda_2}{2}\sum w^2"] if settings is not None and settings.l2 else []
        parts += [r"\lambda_1 \sum |w|"] if settings is not None and settings.l1 else []
        return [r"\mathrm{penalty} = " + (" + ".join(parts) or "0")]
    if subject.kind == "loss" and subject.batch:
        return [r"E = \frac{1}{N}\sum_{n} E_n + \mathrm{penalty}"]
    if snapshot.loss_function.kind == "squared_error":
        return [r"E = \frac{1}{2}\sum_{k} (y_k - t_k)^2"]
    if _head(snapshot) == "sigmoid":
        return [r"E = -\sum_{k} \left(t_k \ln y_k + (1 - t_k) \ln(1 - y_k)\right)"]
    if _head(snapshot) == "softmax":
        return [r"E = -\sum_{k} t_k \ln y_k"]
    return [r"E = -\sum_{k} t_k \ln \frac{e^{z_k}}{\sum_j e^{z_j}}"]


def _delta_at_the_end(subject: Subject) -> str:
    """∂E/∂y of a closing layer that is fused with the loss, or where back-propagation begins."""
    snapshot, head = subject.snapshot, _head(subject.snapshot)
    share = r"\frac{1}{N}\," if subject.batch else ""
    fused = head in snapshot.loss_function.fused_with
    if fused and subject.owner is not None and subject.owner.node.id == snapshot.spec.nodes[-1].id:
        if head == "sigmoid":
            ends = r"-\frac{t_k}{y_k} + \frac{1 - t_k}{1 - y_k}"
            return r"\frac{\partial E}{\partial y_k} = " + (rf"{share}\left({ends}\right)" if share else ends)
        return rf"\frac{{\partial E}}{{\partial y_k}} = -{share}\frac{{t_k}}{{y_k}}"
    output = "y_k" if fused or snapshot.loss_function.kind == "squared_error" else r"\frac{e^{z_k}}{\sum_j e^{z_j}}"
    return rf"\delta_k = {share}({output} - t_k)" if share else rf"\delta_k = {output} - t_k"


def _head(snapshot: Snapshot) -> str:
    """The kind of the closing layer."""
    return snapshot.spec.nodes[-1].layer.kind
