"""What the monkey does: everything that a user can do to the window, each with how often it comes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QMenu, QTabBar, QWidget

from cnnstudio.canvas.palette import MIME_KIND
from engine.layer import LAYERS
from tests.faults.answered_dialogs import Files
from tests.faults.random_hands import Button, Hands, Key, Modifier
from tests.faults.watched_program import WatchedProgram

KEYS = (
    "Return", "Escape", "Tab", "Backtab", "Delete", "Backspace", "Left", "Right", "Up", "Down", "Home", "End", "PageUp",
    "PageDown", "Space", "F2", "F5", "F10", "F11", "Enter", "Menu",
)  # fmt: skip
CHORDS = (
    "Ctrl+Z", "Ctrl+Shift+Z", "Ctrl+Y", "Ctrl+A", "Ctrl+C", "Ctrl+X", "Ctrl+V", "Ctrl+D", "Ctrl+N", "Ctrl+O", "Ctrl+S",
    "Ctrl+R", "Ctrl+0", "Ctrl+1", "Ctrl+[", "Ctrl+]", "Shift+F5", "Shift+Left", "Shift+Right", "Ctrl+Left", "Alt+Right",
)  # fmt: skip
TEXTS = (
    "0", "1", "3", "5x5", "7", "12", "64", "-1", "0.5", "1e-3", "1e9", "99999999", "nan", "inf", "", "conv", "pool", "relu",
    "[[CONV-RELU]*2-POOL]*1-FC", "conv 6 5x5 same", "卷积", "é🙂", "same", "2,2", " ", "x" * 300,
)  # fmt: skip


class Actions:
    """Each action does one thing at random and gives it in words."""

    def __init__(self, program: WatchedProgram, hands: Hands, files: Files) -> None:
        self._program, self._hands, self._files = program, hands, files
        self._all: list[tuple[int, Callable[[], str]]] = [
            (22, self.click), (5, self.double_click), (4, self.right_click), (10, self.drag), (6, self.wheel),
            (12, self.key), (5, self.chord), (6, self.type), (8, self.menu_action), (6, self.undo_or_redo),
            (5, self.palette_drop), (7, self.option), (9, self.run), (1, self.data), (2, self.dock),
            (2, self.resize), (1, self.drop_file), (4, self.wait), (2, self.select_block), (2, self.press_button),
            (2, self.save_or_open), (1, self.look), (10, self.answer), (1, self.template),
        ]  # fmt: skip

    def choose(self) -> Callable[[], str]:
        """The next action."""
        return self._hands.rng.choices([a for _, a in self._all], [w for w, _ in self._all])[0]

    # --- mouse ---

    def click(self) -> str:
        window, at, where = self._hands.place()
        self._hands.press(window, Button.LeftButton, at)
        return where

    def double_click(self) -> str:
        window, at, where = self._hands.place()
        for _ in range(2):
            self._hands.press(window, Button.LeftButton, at)
        return where

    def right_click(self) -> str:
        window, at, where = self._hands.place()
        self._hands.press(window, Button.RightButton, at)
        return where

    def drag(self) -> str:
        window, at, where = self._hands.place()
        button = self._hands.rng.choices([Button.LeftButton, Button.MiddleButton, Button.RightButton], [8, 1, 1])[0]
        keys = self._hands.modifier()
        end = QPoint(int(self._hands.rng.random() * window.width()), int(self._hands.rng.random() * window.height()))
        self._hands.do(QTest.mousePress, window, button, keys, at)
        for i in range(1, 6):
            self._hands.do(QTest.mouseMove, window, at + (end - at) * (i / 5))
        if self._hands.rng.random() < 0.1:
            self._hands.strike(window, Key.Key_Escape, Modifier.NoModifier)
        self._hands.do(QTest.mouseRelease, window, button, keys, end)
        return f"{where} to {end.x()},{end.y()}"

    def wheel(self) -> str:
        window = self._hands.window()
        at = self._hands.point(window)
        target = window.childAt(at) or window
        step = self._hands.rng.choice((-480, -120, 120, 480))
        place = QPointF(target.mapFrom(window, at))
        event = QWheelEvent(place, QPointF(window.mapToGlobal(at)), QPoint(), QPoint(0, step), Button.NoButton,
                            self._hands.modifier(), Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
        QApplication.sendEvent(target, event)
        return f"{step} on {type(target).__name__}"

    # --- keyboard ---

    def key(self) -> str:
        window = self._hands.window()
        name = self._hands.rng.choice(KEYS)
        self._hands.strike(window, getattr(Key, f"Key_{name}"), self._hands.modifier())
        return name

    def chord(self) -> str:
        window = self._hands.window()
        chord = self._hands.rng.choice(CHORDS)
        *modifiers, name = chord.split("+")
        keys = Modifier.NoModifier
        for modifier in modifiers:
            keys |= {"Ctrl": Modifier.ControlModifier, "Shift": Modifier.ShiftModifier, "Alt": Modifier.AltModifier}[modifier]
        names = {"[": "BracketLeft", "]": "BracketRight"}
        self._hands.strike(window, getattr(Key, f"Key_{names.get(name, name)}"), keys)
        return chord

    def type(self) -> str:
        window = self._hands.window()
        fields = [f for f in window.findChildren(QLineEdit) if f.isVisible() and f.isEnabled()]
        text = self._hands.rng.choice(TEXTS)
        if fields and self._hands.rng.random() < 0.8:
            field = self._hands.rng.choice(fields)
            field.setFocus()
            field.selectAll()
        focus = QApplication.focusWidget()
        if focus is None:
            return "nothing has the focus"
        name = type(focus).__name__
        for letter in text:
            focus = QApplication.focusWidget()
            if focus is None:
                break
            if letter.isascii():
                QTest.keyClicks(focus, letter)
            elif isinstance(focus, QLineEdit):
                focus.insert(letter)
        end = self._hands.rng.choice((Key.Key_Return, Key.Key_Tab, Key.Key_Escape, None))
        focus = QApplication.focusWidget()
        if end is not None and focus is not None:
            QTest.keyClick(focus, end)
        return f"{text[:30]!r} {end} into {name}"

    # --- commands ---

    def menu_action(self) -> str:
        self._hands.window()
        bar = self._program.window.menuBar()
        actions = [a for a in _leaves(bar.actions()) if a.isEnabled() and not a.isSeparator()]
        action = self._hands.rng.choice(actions)
        text = action.text()
        if action is self._program.window.actions_.quit and self._hands.rng.random() < 0.8:
            return "quit, thought better of"
        if QApplication.activeModalWidget() is None:
            action.trigger()
        return text

    def undo_or_redo(self) -> str:
        stack = self._program.studio.document.undo_stack
        times = self._hands.rng.choice((1, 1, 1, 2, 5, 20))
        back = self._hands.rng.random() < 0.6
        undo, redo = self._program.window.menus.undo
        if QApplication.activeModalWidget() is None:
            for _ in range(times):
                (undo if back else redo).trigger()
        return f"{'undo' if back else 'redo'} {times}, now {stack.index()} of {stack.count()}"

    def run(self) -> str:
        actions = self._program.window.actions_
        name, action = self._hands.rng.choices(
            [("train", actions.train), ("batch", actions.batch), ("layer", actions.layer), ("stop", actions.stop),
             ("reset", actions.reset), ("next", actions.next_sample), ("random", actions.random_sample)],
            [6, 3, 2, 1, 1, 1, 1])[0]  # fmt: skip
        if QApplication.activeModalWidget() is None:
            action.trigger()
        return f"{name} -> {self._program.studio.controller.state.phase.name}"

    def look(self) -> str:
        if QApplication.activeModalWidget() is not None:
            return "a dialog is open"
        actions = self._program.window.actions_
        action = self._hands.rng.choice((actions.theme, actions.theme, actions.large_text, actions.language))
        text = action.text()
        action.trigger()
        return text

    def data(self) -> str:
        name = self._hands.rng.choice(("digits8x8", "mnist12k", "digits8x8", *map(str, self._files.made)))
        self._program.studio.choose_data({"name": name})
        return name

    # --- the canvas and its forms ---

    def palette_drop(self) -> str:
        kind = self._hands.rng.choice(sorted(LAYERS))
        data = QMimeData()
        data.setData(MIME_KIND, kind.encode())
        view = self._program.window.view
        wires = sorted(view.canvas.wires)
        if wires and self._hands.rng.random() < 0.7:
            points = view.canvas.wires[self._hands.rng.choice(wires)].points
            at = view.mapFromScene((points[len(points) // 2 - 1] + points[len(points) // 2]) / 2)
        else:
            at = self._hands.point(view.viewport())
        self._hands.drop(view.viewport(), at, data)
        return f"{kind} at {at.x()},{at.y()}"

    def template(self) -> str:
        """Begin again with a whole network: random edits soon leave one that cannot be trained."""
        if QApplication.activeModalWidget() is not None:
            return "a dialog is open"
        name = self._hands.rng.choice(self._program.templates).name
        self._program.window.network.use_template(name)
        return name

    def select_block(self) -> str:
        ids = sorted(self._program.studio.document.graph.ids)
        if not ids:
            return "no block"
        block = self._hands.rng.choice(ids)
        self._program.window.view.show_block(block)
        return block

    def option(self) -> str:
        """A number or choice in the properties, the settings or the tool bar."""
        window = self._program.window
        panel = self._hands.rng.choice((window.properties, window.properties, window.training_settings, window.main_bar))
        if panel is not window.main_bar:
            window.docks.bring_up("properties" if panel is window.properties else "settings")
        fields = [w for w in panel.findChildren(QWidget) if w.isVisible() and w.isEnabled()]
        boxes: list[Any] = [w for w in fields if hasattr(w, "stepBy") or isinstance(w, QComboBox)]
        if not boxes:
            return "no field"
        box = self._hands.rng.choice(boxes)
        name = box.accessibleName()
        if isinstance(box, QComboBox):
            index = self._hands.rng.randrange(max(1, box.count()))
            box.setCurrentIndex(index)
            box.activated.emit(index)
            return f"{name} choice {index}"
        steps = self._hands.rng.choice((1, -1, 3, -3, 10))
        box.stepBy(steps)
        return f"{name} by {steps}"

    # --- the window ---

    def dock(self) -> str:
        docks = self._program.window.docks
        dock = self._hands.rng.choice(docks.all)
        what = self._hands.rng.choice(("close", "float", "show", "show", "arrange", "size"))
        if what == "close":
            dock.close()
        elif what == "float":
            dock.setFloating(not dock.isFloating())
        elif what == "show":
            docks.bring_up(dock.objectName())
        elif what == "size":
            dock.resize(self._hands.rng.randint(20, 900), self._hands.rng.randint(20, 900))
        else:
            docks.arrange()
        return f"{what} {dock.objectName()}"

    def resize(self) -> str:
        window = self._program.window
        what = self._hands.rng.choices(("size", "minimize", "full", "normal"), [8, 1, 1, 2])[0]
        width, height = self._hands.rng.randint(300, 2200), self._hands.rng.randint(200, 1400)
        if what == "minimize":
            window.showMinimized()
        elif what == "full":
            window.showFullScreen()
        elif what == "normal":
            window.showNormal()
        else:
            window.resize(width, height)
        return f"{what} {width}×{height}"

    def press_button(self) -> str:
        window = self._hands.window()
        things = [w for w in window.findChildren(QWidget)
                  if isinstance(w, (QAbstractButton, QTabBar)) and w.isVisible() and w.isEnabled()]  # fmt: skip
        if not things:
            return "no button"
        thing = self._hands.rng.choice(things)
        name = f"{type(thing).__name__} {thing.accessibleName()}"
        if isinstance(thing, QTabBar):
            thing.setCurrentIndex(self._hands.rng.randrange(max(1, thing.count())))
        else:
            thing.click()
        return name

    def answer(self) -> str:
        """Answer what is asked: choose in a menu, press a button of a dialog, close anything else."""
        popup, modal = QApplication.activePopupWidget(), QApplication.activeModalWidget()
        if isinstance(popup, QMenu):
            actions = [a for a in popup.actions() if a.isEnabled() and not a.isSeparator() and a.menu() is None]
            if actions and self._hands.rng.random() < 0.7:
                action = self._hands.rng.choice(actions)
                text = action.text()
                if action is not self._program.window.actions_.quit:
                    action.trigger()
                popup.close()
                return f"menu: {text}"
            popup.close()
            return "menu closed"
        if popup is not None:
            popup.close()
            return f"{type(popup).__name__} closed"
        if modal is not None:
            buttons = [b for b in modal.findChildren(QAbstractButton) if b.isVisible() and b.isEnabled()]
            if buttons and self._hands.rng.random() < 0.8:
                button = self._hands.rng.choice(buttons)
                text = button.text()
                button.click()
                return f"{type(modal).__name__}: {text}"
            modal.close()
            return f"{type(modal).__name__} closed"
        return "nothing is asked"

    # --- files ---

    def save_or_open(self) -> str:
        if QApplication.activeModalWidget() is not None:
            return "a dialog is open"
        files = self._program.window.files
        what = self._hands.rng.choice(("save", "save_as", "open", "new"))
        getattr(files, what)()
        return what

    def drop_file(self) -> str:
        path = self._files.choose(self._hands.rng)
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(path)])
        window = self._program.window
        if QApplication.activeModalWidget() is None:
            self._hands.drop(window, self._hands.point(window), data)
        return Path(path).name

    def wait(self) -> str:
        seconds = self._hands.rng.choice((0.02, 0.05, 0.2))
        QTest.qWait(int(seconds * 1000))
        return f"{seconds} s"


def _leaves(actions: list[QAction]) -> list[QAction]:
    """The actions of menus and of the menus inside them."""
    found: list[QAction] = []
    for action in actions:
        menu = action.menu()
        if menu is None:
            found.append(action)
        else:
            menu.aboutToShow.emit()
            found += _leaves(menu.actions())
    return found
