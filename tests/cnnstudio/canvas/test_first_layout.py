"""A network that nobody has arranged stands as the room suggests; what a person has arranged stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from cnnstudio.canvas.first_layout import FirstLayout
from cnnstudio.canvas.view import CanvasView
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.document.layout import is_tidy, tidy
from engine.layers.activation import ReLU
from engine.layers.input import Input
from engine.spec import NetworkSpec


def network(blocks: int, columns: int = 5) -> Graph:
    """A chain as a template gives it."""
    graph = Graph.of(NetworkSpec.of([Input(1, 8, 8), *(ReLU() for _ in range(blocks - 1))]), columns=columns)
    return graph.moved(tidy(graph))


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[CanvasView]:
    """A wide, low canvas with a chain of 16 blocks."""
    view = CanvasView(Document(network(16)))
    view.first_layout = FirstLayout(view)
    qtbot.addWidget(view)
    view.resize(1000, 300)
    view.show()
    yield view


def columns(view: CanvasView) -> int:
    graph = view.document.graph
    assert is_tidy(graph.main, graph.columns)
    return graph.columns


def test_a_new_network_uses_the_room_and_follows_it(qtbot: QtBot, view: CanvasView) -> None:
    assert columns(view) == view.preferred_columns(16) > 5
    assert not view.document.modified and view.document.undo_stack.count() == 0
    view.resize(300, 900)
    assert columns(view) == view.preferred_columns(16) < 5
    view.resize(1000, 300)
    view.document.load(network(12))
    qtbot.waitUntil(lambda: columns(view) == view.preferred_columns(12) != 5)


def test_after_the_first_edit_blocks_stay_where_they_are(view: CanvasView) -> None:
    view.document.rename("relu1", "first")
    before = view.document.graph
    view.resize(300, 900)
    assert view.document.graph is before


@pytest.mark.parametrize("arranged", [
    network(16, columns=3),
    network(16).moved({"relu3": (5.0, 7.0)}),
])
def test_places_that_a_person_gave_stay(view: CanvasView, arranged: Graph) -> None:
    view.document.load(arranged)
    QCoreApplication.sendPostedEvents()  # when the layout would follow
    assert view.document.graph is arranged
