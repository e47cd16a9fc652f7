"""The document: the graph that is being edited, its undo history, and one method for every gesture of the
user.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoStack

from cnnstudio.document import clipboard, layout, places
from cnnstudio.document.commands import Edit
from cnnstudio.document.derived import Derived, derive
from cnnstudio.document.graph import Block, Graph, Place, Point, Wire
from cnnstudio.document.words import block_name, layer_title, say
from engine.errors import Fix, SpecError
from engine.layer import LAYERS, Layer
from engine.spec import NetworkSpec, Node, free_id


class Document(QObject):
    """Holds one graph and pushes one undo step for every edit.

    Every editing method builds the new graph first and raises EngineError when the edit is impossible; then
    nothing has changed. New blocks never get an id that was used before, so that they do not inherit the
    weights of a removed block.
    """

    graph_changed = Signal(object, object)
    """(graph before, graph after), for every edit, undo and redo."""
    modified_changed = Signal(bool)
    blocks_added = Signal(object)
    """The ids of the blocks that an edit of the user has just put in, so that a view can select them."""

    def __init__(self, graph: Graph | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self.undo_stack.cleanChanged.connect(self._report_modified)
        self._graph = graph or Graph()
        self._derived: Derived | None = None
        self._used_ids = set(self._graph.ids)
        self._weights_changed = self._file_missing = False
        self._was_modified = False
        self._merge_round = 0

    # --- looking ---

    @property
    def graph(self) -> Graph:
        """The present graph, an immutable value."""
        return self._graph

    @property
    def spec(self) -> NetworkSpec:
        """The network: the chain that begins with Input; empty without one."""
        return self.derived.spec

    @property
    def derived(self) -> Derived:
        """Shapes, errors, formula and analysis of the present graph."""
        if self._derived is None:
            self._derived = derive(self._graph)
        return self._derived

    @property
    def title(self) -> str:
        """The name of the network, as in the window's title."""
        return self._graph.title

    @property
    def training(self) -> Mapping[str, Any]:
        """The training settings, as the session wrote them."""
        return self._graph.training

    @property
    def data(self) -> Any:
        """The choice of the data set, as the session wrote it."""
        return self._graph.data

    def name_of(self, block_id: str) -> str:
        """The name of a block on screen; a removed one, which pictures of an earlier step still show, goes by its id."""
        return block_name(self._graph[block_id], self.derived) if block_id in self._graph else block_id

    # --- putting blocks in ---

    def append(self, kind: str, position: Point | None = None) -> str:
        """Put a new block at the end of the network, Input at its beginning; gives its id.

        Without a network, Input begins one and every other block stays loose.
        """
        return self.place(kind, self.end_place(kind), position)

    def place(
        self, kind: str, place: Place, position: Point | None = None, options: Mapping[str, Any] | None = None
    ) -> str:
        """Put a new block of a kind at a place, with some options set; gives its id."""
        graph, block_id = self.placing(kind, place, position, options)
        if place.loose:
            text = self.tr("Add {block}")
        elif place.after and place.before:
            text = self.tr("Insert {block}")
        else:
            text = self.tr("Append {block}")
        self._edit(graph, text.format(block=layer_title(LAYERS[kind])))
        self.blocks_added.emit((block_id,))
        return block_id

    def placing(
        self, kind: str, place: Place, position: Point | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Graph, str]:
        """The graph that `place` would make, and the new block's id; for a preview."""
        node = self._new_node(kind, options or {})
        graph = self._graph.put((Block(node, places.spot(self._graph, place, position)),), place)
        return layout.settle(self._graph, graph, (node.id,)), node.id

    def end_place(self, kind: str) -> Place:
        """Where `append` puts a kind."""
        return places.end_place(self._graph, kind)

    def accepts(self, kind: str, place: Place, options: Mapping[str, Any] | None = None) -> bool:
        """Whether a block of a kind fits at a place; options that are not given have their defaults."""
        return places.accepts(self._graph, self.derived, LAYERS[kind].from_options(options or {}), place)

    # --- joining, cutting, taking out ---

    def connect_blocks(self, first: str, second: str) -> None:
        """Draw a wire from one block to another; wires in its way are cut."""
        graph = self._graph.join(first, second)
        self._edit(
            graph,
            self.tr("Connect {first} to {second}").format(first=self.name_of(first), second=self.name_of(second)),
            settle=True,
        )

    def detach(self, wire: Wire) -> None:
        """Cut a wire; what is behind it becomes loose."""
        self._edit(self._graph.cut(wire), self.tr("Cut the wire behind {block}").format(block=self.name_of(wire[0])), settle=True)

    def take_out(self, block_id: str, position: Point) -> None:
        """Take a block out of its chain, which closes, and leave it loose at a position."""
        self.relocate((block_id,), Place(), {block_id: position})

    def relocate(self, ids: Sequence[str], place: Place, positions: Mapping[str, Point] | None = None) -> None:
        """Take blocks out of where they stand and put them, in the order of the graph, at another place."""
        text = self.tr("Take out {blocks}") if place.loose else self.tr("Move {blocks}")
        self._edit(self.relocating(ids, place, positions), text.format(blocks=self._names(ids)))

    def relocating(self, ids: Sequence[str], place: Place, positions: Mapping[str, Point] | None = None) -> Graph:
        """The graph that `relocate` would make; for a preview."""
        chosen = set(ids)
        run = tuple(block for block in self._graph if block.id in chosen)
        if not run or place.after in chosen or place.before in chosen:
            raise SpecError("blocks cannot be put next to themselves.", code="graph.beside_itself")
        positions = positions or {}
        run = tuple(block.at(positions.get(block.id, block.position)) for block in run)
        graph = self._graph.without(chosen).put(run, place)
        return layout.settle(self._graph, graph, tuple(chosen))

    def remove(self, ids: Iterable[str]) -> None:
        """Remove blocks; every chain closes over the gap."""
        gone = tuple(ids)
        if gone:
            self._edit(self._graph.without(gone), self.tr("Delete {blocks}").format(blocks=self._names(gone)), settle=True)

    # --- changing blocks ---

    def set_option(self, block_id: str, option: str, value: Any) -> None:
        """Change one option of a block; changes that follow each other are one undo step."""
        node = self._graph[block_id].node
        layer = node.layer.replace(**{option: value})
        text = self.tr("{block}: {option}").format(block=self.name_of(block_id), option=say(layer.option(option).label))
        self._edit(
            self._graph.with_node(dataclasses.replace(node, layer=layer)),
            text,
            merge_key=f"{block_id}.{option}",
        )

    def set_layer(self, block_id: str, layer: Layer) -> None:
        """Give a block another layer, for example another activation; its name and place stay."""
        node = dataclasses.replace(self._graph[block_id].node, layer=layer)
        text = self.tr("Change {block} to {other}").format(block=self.name_of(block_id), other=layer_title(layer))
        self._edit(self._graph.with_node(node), text)

    def rename(self, block_id: str, name: str) -> None:
        """Give a block a name of its own; an empty one brings the automatic name back."""
        node = dataclasses.replace(self._graph[block_id].node, name=name.strip())
        self._edit(self._graph.with_node(node), self.tr("Rename {block}").format(block=self.name_of(block_id)))

    def finish_editing(self) -> None:
        """End a run of changes that is one undo step: the next change of the same option is a step of its
        own.
        """
        self._merge_round += 1

    def move(self, positions: Mapping[str, Point]) -> None:
        """Put blocks at other places on the canvas."""
        for block_id in positions:
            self._graph.locate(block_id)
        text = self.tr("Move {blocks}").format(blocks=self._names(positions))
        self._edit(self._graph.moved(positions), text)

    def tidy(self, columns: int | None = None) -> None:
        """Lay all blocks out in rows of `columns`."""
        graph = dataclasses.replace(self._graph, columns=columns or self._graph.columns)
        self._edit(graph.moved(layout.tidy(graph)), self.tr("Tidy layout"))

    def lay_out_first(self, columns: int) -> None:
        """Lay a network out in rows of `columns` before its first edit: the way it begins, and no undo step."""
        assert not self.undo_stack.count(), "a later undo would bring the other layout back"
        graph = dataclasses.replace(self._graph, columns=columns)
        self.show_graph(graph.moved(layout.tidy(graph)))

    def apply_fix(self, fix: Fix) -> None:
        """Apply a fix that an error of `derived` offers; advice is nothing to apply and raises SpecError."""
        if fix.action == "set" and fix.layer and fix.field:
            self.finish_editing()
            self.set_option(fix.layer, fix.field, fix.value)
            self.finish_editing()
        elif fix.action == "insert" and fix.layer:
            self.place(str(fix.value), Place(self._graph.previous(fix.layer), fix.layer))
        elif fix.action == "insert":
            self.append(str(fix.value))
        elif fix.action == "remove" and fix.layer:
            self.remove((fix.layer,))
        elif fix.action == "connect" and fix.layer and self._graph.main:
            self.connect_blocks(self._graph.main[-1].id, fix.layer)
        else:
            raise SpecError("this fix is advice that a person must follow.", code="graph.advice")

    # --- clipboard ---

    def copy(self, ids: Iterable[str]) -> list[list[dict[str, Any]]]:
        """Blocks as JSON for the clipboard: neighbours stay rows."""
        return clipboard.rows_of(self._graph, ids)

    def paste(self, rows: Any, position: Point | None = None, place: Place | None = None) -> tuple[str, ...]:
        """Put in copies of blocks that `copy` made, loose or all in one row at a place; gives their new ids.

        `position` is where the top left corner of the whole goes; without it, it goes a little beside the
        original.
        """
        copies = clipboard.copies_of(rows, self._graph, self._used_ids, position)
        graph = self._graph
        if place is None or place.loose:
            for run in copies:
                graph = graph.put(run, Place())
        else:
            graph = graph.put(sum(copies, ()), place)
        ids = tuple(block.id for run in copies for block in run)
        graph = layout.settle(self._graph, graph, ids)
        self._edit(graph, self.tr("Paste {count} blocks").format(count=len(ids)))
        self.blocks_added.emit(ids)
        return ids

    def duplicate(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Put copies of blocks beside them, loose; gives their ids."""
        return self.paste(self.copy(ids))

    # --- the whole ---

    def replace_network(
        self,
        spec: NetworkSpec,
        title: str,
        *,
        training: Mapping[str, Any] | None = None,
        data: Any = None,
        columns: int | None = None,
    ) -> None:
        """Put another network, tidily laid out, in place of all blocks; settings that are not given stay.

        Its blocks get ids of their own where one was used before, so that no weights of the old network slip
        in.
        """
        nodes, taken = [], set(self._used_ids)
        for node in spec:
            new_id = node.id if node.id not in taken else free_id(node.layer, taken)
            nodes.append(dataclasses.replace(node, id=new_id))
            taken.add(new_id)
        graph = Graph.of(
            NetworkSpec(tuple(nodes)),
            title=title,
            columns=columns or self._graph.columns,
            training=self._graph.training if training is None else dict(training),
            data=self._graph.data if data is None else data,
        )
        self._edit(graph.moved(layout.tidy(graph)), self.tr("New network {title}").format(title=title))

    def set_training(self, training: Mapping[str, Any], text: str = "", merge_key: str = "") -> None:
        """Change the training settings; a merge key such as "training.lr" makes a spun number one step."""
        graph = dataclasses.replace(self._graph, training=dict(training))
        self._edit(graph, text or self.tr("Training settings"), merge_key=merge_key)

    def set_data(self, data: Any, text: str = "") -> None:
        """Choose another data set."""
        self._edit(dataclasses.replace(self._graph, data=data), text or self.tr("Choose data"))

    def set_title(self, title: str) -> None:
        """Give the network another name."""
        self._edit(dataclasses.replace(self._graph, title=title), self.tr("Rename the network"))

    def to_json(self) -> dict[str, Any]:
        """The graph as JSON."""
        return self._graph.to_json()

    def load(self, graph: Graph) -> None:
        """Begin anew with a graph: no history, nothing modified."""
        self.undo_stack.clear()
        self._weights_changed = self._file_missing = False
        self._used_ids = set(graph.ids)
        self.show_graph(graph)
        self._report_modified()

    # --- saved or not ---

    @property
    def modified(self) -> bool:
        """Whether there is anything that has not been saved: edits, trained weights, or all of it where its file is missing."""
        return self._weights_changed or self._file_missing or not self.undo_stack.isClean()

    def mark_saved(self) -> None:
        """All that is there now has been saved."""
        self._weights_changed = self._file_missing = False
        self.undo_stack.setClean()
        self._report_modified()

    def mark_weights_changed(self) -> None:
        """Training has changed the weights since the last save."""
        self._weights_changed = True
        self._report_modified()

    def mark_file_missing(self, missing: bool) -> None:
        """What was saved is not on the disk any more, or is there again."""
        self._file_missing = missing
        self._report_modified()

    @Slot()
    def _report_modified(self) -> None:
        if self.modified != self._was_modified:
            self._was_modified = self.modified
            self.modified_changed.emit(self.modified)

    # --- for the undo command ---

    def show_graph(self, graph: Graph) -> None:
        """Make a graph the present one without a history step; only undo commands, `load` and `lay_out_first` do this."""
        before, self._graph = self._graph, graph
        self._used_ids.update(graph.ids)
        if before.chains is not graph.chains and not _same_network(before, graph):
            self._derived = None
        self.graph_changed.emit(before, graph)

    # --- inside ---

    def _edit(self, after: Graph, text: str, *, settle: bool = False, merge_key: str = "") -> None:
        before = self._graph
        if after == before:
            return
        if settle:
            after = layout.settle(before, after)
        self._used_ids.update(after.ids)
        key = f"{merge_key}#{self._merge_round}" if merge_key else ""
        self.undo_stack.push(Edit(self, before, after, text, key))

    def _new_node(self, kind: str, options: Mapping[str, Any]) -> Node:
        if kind not in LAYERS:
            raise SpecError("There is no layer of kind {kind}.", code="spec.unknown_kind", kind=repr(kind))
        layer: Layer = LAYERS[kind].from_options(options)
        return Node(free_id(layer, self._used_ids), layer)

    def _names(self, ids: Iterable[str]) -> str:
        chosen = tuple(ids)
        if len(chosen) == 1:
            return self.name_of(chosen[0])
        return self.tr("{count} blocks").format(count=len(chosen))


def _same_network(before: Graph, after: Graph) -> bool:
    """Whether two graphs differ in places at most, so that what was derived stays true."""
    return len(before.chains) == len(after.chains) and all(
        len(a) == len(b) and all(x.node is y.node for x, y in zip(a, b, strict=True))
        for a, b in zip(before.chains, after.chains, strict=True)
    )
