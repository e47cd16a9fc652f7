"""The menu bar, made from the actions of the window and the edits of the canvas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QMenuBar

from cnnstudio.actions import Actions
from cnnstudio.canvas.view import CanvasView
from cnnstudio.colour_choice import ColourChoice
from cnnstudio.dock import Dock
from cnnstudio.translation import LANGUAGES, current_language

translate = QCoreApplication.translate


@dataclass(frozen=True)
class Menus:
    """The menus that others fill or listen to."""

    recent: QMenu
    examples: QMenu
    languages: QActionGroup
    undo: tuple[QAction, QAction]
    canvas: tuple[QAction, ...]
    zoom: tuple[QAction, ...]


def build_menus(
    window: QMainWindow,
    actions: Actions,
    undo: QAction,
    redo: QAction,
    view: CanvasView,
    docks: Sequence[Dock],
    layouts: Sequence[QAction],
    colours: ColourChoice,
) -> Menus:
    """Fill the window's menu bar."""
    bar = window.menuBar()
    file = bar.addMenu(translate("Menus", "&File"))
    file.addActions([actions.new, actions.open])
    recent = file.addMenu(translate("Menus", "Open recent"))
    examples = file.addMenu(translate("Menus", "Examples"))
    file.addSeparator()
    file.addActions([actions.save, actions.save_as, actions.save_copy])
    file.addSeparator()
    file.addActions([actions.checkpoints, actions.export])
    file.addSeparator()
    file.addAction(actions.quit)
    canvas = _edit_menu(bar, undo, redo, view)
    _train_menu(bar, actions)
    languages, zoom = _view_menu(bar, actions, view, docks, layouts, colours)
    help_menu = bar.addMenu(translate("Menus", "&Help"))
    help_menu.addActions([actions.shortcuts, actions.open_log])
    help_menu.addSeparator()
    help_menu.addAction(actions.about)
    return Menus(recent, examples, languages, (undo, redo), canvas, zoom)


def _edit_menu(bar: QMenuBar, undo: QAction, redo: QAction, view: CanvasView) -> tuple[QAction, ...]:
    """Edits of the canvas; their shortcuts work while the canvas has the keyboard, text fields keep theirs."""
    menu = bar.addMenu(translate("Menus", "&Edit"))
    menu.addActions([undo, redo])
    editor, std = view.editor, QKeySequence.StandardKey
    rows: tuple[tuple[str, QKeySequence.StandardKey | str, Callable[[], object]] | None, ...] = (
        None,
        (translate("Menus", "Cut"), std.Cut, editor.cut),
        (translate("Menus", "Copy"), std.Copy, editor.copy),
        (translate("Menus", "Paste"), std.Paste, editor.paste),
        (translate("Menus", "Duplicate"), "Ctrl+D", editor.duplicate),
        (translate("Menus", "Delete"), std.Delete, editor.delete),
        (translate("Menus", "Select all"), std.SelectAll, editor.select_all),
        None,
        (translate("Menus", "Insert block…"), "Ctrl+I", view.open_search_here),
        (translate("Menus", "Take out of the chain"), "Ctrl+E", editor.take_out),
        (translate("Menus", "Tidy layout"), "Ctrl+T", view.tidy),
    )
    return _add_canvas_actions(menu, rows, view)


def _add_canvas_actions(
    menu: QMenu,
    rows: Sequence[tuple[str, QKeySequence.StandardKey | str, Callable[[], object]] | None],
    view: CanvasView,
) -> tuple[QAction, ...]:
    made = []
    for row in rows:
        if row is None:
            menu.addSeparator()
            continue
        text, keys, act = row
        action = QAction(text, view)
        action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda _checked=False, act=act: act())
        view.addAction(action)
        menu.addAction(action)
        made.append(action)
    return tuple(made)


def _train_menu(bar: QMenuBar, actions: Actions) -> None:
    menu = bar.addMenu(translate("Menus", "&Train"))
    menu.addActions([actions.train, actions.batch, actions.layer, actions.stop])
    menu.addSeparator()
    menu.addAction(actions.walk)
    menu.addSeparator()
    menu.addAction(actions.reset)
    menu.addSeparator()
    menu.addActions([actions.previous_sample, actions.next_sample, actions.random_sample])


def _view_menu(
    bar: QMenuBar, actions: Actions, view: CanvasView, docks: Sequence[Dock], layouts: Sequence[QAction],
    colours: ColourChoice,
) -> tuple[QActionGroup, tuple[QAction, ...]]:
    menu = bar.addMenu(translate("Menus", "&View"))
    panels = menu.addMenu(translate("Menus", "Panels"))
    for dock in docks:
        panels.addAction(dock.toggleViewAction())
    layout_menu = menu.addMenu(translate("Menus", "Layout"))
    layout_menu.addActions([*layouts, actions.reset_layout])
    menu.addMenu(translate("Menus", "Colours of activations")).addActions(colours.activations)
    menu.addMenu(translate("Menus", "Colours of weights and gradients")).addActions(colours.signed)
    menu.addSeparator()
    rows = (
        (translate("Menus", "Zoom in"), QKeySequence.StandardKey.ZoomIn, lambda: view.zoom(1.2)),
        (
            translate("Menus", "Zoom out"),
            QKeySequence.StandardKey.ZoomOut,
            lambda: view.zoom(1 / 1.2),
        ),
        (translate("Menus", "Show all"), "Ctrl+0", view.fit),
        (translate("Menus", "Show selection"), "Ctrl+2", view.fit_selection),
        (translate("Menus", "Natural size"), "Ctrl+1", view.reset_zoom),
    )
    zoom = []
    for text, keys, act in rows:
        action = menu.addAction(text, QKeySequence(keys), act)
        view.window().addAction(action)
        zoom.append(action)
    menu.addSeparator()
    menu.addActions([actions.theme, actions.large_text, actions.full_screen])
    language_menu = menu.addMenu(translate("Menus", "Language"))
    languages = QActionGroup(menu)
    for code, name in LANGUAGES.items():
        action = language_menu.addAction(name)
        action.setCheckable(True)
        action.setChecked(code == current_language())
        action.setData(code)
        languages.addAction(action)
    return languages, tuple(zoom)
