"""Options typed behind the name of a block: which words set which options, and the search menu with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cnnstudio.canvas.search_menu import SearchMenu
from cnnstudio.canvas.typed_options import options_from, split
from cnnstudio.canvas.view import CanvasView
from cnnstudio.document.document import Document
from engine.layer import LAYERS


@pytest.mark.parametrize(
    ("kind", "text", "options"),
    [
        ("conv", "conv 6 5x5 same", {"depth": 6, "kernel_size": (5, 5), "padding": "same"}),
        ("conv", "conv 3×3 2x2 16", {"kernel_size": (3, 3), "stride": (2, 2), "depth": 16}),
        ("dense", "fc 120", {"units": 120}),
        ("max_pool", "max 3", {"kernel_size": 3}),
        ("dropout", "dropout .3", {"rate": 0.3}),
        ("relu", "relu", {}),
        ("relu", "relu 6", None),
        ("dense", "fc 120 84", None),
        ("dense", "fc 5x5", None),
        ("conv", "conv 6a", None),
    ],
)
def test_words_set_the_options_of_their_kind(kind: str, text: str, options: dict[str, Any] | None) -> None:
    assert options_from(split(text)[1], LAYERS[kind]) == options


def test_words_to_search_for_are_set_apart() -> None:
    assert split("max pool 3 Same") == (["max", "pool"], ["3", "same"])


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[CanvasView]:
    document = Document()
    document.append("input")
    view = CanvasView(document)
    document.setParent(view)
    qtbot.addWidget(view)
    view.show()
    yield view
    for menu in view.findChildren(SearchMenu):
        menu.close()


def test_the_block_that_is_put_in_has_the_options_typed(view: CanvasView) -> None:
    menu = view.open_search_here()
    QTest.keyClicks(menu.field, "conv 6 5x5 same")
    assert menu.kinds() == ["conv"] and "6 @ 5×5" in menu.list.item(0).text()
    QTest.keyClick(menu.field, Qt.Key.Key_Return)
    layer = view.document.graph.main[1].node.layer
    assert layer == LAYERS["conv"].from_options({"depth": 6, "kernel_size": (5, 5), "padding": "same"})


def test_illegal_numbers_find_nothing_and_too_large_ones_are_marked(view: CanvasView) -> None:
    menu = view.open_search_here()
    QTest.keyClicks(menu.field, "conv 0")
    assert menu.kinds() == []
    menu.field.clear()
    QTest.keyClicks(menu.field, "conv 6 99x99")
    assert menu.kinds() == ["conv"] and "does not fit" in menu.list.item(0).text()
