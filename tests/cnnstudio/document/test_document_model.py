"""Any sequence of edits, undo, redo, save and reload leaves the document as an independent model says."""

from __future__ import annotations

import copy
import json
from itertools import pairwise
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from PySide6.QtWidgets import QApplication

from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph, Place
from engine.errors import EngineError
from engine.layer import LAYERS

Model = dict[str, Any]
"""{"chains": lists of ids, "kinds": id -> kind, "names": id -> name, "depth": id -> depth of a convolution}
"""
KINDS = ("input", "conv", "relu", "max_pool", "flatten", "dense", "softmax")


class DocumentMachine(RuleBasedStateMachine):
    """Does every edit twice: with the document, and on plain lists of ids."""

    def __init__(self) -> None:
        super().__init__()
        self.app = QApplication.instance() or QApplication([])
        self.document = Document()
        self.model: Model = {"chains": [], "kinds": {}, "names": {}, "depth": {}}
        self.past: list[Model] = []
        self.future: list[Model] = []

    # --- the model ---

    def ids(self) -> list[str]:
        return sorted(self.model["kinds"])

    def pick(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(self.ids()))

    def where(self, block_id: str) -> tuple[int, int]:
        for c, chain in enumerate(self.model["chains"]):
            if block_id in chain:
                return c, chain.index(block_id)
        raise AssertionError(block_id)

    def commit(self, model: Model) -> None:
        """A step of the history, unless nothing changed."""
        model["chains"] = [chain for chain in model["chains"] if chain]
        if canonical(model) != canonical(self.model):
            self.past.append(self.model)
            self.future.clear()
            self.model = model

    def legal(self, model: Model) -> bool:
        return all(model["kinds"][i] != "input" for chain in model["chains"] for i in chain[1:])

    def do(self, model: Model, edit: Any) -> None:
        """The document must refuse exactly what the model calls illegal."""
        if self.legal(model):
            edit()
            self.commit(model)
            return
        before = self.document.graph
        try:
            edit()
        except EngineError:
            assert self.document.graph is before
        else:
            raise AssertionError("an Input block inside a chain was accepted")

    # --- the edits ---

    @rule(kind=st.sampled_from(KINDS), x=st.integers(0, 2000), y=st.integers(0, 2000))
    def add_loose(self, kind: str, x: int, y: int) -> None:
        block_id = self.document.place(kind, Place(), (x, y))
        model = copy.deepcopy(self.model)
        assert block_id not in model["kinds"]
        model["kinds"][block_id] = kind
        model["chains"].append([block_id])
        self.commit(model)

    @precondition(lambda self: self.model["kinds"])
    @rule(data=st.data(), kind=st.sampled_from(KINDS), behind=st.booleans())
    def put_beside(self, data: st.DataObject, kind: str, behind: bool) -> None:
        anchor = self.pick(data)
        c, i = self.where(anchor)
        chain = self.model["chains"][c]
        if behind:
            place = Place(anchor, chain[i + 1] if i + 1 < len(chain) else None)
        else:
            place = Place(chain[i - 1] if i else None, anchor)
        model = copy.deepcopy(self.model)
        new_id, _ = "new", model["kinds"].update(new=kind)
        model["chains"][c].insert(i + behind, "new")
        if not self.legal(model):
            self.do(model, lambda: self.document.place(kind, place))
            return
        new_id = self.document.place(kind, place)
        model["chains"][c][i + behind] = new_id
        model["kinds"][new_id] = model["kinds"].pop("new")
        self.commit(model)

    @precondition(lambda self: self.model["kinds"])
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        gone = data.draw(st.sets(st.sampled_from(self.ids()), min_size=1, max_size=3))
        model = copy.deepcopy(self.model)
        model["chains"] = [[i for i in chain if i not in gone] for chain in model["chains"]]
        for table in ("kinds", "names", "depth"):
            model[table] = {i: v for i, v in model[table].items() if i not in gone}
        self.do(model, lambda: self.document.remove(sorted(gone)))

    @precondition(lambda self: len(self.model["kinds"]) > 1)
    @rule(data=st.data())
    def connect(self, data: st.DataObject) -> None:
        first, second = self.pick(data), self.pick(data)
        (c, i), (d, j) = self.where(first), self.where(second)
        model = copy.deepcopy(self.model)
        chains = model["chains"]
        illegal = self.model["kinds"][second] == "input" or (c == d and j <= i)
        if not illegal:
            head, tail = chains[c], chains[d]
            left_over = [head[i + 1 : j]] if c == d else [head[i + 1 :], tail[:j]]
            chains[:] = [ch for k, ch in enumerate(chains) if k not in (c, d)] + [head[: i + 1] + tail[j:], *left_over]
            self.do(model, lambda: self.document.connect_blocks(first, second))
            return
        before = self.document.graph
        try:
            self.document.connect_blocks(first, second)
        except EngineError:
            assert self.document.graph is before
        else:
            raise AssertionError("an impossible wire was accepted")

    @precondition(lambda self: any(len(chain) > 1 for chain in self.model["chains"]))
    @rule(data=st.data())
    def cut(self, data: st.DataObject) -> None:
        wires = [(a, b) for chain in self.model["chains"] for a, b in pairwise(chain)]
        wire = data.draw(st.sampled_from(wires))
        c, i = self.where(wire[0])
        model = copy.deepcopy(self.model)
        chain = model["chains"][c]
        model["chains"][c] = chain[: i + 1]
        model["chains"].append(chain[i + 1 :])
        self.do(model, lambda: self.document.detach(wire))

    @precondition(lambda self: self.model["kinds"])
    @rule(data=st.data(), x=st.integers(0, 2000))
    def take_out(self, data: st.DataObject, x: int) -> None:
        block_id = self.pick(data)
        c, i = self.where(block_id)
        model = copy.deepcopy(self.model)
        alone = len(model["chains"][c]) == 1
        model["chains"][c].pop(i)
        model["chains"].append([block_id])
        if alone:  # only moves, which the model does not record
            self.document.move({block_id: (x + 0.5, len(self.past) + 0.25)})
            self.past.append(self.model)
            self.future.clear()
            return
        self.do(model, lambda: self.document.take_out(block_id, (x, 900)))

    @precondition(lambda self: "conv" in self.model["kinds"].values())
    @rule(data=st.data(), depth=st.integers(1, 9))
    def set_depth(self, data: st.DataObject, depth: int) -> None:
        block_id = data.draw(st.sampled_from([i for i, k in self.model["kinds"].items() if k == "conv"]))
        self.document.finish_editing()
        self.document.set_option(block_id, "depth", depth)
        model = copy.deepcopy(self.model)
        model["depth"][block_id] = depth
        self.commit(model)

    @precondition(lambda self: self.model["kinds"])
    @rule(data=st.data(), name=st.sampled_from(["", "mine", "层"]))
    def rename(self, data: st.DataObject, name: str) -> None:
        block_id = self.pick(data)
        self.document.rename(block_id, name)
        model = copy.deepcopy(self.model)
        model["names"][block_id] = name
        self.commit(model)

    @rule()
    def undo(self) -> None:
        assert self.document.undo_stack.canUndo() == bool(self.past)
        self.document.undo_stack.undo()
        if self.past:
            self.future.append(self.model)
            self.model = self.past.pop()

    @rule()
    def redo(self) -> None:
        assert self.document.undo_stack.canRedo() == bool(self.future)
        self.document.undo_stack.redo()
        if self.future:
            self.past.append(self.model)
            self.model = self.future.pop()

    @rule()
    def save_and_reload(self) -> None:
        text = json.dumps(self.document.to_json())
        assert Graph.from_json(json.loads(text)) == self.document.graph

    # --- what must hold after every edit ---

    @invariant()
    def the_document_is_what_the_model_says(self) -> None:
        graph = self.document.graph
        chains = [[block.id for block in chain] for chain in graph.chains]
        assert sorted(chains) == sorted(self.model["chains"])
        for block in graph:
            assert block.node.layer.kind == self.model["kinds"][block.id]
            assert block.node.name == self.model["names"].get(block.id, "")
            if block.id in self.model["depth"]:
                assert block.node.layer.depth == self.model["depth"][block.id]  # type: ignore[attr-defined]

    @invariant()
    def every_block_is_fine_or_says_what_it_misses(self) -> None:
        derived = self.document.derived
        for block in self.document.graph:
            assert (block.id in derived.placed) != (derived.problem(block.id) is not None)


def canonical(model: Model) -> Any:
    chains = sorted(chain for chain in model["chains"] if chain)
    depth = {i: model["depth"].get(i, LAYERS["conv"]().depth) for i, k in model["kinds"].items() if k == "conv"}  # type: ignore[attr-defined]
    return chains, model["kinds"], {i: n for i, n in model["names"].items() if n}, depth


DocumentMachine.TestCase.settings = settings(max_examples=20, stateful_step_count=200)
TestDocumentModel = DocumentMachine.TestCase
