"""One process of the monkey: opens the real program and does random things to it until something breaks."""

from __future__ import annotations

import faulthandler
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QMimeData,
    QObject,
    QPoint,
    QPointF,
    QRect,
    QSettings,
    Qt,
    QTimer,
    QtMsgType,
    QUrl,
    Signal,
    Slot,
    qInstallMessageHandler,
)
from PySide6.QtGui import (
    QAction,
    QDesktopServices,
    QDrag,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QTabBar,
    QWidget,
)
from shiboken6 import isValid

from cnnstudio.app import Program, make_application
from cnnstudio.canvas.palette import MIME_KIND
from cnnstudio.project.files import SUFFIX
from engine.layer import LAYERS
from tests.faults.monkey import PATIENCE

Button, Key, Modifier = Qt.MouseButton, Qt.Key, Qt.KeyboardModifier

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
MODIFIERS = {
    Modifier.ShiftModifier: Key.Key_Shift, Modifier.ControlModifier: Key.Key_Control, Modifier.AltModifier: Key.Key_Alt,
}  # fmt: skip
IGNORED_MESSAGES = ("This plugin does not support",)
"""What the offscreen platform says of itself."""


class Monkey(QObject):
    """Does one random event after the other from the event loop, as a user would."""

    over = Signal()

    def __init__(self, app: QApplication, seed: int, events: int, home: Path, *, trace: bool) -> None:
        super().__init__()
        self._app, self._seed, self._events, self._home, self._trace = app, seed, events, home, trace
        self._rng = Random(seed)
        self._done = 0
        self._said: deque[str] = deque(maxlen=25)
        self._slowest: list[tuple[float, str]] = []
        self.failure = ""
        self._files = _make_files(home / "files")
        self._stub_dialogs()
        self.program = self._start()
        self._began: float | None = None
        self._rescue = QTimer(self)
        self._rescue.timeout.connect(self._close_menu)
        self._rescue.start(200)
        self._what: list[tuple[int, Callable[[], str]]] = [
            (22, self._click), (5, self._double_click), (4, self._right_click), (10, self._drag), (6, self._wheel),
            (12, self._key), (5, self._chord), (6, self._type), (8, self._menu_action), (6, self._undo_or_redo),
            (5, self._palette_drop), (7, self._option), (9, self._run), (1, self._data), (2, self._dock),
            (2, self._resize), (1, self._drop_file), (4, self._wait), (2, self._select_block), (2, self._press_button),
            (2, self._save_or_open), (1, self._look), (10, self._answer), (1, self._template),
        ]  # fmt: skip

    # --- the loop ---

    def begin(self) -> None:
        """Do the first event as soon as the event loop runs."""
        QTimer.singleShot(0, self._step)

    def _step(self) -> None:
        if self.failure or self._done >= self._events:
            self.over.emit()
            return
        number = self._done
        self._done += 1
        self._rng = Random(f"{self._seed}.{number}")
        act = self._rng.choices([a for _, a in self._what], [w for w, _ in self._what])[0]
        if self._trace:
            print(f"{number} {act.__name__[1:]}", end=" ", flush=True)
        began = self._began = time.perf_counter()
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        try:
            said = f"{number} {act.__name__[1:]}: {act()}"
        except Exception:
            said = f"{number} {act.__name__[1:]}: raised"
            self.fail(traceback.format_exc())
        faulthandler.cancel_dump_traceback_later()
        self._began = None
        if self._trace:
            print(said, flush=True)
        self._said.append(said)
        self._slowest = sorted([*self._slowest, (time.perf_counter() - began, said)], reverse=True)[:5]
        QTimer.singleShot(0, self._step)

    @Slot()
    def _close_menu(self) -> None:
        """End the event loop that Qt opens for the menu of a spin box inside the event that asked for it."""
        popup = QApplication.activePopupWidget()
        if self._began is not None and time.perf_counter() - self._began > 0.2 and popup is not None:
            popup.close()

    def fail(self, why: str) -> None:
        """Keep the first failure, with what had been done before."""
        if not self.failure:
            self.failure = f"{why}\nlast events:\n  " + "\n  ".join(self._said)

    @property
    def done(self) -> int:
        """How many events have happened."""
        return self._done

    def report(self) -> str:
        """The slowest events, one a line."""
        return "\n".join(f"{seconds:7.3f} s  {said}" for seconds, said in self._slowest)

    # --- the program ---

    def _start(self) -> Program:
        self._app.quit = lambda: None  # type: ignore[method-assign]
        program = Program(self._app)
        program.log.caught.connect(self.fail)
        program.log.install()
        faulthandler.enable(sys.stderr)  # rather than into the log, which goes with the home folder
        qInstallMessageHandler(self._qt_message)
        program.window.resize(1280, 720)
        program.show()
        return program

    def _qt_message(self, kind: QtMsgType, _context: object, text: str) -> None:
        if kind != QtMsgType.QtDebugMsg and not text.startswith(IGNORED_MESSAGES):
            self.fail(f"Qt: {text}\n{''.join(traceback.format_stack(limit=12))}")

    def _restart(self) -> None:
        self.program.window.discard()
        self.program.close()
        self.program.deleteLater()
        self.program = self._start()

    def end(self) -> None:
        """Close the program as it closes when its last window is closed."""
        for widget in QApplication.topLevelWidgets():
            if isValid(widget) and widget is not self.program.window:
                widget.close()
        self.program.window.discard()
        self.program.close()
        # The clipboard of the offscreen platform outlives Python, and must not hold what Python made.
        QApplication.clipboard().clear()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        left = [t.name for t in threading.enumerate() if t is not threading.main_thread() and not t.name.startswith("slice_")]
        if left:
            self.fail(f"threads left: {left}")

    # --- where ---

    def _window(self) -> QWidget:
        """The window that gets the next event: a popup, a dialog, or one of the visible ones."""
        popup, modal = QApplication.activePopupWidget(), QApplication.activeModalWidget()
        if popup is not None or modal is not None:
            return popup or modal
        if not self.program.window.isVisible():
            if self.program.window.isMinimized():
                self.program.window.showNormal()
            else:
                self._restart()
        others = [w for w in QApplication.topLevelWidgets()
                  if w.isVisible() and w.windowHandle() is not None and not isinstance(w, QMenu)]  # fmt: skip
        floating = sorted((w for w in others if w is not self.program.window), key=lambda w: (type(w).__name__, w.objectName()))
        return self._rng.choice(floating) if floating and self._rng.random() < 0.15 else self.program.window

    def _place(self) -> tuple[QWidget, QPoint, str]:
        window = self._window()
        visible = [w for w in window.findChildren(QWidget)
                   if w.isVisible() and w.window() is window and not w.visibleRegion().isEmpty()]  # fmt: skip
        if visible and self._rng.random() < 0.5:  # small things are hit as often as large ones
            target = self._rng.choice(visible)
            at = target.mapTo(window, self._point(target, target.visibleRegion().boundingRect()))
        else:
            target, at = window, self._point(window)
        return window, at, f"{type(target).__name__} {target.objectName()} at {at.x()},{at.y()} of {type(window).__name__}"

    def _point(self, widget: QWidget, inside: QRect | None = None) -> QPoint:
        room = widget.rect() if inside is None else inside
        return room.topLeft() + QPoint(int(self._rng.random() * room.width()), int(self._rng.random() * room.height()))

    def _modifier(self) -> Qt.KeyboardModifier:
        keys = [Modifier.NoModifier, Modifier.ShiftModifier, Modifier.ControlModifier, Modifier.AltModifier]
        return self._rng.choices(keys, [12, 1, 1, 1])[0]

    # --- mouse ---

    def _click(self) -> str:
        window, at, where = self._place()
        self._press(window, Button.LeftButton, at)
        return where

    def _double_click(self) -> str:
        window, at, where = self._place()
        for _ in range(2):
            self._press(window, Button.LeftButton, at)
        return where

    def _right_click(self) -> str:
        window, at, where = self._place()
        self._press(window, Button.RightButton, at)
        return where

    def _press(self, window: QWidget, button: Qt.MouseButton, at: QPoint) -> None:
        keys = self._modifier()
        self._do(QTest.mousePress, window, button, keys, at)
        self._do(QTest.mouseRelease, window, button, keys, at)

    def _do(self, act: Callable[..., None], window: QWidget, *details: object) -> None:
        """One event through the window system; the window may be gone by now, as a menu is after a press."""
        # A QWindow's wrapper lives no longer than that of its widget, so it is asked for here.
        if isValid(window) and window.windowHandle() is not None and self._inside(window, details):
            act(window.windowHandle(), *details)

    def _inside(self, window: QWidget, details: tuple[object, ...]) -> bool:
        """Whether the event happens inside the window, which may be larger than its part on the screen."""
        size = window.windowHandle().size()
        return all(QRect(QPoint(), size).contains(at) for at in details if isinstance(at, QPoint))

    def _drag(self) -> str:
        window, at, where = self._place()
        button = self._rng.choices([Button.LeftButton, Button.MiddleButton, Button.RightButton], [8, 1, 1])[0]
        keys = self._modifier()
        end = QPoint(int(self._rng.random() * window.width()), int(self._rng.random() * window.height()))
        self._do(QTest.mousePress, window, button, keys, at)
        for i in range(1, 6):
            self._do(QTest.mouseMove, window, at + (end - at) * (i / 5))
        if self._rng.random() < 0.1:
            self._strike(window, Key.Key_Escape, Modifier.NoModifier)
        self._do(QTest.mouseRelease, window, button, keys, end)
        return f"{where} to {end.x()},{end.y()}"

    def _wheel(self) -> str:
        window = self._window()
        at = self._point(window)
        target = window.childAt(at) or window
        step = self._rng.choice((-480, -120, 120, 480))
        place = QPointF(target.mapFrom(window, at))
        event = QWheelEvent(place, QPointF(window.mapToGlobal(at)), QPoint(), QPoint(0, step), Button.NoButton,
                            self._modifier(), Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
        QApplication.sendEvent(target, event)
        return f"{step} on {type(target).__name__}"

    # --- keyboard ---

    def _key(self) -> str:
        window = self._window()
        name = self._rng.choice(KEYS)
        self._strike(window, getattr(Key, f"Key_{name}"), self._modifier())
        return name

    def _chord(self) -> str:
        window = self._window()
        chord = self._rng.choice(CHORDS)
        *modifiers, name = chord.split("+")
        keys = Modifier.NoModifier
        for modifier in modifiers:
            keys |= {"Ctrl": Modifier.ControlModifier, "Shift": Modifier.ShiftModifier, "Alt": Modifier.AltModifier}[modifier]
        names = {"[": "BracketLeft", "]": "BracketRight"}
        self._strike(window, getattr(Key, f"Key_{names.get(name, name)}"), keys)
        return chord

    def _strike(self, window: QWidget, key: Qt.Key, keys: Qt.KeyboardModifier) -> None:
        # One by one: with all in one call QTest would go on in a window that is gone, as Alt closes a menu.
        held = [name for modifier, name in MODIFIERS.items() if keys & modifier]
        for name in held:
            self._do(QTest.keyPress, window, name, Modifier.NoModifier)
        self._do(QTest.keyPress, window, key, keys)
        self._do(QTest.keyRelease, window, key, Modifier.NoModifier)
        for name in held:
            self._do(QTest.keyRelease, window, name, Modifier.NoModifier)

    def _type(self) -> str:
        window = self._window()
        fields = [f for f in window.findChildren(QLineEdit) if f.isVisible() and f.isEnabled()]
        text = self._rng.choice(TEXTS)
        if fields and self._rng.random() < 0.8:
            field = self._rng.choice(fields)
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
        end = self._rng.choice((Key.Key_Return, Key.Key_Tab, Key.Key_Escape, None))
        focus = QApplication.focusWidget()
        if end is not None and focus is not None:
            QTest.keyClick(focus, end)
        return f"{text[:30]!r} {end} into {name}"

    # --- commands ---

    def _menu_action(self) -> str:
        self._window()
        bar = self.program.window.menuBar()
        actions = [a for a in _leaves(bar.actions()) if a.isEnabled() and not a.isSeparator()]
        action = self._rng.choice(actions)
        text = action.text()
        if action is self.program.window.actions_.quit and self._rng.random() < 0.8:
            return "quit, thought better of"
        if QApplication.activeModalWidget() is None:
            action.trigger()
        return text

    def _undo_or_redo(self) -> str:
        stack = self.program.studio.document.undo_stack
        times = self._rng.choice((1, 1, 1, 2, 5, 20))
        back = self._rng.random() < 0.6
        undo, redo = self.program.window.menus.undo
        if QApplication.activeModalWidget() is None:
            for _ in range(times):
                (undo if back else redo).trigger()
        return f"{'undo' if back else 'redo'} {times}, now {stack.index()} of {stack.count()}"

    def _run(self) -> str:
        actions = self.program.window.actions_
        name, action = self._rng.choices(
            [("train", actions.train), ("batch", actions.batch), ("layer", actions.layer), ("stop", actions.stop),
             ("reset", actions.reset), ("next", actions.next_sample), ("random", actions.random_sample)],
            [6, 3, 2, 1, 1, 1, 1])[0]  # fmt: skip
        if QApplication.activeModalWidget() is None:
            action.trigger()
        return f"{name} -> {self.program.studio.controller.state.phase.name}"

    def _look(self) -> str:
        if QApplication.activeModalWidget() is not None:
            return "a dialog is open"
        actions = self.program.window.actions_
        action = self._rng.choice((actions.theme, actions.theme, actions.large_text, actions.language))
        text = action.text()
        action.trigger()
        return text

    def _data(self) -> str:
        name = self._rng.choice(("digits8x8", "mnist12k", "digits8x8", *map(str, self._files)))
        self.program.studio.choose_data({"name": name})
        return name

    # --- the canvas and its forms ---

    def _palette_drop(self) -> str:
        kind = self._rng.choice(sorted(LAYERS))
        data = QMimeData()
        data.setData(MIME_KIND, kind.encode())
        view = self.program.window.view
        wires = sorted(view.canvas.wires)
        if wires and self._rng.random() < 0.7:
            points = view.canvas.wires[self._rng.choice(wires)].points
            at = view.mapFromScene((points[len(points) // 2 - 1] + points[len(points) // 2]) / 2)
        else:
            at = self._point(view.viewport())
        self._drop(view.viewport(), at, data)
        return f"{kind} at {at.x()},{at.y()}"

    def _template(self) -> str:
        """Begin again with a whole network: random edits soon leave one that cannot be trained."""
        if QApplication.activeModalWidget() is not None:
            return "a dialog is open"
        name = self._rng.choice(self.program.templates).name
        self.program.window.network.use_template(name)
        return name

    def _drop(self, target: QWidget, at: QPoint, data: QMimeData) -> None:
        action = Qt.DropAction.CopyAction
        for event in (QDragEnterEvent(at, action, data, Button.LeftButton, Modifier.NoModifier),
                      QDragMoveEvent(at, action, data, Button.LeftButton, Modifier.NoModifier),
                      QDropEvent(QPointF(at), action, data, Button.LeftButton, Modifier.NoModifier)):  # fmt: skip
            QApplication.sendEvent(target, event)

    def _select_block(self) -> str:
        ids = sorted(self.program.studio.document.graph.ids)
        if not ids:
            return "no block"
        block = self._rng.choice(ids)
        self.program.window.view.show_block(block)
        return block

    def _option(self) -> str:
        """A number or choice in the properties, the settings or the tool bar."""
        window = self.program.window
        panel = self._rng.choice((window.properties, window.properties, window.training_settings, window.main_bar))
        if panel is not window.main_bar:
            window.docks.bring_up("properties" if panel is window.properties else "settings")
        fields = [w for w in panel.findChildren(QWidget) if w.isVisible() and w.isEnabled()]
        boxes: list[Any] = [w for w in fields if hasattr(w, "stepBy") or isinstance(w, QComboBox)]
        if not boxes:
            return "no field"
        box = self._rng.choice(boxes)
        name = box.accessibleName()
        if isinstance(box, QComboBox):
            index = self._rng.randrange(max(1, box.count()))
            box.setCurrentIndex(index)
            box.activated.emit(index)
            return f"{name} choice {index}"
        steps = self._rng.choice((1, -1, 3, -3, 10))
        box.stepBy(steps)
        return f"{name} by {steps}"

    # --- the window ---

    def _dock(self) -> str:
        docks = self.program.window.docks
        dock = self._rng.choice(docks.all)
        what = self._rng.choice(("close", "float", "show", "show", "arrange", "size"))
        if what == "close":
            dock.close()
        elif what == "float":
            dock.setFloating(not dock.isFloating())
        elif what == "show":
            docks.bring_up(dock.objectName())
        elif what == "size":
            dock.resize(self._rng.randint(20, 900), self._rng.randint(20, 900))
        else:
            docks.arrange()
        return f"{what} {dock.objectName()}"

    def _resize(self) -> str:
        window = self.program.window
        what = self._rng.choices(("size", "minimize", "full", "normal"), [8, 1, 1, 2])[0]
        width, height = self._rng.randint(300, 2200), self._rng.randint(200, 1400)
        if what == "minimize":
            window.showMinimized()
        elif what == "full":
            window.showFullScreen()
        elif what == "normal":
            window.showNormal()
        else:
            window.resize(width, height)
        return f"{what} {width}×{height}"

    def _press_button(self) -> str:
        window = self._window()
        things = [w for w in window.findChildren(QWidget)
                  if isinstance(w, (QAbstractButton, QTabBar)) and w.isVisible() and w.isEnabled()]  # fmt: skip
        if not things:
            return "no button"
        thing = self._rng.choice(things)
        name = f"{type(thing).__name__} {thing.accessibleName()}"
        if isinstance(thing, QTabBar):
            thing.setCurrentIndex(self._rng.randrange(max(1, thing.count())))
        else:
            thing.click()
        return name

    def _answer(self) -> str:
        """Answer what is asked: choose in a menu, press a button of a dialog, close anything else."""
        popup, modal = QApplication.activePopupWidget(), QApplication.activeModalWidget()
        if isinstance(popup, QMenu):
            actions = [a for a in popup.actions() if a.isEnabled() and not a.isSeparator() and a.menu() is None]
            if actions and self._rng.random() < 0.7:
                action = self._rng.choice(actions)
                text = action.text()
                if action is not self.program.window.actions_.quit:
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
            if buttons and self._rng.random() < 0.8:
                button = self._rng.choice(buttons)
                text = button.text()
                button.click()
                return f"{type(modal).__name__}: {text}"
            modal.close()
            return f"{type(modal).__name__} closed"
        return "nothing is asked"

    # --- files ---

    def _save_or_open(self) -> str:
        if QApplication.activeModalWidget() is not None:
            return "a dialog is open"
        files = self.program.window.files
        what = self._rng.choice(("save", "save_as", "open", "new"))
        getattr(files, what)()
        return what

    def _drop_file(self) -> str:
        path = self._a_file()
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(path)])
        window = self.program.window
        if QApplication.activeModalWidget() is None:
            self._drop(window, self._point(window), data)
        return Path(path).name

    def _a_file(self) -> str:
        return str(self._rng.choice([*self._files, *sorted((self._home / "files").glob(f"*{SUFFIX}"))]))

    def _wait(self) -> str:
        seconds = self._rng.choice((0.02, 0.05, 0.2))
        QTest.qWait(int(seconds * 1000))
        return f"{seconds} s"

    def _stub_dialogs(self) -> None:
        """Dialogs of the system cannot be reached by events: they are answered here, at random."""

        def answer(name: str) -> tuple[str, str]:
            return ("" if self._rng.random() < 0.2 else name, "")

        def target(_parent: object, _title: str, suggested: str = "", kinds: str = "", *_: object) -> tuple[str, str]:
            folder = self._home / self._rng.choice(("files", "files", "files", "no such folder"))
            end = Path(suggested).suffix or self._rng.choice((".png", ".svg", ".pdf", ".csv", ""))
            kind = self._rng.choice(kinds.split(";;")) if kinds else ""
            return answer(str(folder / f"{self._rng.choice('abc')}{end}"))[0], kind

        QFileDialog.getOpenFileName = lambda *_a, **_k: answer(self._a_file())  # type: ignore[method-assign, assignment]
        QFileDialog.getSaveFileName = target  # type: ignore[method-assign, assignment]
        QFileDialog.getExistingDirectory = lambda *_a, **_k: str(self._home / "files")  # type: ignore[method-assign, assignment]
        QDesktopServices.openUrl = lambda _url: True  # type: ignore[method-assign, assignment]
        for name in ("about", "warning", "information", "question", "critical"):
            setattr(QMessageBox, name, lambda *_a, **_k: QMessageBox.StandardButton.Ok)

        def drag(drag: QDrag, *_: object) -> Qt.DropAction:
            viewport = self.program.window.view.viewport()
            self._drop(viewport, self._point(viewport), drag.mimeData())
            return Qt.DropAction.CopyAction

        QDrag.exec = drag  # type: ignore[method-assign, assignment]
        QDialog.exec = lambda dialog: dialog.open() or 0  # type: ignore[method-assign, assignment]


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


def _make_files(folder: Path) -> list[Path]:
    """Files to open that are no projects and no data sets, or not whole ones."""
    folder.mkdir(parents=True)
    contents = {
        f"empty{SUFFIX}": b"",
        f"noise{SUFFIX}": Random(1).randbytes(5000),
        f"half{SUFFIX}": b"SQLite format 3\0" + bytes(100),
        "table.csv": b"label,a,b,c,d\n" + b"".join(b"%d,1,2,3,%d\n" % (i % 3, i) for i in range(60)),
        "broken.csv": b"label,a\n1\n\xff\xfe,,,\n",
        "broken.npz": b"PK\3\4nothing",
        "picture.png": b"\x89PNG\r\n\x1a\nnothing",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [*(folder / name for name in contents), folder / f"absent{SUFFIX}", folder / f"folder{SUFFIX}"]


def main(arguments: list[str]) -> int:
    """SEED EVENTS HOME [--trace]."""
    seed, events, home = int(arguments[0]), int(arguments[1]), Path(arguments[2])
    for form in (QSettings.Format.IniFormat, QSettings.Format.NativeFormat):
        QSettings.setPath(form, QSettings.Scope.UserScope, str(home / "config"))
    app = make_application(sys.argv[:1])
    app.setQuitOnLastWindowClosed(False)
    leave = app.exit
    monkey = Monkey(app, seed, events, home, trace="--trace" in arguments)
    monkey.over.connect(lambda: leave(0))
    monkey.begin()
    app.exec()
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    monkey.end()
    faulthandler.cancel_dump_traceback_later()
    print(monkey.report())
    if monkey.done < events and not monkey.failure:
        monkey.fail(f"the program ended after {monkey.done} events")
    if monkey.failure:
        print(monkey.failure)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
