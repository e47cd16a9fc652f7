"""How the weights of a batch snapshot were updated: penalties, clipping, the optimizer's slots, and the new weight."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.layer import Array
from engine.snapshot import Snapshot, UpdateFacts
from engine.term import CellRef, Term, constant, lazy, term
from engine.view import all_cells_of, cell_of


def explain_update(snapshot: Snapshot, ref: CellRef) -> Term | None:
    """A new weight ("conv1.W_after") or a new slot ("conv1.W_velocity_after"); None for all other arrays."""
    for name, penalised in _parameters(snapshot).items():
        part = ref.array.removeprefix(name)
        if snapshot.update and part.startswith("_") and part.endswith("_after"):
            return _explain_new(snapshot, snapshot.update, name, part, ref.index, penalised)
    return None


def _explain_new(snapshot: Snapshot, facts: UpdateFacts, name: str, part: str, index: tuple[int, ...], penalised: bool) -> Term:
    """The new slot "_velocity_after" or the new weight "_after" of one parameter."""
    optimizer = facts.settings.optimizer

    def cell(array: str, label: str = "") -> Term:
        return cell_of(snapshot.arrays, CellRef(array, index), label)

    gradient = _with_penalties(cell(_gradient_of(name), "g"), cell(name, "w"), facts, penalised)
    if facts.is_clipped(float(snapshot["gradient_norm"])):
        norm = cell_of(snapshot.arrays, CellRef("gradient_norm"), "‖g‖")
        gradient = gradient * (constant(facts.settings.clip_norm, "longest") / norm)
    slots = optimizer.explain_slots(gradient, {slot: cell(f"{name}_{slot}", slot) for slot in optimizer.slots})
    if part != "_after":
        return slots[part.removeprefix("_").removesuffix("_after")]
    new = {slot: found.at(CellRef(f"{name}_{slot}_after", index), float(snapshot[f"{name}_{slot}_after"][index])).named(slot)
           for slot, found in slots.items()}
    return optimizer.explain(cell(name, "w"), gradient, new, constant(facts.learning_rate, "lr"), facts.t, penalised)


def explain_penalty(snapshot: Snapshot, facts: UpdateFacts) -> Term:
    """½·λ₂·Σw² + λ₁·Σ|w| over the penalised weights; one part for each array of them."""
    weights = [all_cells_of(snapshot.arrays, name) for name, penalised in _parameters(snapshot).items() if penalised]
    parts = []
    if facts.settings.l2:
        squares = term("sum", *(_sum("square", w.numbers @ w.numbers, w.array, w.terms) for w in weights))
        parts.append(0.5 * constant(facts.settings.l2, "λ₂") * squares)
    if facts.settings.l1:
        sizes = term("sum", *(_sum("abs", np.abs(w.numbers).sum(), w.array, w.terms) for w in weights))
        parts.append(constant(facts.settings.l1, "λ₁") * sizes)
    return term("sum", *parts)


def explain_norm(snapshot: Snapshot, facts: UpdateFacts) -> Term:
    """‖g‖ = √(Σ g²) over the gradients of all parameters, penalties included; one part for each array of them."""
    return term("root", term("sum", *(_squares(snapshot, facts, *of) for of in _parameters(snapshot).items())))


def _squares(snapshot: Snapshot, facts: UpdateFacts, name: str, penalised: bool) -> Term:
    """Σ g² over one array of parameters."""
    w, raw = (all_cells_of(snapshot.arrays, array) for array in (name, _gradient_of(name)))
    g = raw.numbers + penalised * (facts.settings.l2 * w.numbers + facts.settings.l1 * np.sign(w.numbers))
    return _sum("square", g @ g, name, lambda: [
        _with_penalties(*pair, facts, penalised) for pair in zip(raw.terms(), w.terms(), strict=True)])


def _sum(op: str, value: Array, name: str, make: Callable[[], list[Term]]) -> Term:
    """The sum of a function of all the terms that belong to one array of parameters."""
    return lazy("sum", value, lambda: [term(op, t) for t in make()]).of(name, 0)


def _with_penalties(g: Term, w: Term, facts: UpdateFacts, penalised: bool) -> Term:
    """g + λ₂·w + λ₁·sign(w)."""
    if penalised and facts.settings.l2:
        g = g + constant(facts.settings.l2, "λ₂") * w
    if penalised and facts.settings.l1:
        g = g + constant(facts.settings.l1, "λ₁") * term("sign", w)
    return g


def _parameters(snapshot: Snapshot) -> dict[str, bool]:
    """All parameters by their names in the snapshot, and whether penalties and weight decay apply to them."""
    return {name: param.penalised for name, param in snapshot.spec.params().items()}


def _gradient_of(name: str) -> str:
    """"conv1.W" -> "conv1.dW"."""
    layer, _, parameter = name.rpartition(".")
    return f"{layer}.d{parameter}"
