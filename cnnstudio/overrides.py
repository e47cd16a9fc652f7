"""Errors in event handlers end in the error dialog, also where PySide would crash on them.

PySide 6.11 looks into an error that leaves a Python override of a C++ method. Python 3.11 gives it those that C code has raised
(`int("x")`, `1 / 0`, an index out of range) in a raw form, for which it is not prepared: a segmentation fault. An error that has
passed through an `except` is in its final form. From Python 3.12 on, all are.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any
from weakref import WeakSet

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QGraphicsItem

_mended: WeakSet[type] = WeakSet()


def mend_overrides() -> None:
    """Let all classes of this program that derive from Qt's raise errors in their final form, those still to be defined, too."""
    if sys.version_info >= (3, 12):
        return
    for root in (QObject, QGraphicsItem):
        for cls in _below(root):
            _mend(cls)
        root.__init_subclass__ = classmethod(_mend)  # type: ignore[assignment]


def _below(cls: type[Any]) -> Iterator[type[Any]]:
    for child in cls.__subclasses__():
        yield child
        yield from _below(child)


def _mend(cls: type[Any], /, **_options: Any) -> None:
    if _is_of_qt(cls) or cls in _mended:
        return
    _mended.add(cls)
    of_qt = [base for base in cls.__mro__ if _is_of_qt(base)]
    for name, method in list(vars(cls).items()):
        if isinstance(method, FunctionType) and not name.startswith("__") and any(name in vars(base) for base in of_qt):
            setattr(cls, name, _final(method))


def _is_of_qt(cls: type) -> bool:
    return cls.__module__.startswith("PySide6.")


def _final(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def override(*args: Any, **options: Any) -> Any:
        try:
            return method(*args, **options)
        except BaseException:
            raise

    return override
