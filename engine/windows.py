"""Sliding windows: padding rules, output sizes, and the strided view that makes windows without copying.

A window of k cells with dilation d spans e = d·(k − 1) + 1 cells. Over H cells with padding top + bottom
and stride s it stands at H' = ⌊(H + top + bottom − e) / s⌋ + 1 places.
"""

from __future__ import annotations

from numpy.lib.stride_tricks import sliding_window_view

from engine.errors import Fix, ShapeError
from engine.layer import Array
from engine.phrase import Phrase

Pair = tuple[int, int]
Sides = tuple[int, int, int, int]


def extent(kernel: int, dilation: int) -> int:
    """How many cells a window spans: e = d·(k − 1) + 1."""
    return dilation * (kernel - 1) + 1


def resolve_padding(rule: str | Sides, size: Pair, kernel: Pair, stride: Pair,
                    dilation: Pair = (1, 1)) -> Sides:
    """(top, bottom, left, right) that a padding rule means for a map of `size`.

    "valid": none. "same": H' = ⌈H / s⌉, the odd cell at the bottom/right. "cover": the smallest padding, at
    the bottom and right only, under which the windows read every cell.
    """
    if not isinstance(rule, str):
        return rule
    sides: list[int] = []
    for cells, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        span = extent(k, d)
        if rule == "valid":
            sides += [0, 0]
        elif rule == "same":
            total = max((-(-cells // s) - 1) * s + span - cells, 0)
            sides += [total // 2, total - total // 2]
        else:
            # Every window begins inside the map; with a stride beyond its span it might read padding alone.
            places = max(-(-(cells - max(span, s)) // s), 0) + 1
            sides += [0, max((places - 1) * s + span - cells, 0)]
    return (sides[0], sides[1], sides[2], sides[3])


def output_size(size: Pair, kernel: Pair, stride: Pair, padding: Sides, dilation: Pair = (1, 1), *,
                ceil_mode: bool = False, what: str = "kernel") -> Pair:
    """(H', W') of the windows' places; raises ShapeError with the arithmetic when the window does not fit.

    With `ceil_mode` a last window that begins inside the map or its top/left padding counts even if it hangs
    over the end.
    """
    places = []
    for axis, cells, k, s, d, before, after in zip(("height", "width"), size, kernel, stride, dilation,
                                                   padding[::2], padding[1::2], strict=True):
        span, total = extent(k, d), cells + before + after
        room = total - span + (s - 1 if ceil_mode else 0)
        if room < 0:
            raise _does_not_fit(axis, cells, before, after, kernel, span, d, what)
        count = room // s + 1
        if ceil_mode and (count - 1) * s >= cells + before:
            count -= 1
        places.append(count)
    return (places[0], places[1])


def _does_not_fit(axis: str, cells: int, before: int, after: int, kernel: Pair, span: int, dilation: int,
                  what: str) -> ShapeError:
    total = cells + before + after
    largest = (total - 1) // dilation + 1
    spread = f" spans {{span}} cells with dilation {dilation} and" if dilation > 1 else ""
    return ShapeError(
        f"the {{kernel}} {what}{spread} does not fit. "
        f"Input {axis} {{cells}} + {{before}} + {{after}} padding = {{total}}.",
        code="window.too_large", field="kernel_size",
        fixes=(Fix("set", f"use a {what} of at most {{largest}}", {"largest": largest}, field="kernel_size",
                   value=(min(kernel[0], largest), min(kernel[1], largest))),
               Fix("set", "add {missing} of padding", {"missing": span - total}, field="padding",
                   value="cover")),
        kernel=f"{kernel[0]}×{kernel[1]}", cells=cells, before=before, after=after, total=total, span=span)


def windows(a: Array, kernel: Pair, stride: Pair, dilation: Pair, places: Pair) -> Array:
    """All windows as a read-only view: (N, C, H, W) -> (N, C, kh, kw, H', W').

    Element [n, c, u, v, i, j] is a[n, c, i·s + u·d, j·s + v·d].
    """
    spans = extent(kernel[0], dilation[0]), extent(kernel[1], dilation[1])
    every = sliding_window_view(a, spans, axis=(2, 3))  # (N, C, rows, columns, *spans)
    chosen = every[:, :, ::stride[0], ::stride[1], ::dilation[0], ::dilation[1]]
    return chosen[:, :, :places[0], :places[1]].transpose(0, 1, 4, 5, 2, 3)


def steps_in_words(stride: Pair, padding: str | Sides, usual_stride: Pair) -> list[Phrase]:
    """How a window goes over the map, in a few words without what is usual: ["stride 2", "pad 2"]."""
    parts = []
    if stride != usual_stride:
        parts.append(Phrase("stride {stride}", {"stride": "×".join(map(str, dict.fromkeys(stride)))}))
    if isinstance(padding, str):
        parts.append(Phrase(padding))
    elif any(padding):
        sides = padding[:1] if len(set(padding)) == 1 else padding
        parts.append(Phrase("pad {padding}", {"padding": ",".join(map(str, sides))}))
    return parts
