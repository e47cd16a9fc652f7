"""An error in one of our event handlers is told and never ends the program."""

from __future__ import annotations

import inspect
import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

import cnnstudio

ALL_EVENTS = {"event", "viewportEvent", "sceneEvent"}


PROGRAM = """
import sys
from PySide6.QtCore import QAbstractListModel, QEvent, QObject, QRectF, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene, QGraphicsView, QListView, QStyledItemDelegate, QWidget
from cnnstudio.app import make_application
from cnnstudio.error_log import ErrorLog

app = make_application(["cnnstudio"])
log, told = ErrorLog(), []
log.caught.connect(told.append)
log.install()

def fail():
    return int("x")  # raised by C code

def handler(name):
    def handle(self, *args):
        getattr(QWidget, name)(self, *args)
        fail()
    return handle

class Item(QGraphicsItem):
    def boundingRect(self):
        return QRectF(0, 0, 50, 50)
    def paint(self, *_):
        fail()

class View(QGraphicsView):
    def paintEvent(self, event):
        super().paintEvent(event)

class Model(QAbstractListModel):
    def rowCount(self, parent=None):
        return 3
    def data(self, index, role=Qt.ItemDataRole.DisplayRole):
        return fail()

class Delegate(QStyledItemDelegate):
    def sizeHint(self, *args):
        return fail()

class Filter(QObject):
    def eventFilter(self, watched, event):
        return event.type() == QEvent.Type.MouseButtonPress and bool(fail())

def widget(kind):
    if kind == "item":
        made = View(scene)
    elif kind in ("data", "sizeHint"):
        made = QListView()
        made.setModel(Model(made))
        if kind == "sizeHint":
            made.setItemDelegate(Delegate(made))
    elif kind == "eventFilter":
        made = QWidget()
        made.installEventFilter(Filter(made))
    else:
        made = type("Own", (QWidget,), {kind: handler(kind)})()
    return made

scene = QGraphicsScene()
scene.addItem(Item())
made = widget(sys.argv[1])
target = getattr(made, "viewport", lambda: made)()
left = Qt.MouseButton.LeftButton
steps = [made.show, lambda: made.resize(made.width() + 10, 120), lambda: QTest.mousePress(target, left),
         lambda: QTest.mouseRelease(target, left), made.repaint, made.close] * 2 + [app.quit]

def step():
    QTimer.singleShot(0, step)
    steps.pop(0)()

QTimer.singleShot(0, step)
app.exec()
log.uninstall()
print(len(told))
"""


@pytest.mark.parametrize(
    "kind", ["paintEvent", "resizeEvent", "closeEvent", "mousePressEvent", "item", "data", "sizeHint", "eventFilter"]
)
def test_what_c_code_raises_in_a_handler_is_told(kind: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, kind], capture_output=True, text=True)
    assert done.returncode == 0 and int(done.stdout) > 0, f"exit code {done.returncode}\n{done.stderr[-2000:]}"


def test_no_widget_stands_around_its_own_event_handlers() -> None:
    """PySide 6.11 under Python 3.11 crashes when C code such as math.ceil(inf) raises an error in a handler like paintEvent that
    was called through `super().event(event)` of Python. An event filter on the widget itself sees the same events beside it."""
    found = []
    for module in pkgutil.walk_packages(cnnstudio.__path__, "cnnstudio."):
        if module.name.endswith("__main__"):
            continue
        for name, value in inspect.getmembers(import_module(module.name), inspect.isclass):
            if value.__module__ == module.name:
                found += [f"{module.name}.{name}.{handler}" for handler in ALL_EVENTS & set(vars(value))]
    assert found == []
