"""The one place in an array that a pointer or the keyboard cursor is on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """Map, row and column (0-based) of a cell, and its value; in a colour picture that is an RGB triple."""

    map: int
    row: int
    col: int
    value: float | tuple[float, ...]
