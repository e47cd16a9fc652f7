"""The painted, scrolling mosaic under a `MapView`: what is shown and where."""

import math
from collections.abc import Hashable, Sequence
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from cnnstudio.theme import Theme, current_theme, theme_changed, ui_font
from cnnstudio.widgets import map_overlays as overlays
from cnnstudio.widgets.axis_names import AxisNames
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.colormaps import Kind, default_colormap, value_range, value_ranges
from cnnstudio.widgets.mosaic import Layout, Maps, Picture, arrange, as_maps
from cnnstudio.widgets.numbers import format_count, format_shape, format_value
from cnnstudio.widgets.scale_bar import ScaleBar

RangeMode = Literal["unit", "layer", "network"]
Place = tuple[int, int, int]

_MARGIN, _GAP, _SMALLEST_MAP = 3, 5, 20


class MapArea(QAbstractScrollArea):
    """Maps with their colours, scale bar, captions and overlays; pointer and keyboard are `MapView`'s."""

    maps_changed = Signal()
    """Other maps are shown, or none."""

    def __init__(
        self,
        parent: QWidget | None = None,
        *,
        scale_bar: bool = True,
        max_cell: int = 40,
        columns: int | None = None,
        number_cell: int = overlays.NUMBER_CELL,
        placeholder: str = "",
    ) -> None:
        super().__init__(parent)
        self._max_cell, self._columns, self._placeholder = max_cell, columns, placeholder
        self._number_cell = number_cell
        self._names, self._oblong = AxisNames(), False
        self._maps: Maps | None = None
        self._kind: Kind = "activation"
        self._colormap: str | None = None
        self._range_mode: RangeMode = "layer"
        self._bounds: tuple[float, float] | None = None
        self._labels: tuple[str, ...] = ()
        self._marks: Maps | None = None
        self._key: Hashable = None
        self._stale = False
        self._picture: Picture | None = None
        self._low = self._high = np.zeros(1)
        self._nonfinite: NDArray[np.bool_] | None = None
        self._layout: Layout | None = None
        self._layout_scale = 0.0
        self._pointer: Place | None = None
        self._cursor: Place | None = None
        self._highlights: list[overlays.Highlight] = []
        self._grid: tuple[int, int] | None = None
        self._backdrop: QImage | None = None
        self._leader: MapArea | None = None
        self._follower: MapArea | None = None
        self._scale_bar = ScaleBar(self) if scale_bar else None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setAccessibleName(self.tr("Maps"))
        theme_changed.connect(self._retheme)
        self._retheme(current_theme())

    def set_maps(
        self,
        maps: Maps | None,
        *,
        low: float | None = None,
        high: float | None = None,
        range_mode: RangeMode = "layer",
        kind: Kind = "activation",
        colormap: str | None = None,
        labels: Sequence[str] = (),
        marks: Maps | None = None,
        key: Hashable = None,
    ) -> None:
        """Show maps (N, H, W), or RGB maps (N, H, W, 3); None shows the placeholder.

        Colours span [low, high] if both are given, as they are for the range of a "network", else each map's own
        range ("unit") or that of all ("layer"); weights are centred on 0. `labels` names the maps, `marks` (N, H, W)
        bool puts a dot on cells. A call with the same `key` (for example the step) and the same options does nothing.
        ValueError for an array of another shape.
        """
        bounds = (low, high) if low is not None and high is not None else None
        options = (kind, colormap, range_mode, bounds, tuple(labels))
        same = options == (self._kind, self._colormap, self._range_mode, self._bounds, self._labels)
        if key is not None and key == self._key and same and self._maps is not None:
            return
        old_shape = None if self._maps is None else self._maps.shape
        captions_changed = any(options[-1]) != any(self._labels)
        self._maps = None if maps is None else as_maps(maps)
        self._kind, self._colormap, self._range_mode, self._bounds, self._labels = options
        self._marks, self._key, self._stale = marks, key, True
        if captions_changed or old_shape != (None if maps is None else maps.shape):
            self._pointer = self._cursor = None
            self._highlights = []
            self._relayout()
        if self._maps is None:
            self._show_range()
        elif self.isVisible():
            self._refresh()
        self.viewport().update()
        self.maps_changed.emit()

    def set_axes(self, rows: Sequence[str] = (), columns: Sequence[str] = (), *, oblong: bool = False) -> None:
        """Name the rows and columns of a single map where its cells are large enough; `oblong` cells may be taller than wide."""
        new = AxisNames(tuple(rows), tuple(columns)), oblong
        if new != (self._names, self._oblong):
            self._names, self._oblong = new
            self._relayout()
            self.viewport().update()

    def set_marks(self, marks: Maps | None) -> None:
        """Put a dot on every cell whose mark (N, H, W) is true: the winners of a max pooling."""
        self._marks = marks
        self.viewport().update()

    def set_grid(self, rows: int | None, cols: int | None = None) -> None:
        """Draw lines every `rows` and `cols` cells (the windows of a pooling layer); None takes them away."""
        self._grid = None if rows is None else (rows, cols or rows)
        self.viewport().update()

    def set_backdrop(self, picture: Maps | None, low: float = 0.0, high: float = 1.0) -> None:
        """Lay a picture, grey (H, W) or RGB (H, W, 3) over [low, high], half transparent over every map; None takes it away."""
        mixed = self._backdrop is not None
        self._backdrop = None if picture is None else overlays.picture_image(picture, low, high)
        if mixed != (picture is not None) and not self._stale:
            self._show_range()
        self.viewport().update()

    def highlight(self, map: int | None, rows: range, cols: range, *, add: bool = False) -> None:
        """Outline a block of cells in one map, or in all (None); it may reach into the padding."""
        new = overlays.Highlight(map, rows, cols)
        self._highlights = [*self._highlights, new] if add else [new]
        self.viewport().update()

    def clear_highlight(self) -> None:
        """Take all outlines away."""
        self._highlights = []
        self.viewport().update()

    def follow_columns(self, leader: "MapArea") -> None:
        """Use as many columns as a view beside this one while both show equally many maps: each has the same place in both."""
        self._leader, leader._follower = leader, self
        self._relayout()

    def set_placeholder(self, text: str) -> None:
        """The line shown while there are no maps."""
        self._placeholder = text
        self.viewport().update()

    @property
    def maps(self) -> Maps | None:
        """The array on display, None while the placeholder is."""
        return None if self._maps is None or self._maps.size == 0 else self._maps

    @property
    def colormap(self) -> str:
        """The name of the colour map in use."""
        return self._colormap or default_colormap(self._kind, dark=current_theme().dark)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The values at the ends of the scale: of all maps, or with own ranges that of the map pointed at."""
        if self.maps is None:
            return None
        self._refresh()
        index = self._ranged_map()
        if index is None:
            return float(self._low.min()), float(self._high.max())
        return float(self._low[index]), float(self._high[index])

    def needed_height(self, width: int, most: int) -> int:
        """The height that the maps with their scale bar need to be as large at a width as with a height of `most`."""
        if self.maps is None:
            return most
        below = self.viewportMargins().bottom()
        size = self._arrange(QSize(width, most - below)).size
        return min(most, math.ceil(size.height() / self.devicePixelRatioF()) + below)

    def cell_rect(self, map: int, row: int, col: int) -> QRectF:
        """The rectangle of a cell in the viewport (logical pixels), as scrolled now."""
        box = self._arranged().cells_rect(map, range(row, row + 1), range(col, col + 1))
        scale, offset = self.devicePixelRatioF(), self._offset()
        return QRectF(
            box.x() / scale - offset.x(),
            box.y() / scale - offset.y(),
            box.width() / scale,
            box.height() / scale,
        )

    def cell_at(self, point: QPointF | QPoint) -> Cell | None:
        """The cell at a point of the viewport (logical pixels)."""
        place = self._hit(QPointF(point))
        return None if place is None else self._cell(place)

    def _hit(self, point: QPointF) -> Place | None:
        if self.maps is None:
            return None
        scale = self.devicePixelRatioF()
        moved = point + QPointF(self._offset())
        return self._arranged().hit(moved.x() * scale, moved.y() * scale)

    def _cell(self, place: Place) -> Cell:
        assert self._maps is not None
        value = self._maps[place]
        return Cell(*place, tuple(float(v) for v in value) if np.ndim(value) else float(value))

    def _place(self) -> Place | None:
        """The cell in question: that under the pointer, else the keyboard's."""
        return self._pointer or (self._cursor if self.hasFocus() else None)

    @property
    def _counts(self) -> bool:
        """Whether the values are whole numbers or marks."""
        return self._maps is not None and self._maps.dtype.kind in "biu"

    def _ranged_map(self) -> int | None:
        """Of maps with ranges of their own the one pointed at."""
        place = self._place()
        return place[0] if place is not None and len(self._low) > 1 else None

    def _offset(self) -> QPoint:
        return QPoint(self.horizontalScrollBar().value(), self.verticalScrollBar().value())

    # --- layout -----------------------------------------------------------------------------------------

    def _arranged(self) -> Layout:
        assert self._maps is not None
        scale = self.devicePixelRatioF()
        if self._layout is None or scale != self._layout_scale:
            self._layout_scale = scale
            room = self.maximumViewportSize()
            self._layout = self._arrange(room)
            if self._layout.size.height() > room.height() * scale:
                bar = self.verticalScrollBar().sizeHint().width()
                self._layout = self._arrange(room - QSize(bar, 0))
        return self._layout

    def _arrange(self, room: QSize) -> Layout:
        assert self._maps is not None
        count, height, width = self._maps.shape[:3]
        scale = self.devicePixelRatioF()
        caption = QFontMetrics(ui_font(0.8)).height() + 1 if any(self._labels) else 0
        place = partial(
            arrange,
            (count, height, width),
            room * scale,
            gap=round(_GAP * scale),
            caption=round(caption * scale),
            margin=round(_MARGIN * scale),
            max_cell=round(self._max_cell * scale),
            min_map=round(_SMALLEST_MAP * scale),
            columns=self._columns or self._leading_columns(count),
            oblong=self._oblong,
        )
        layout = place()
        return self._names.arrange(layout, lambda names: place(names=names), scale) if count == 1 else layout

    def _leading_columns(self, count: int) -> int | None:
        leader = self._leader
        if leader is None or leader._maps is None or len(leader._maps) != count:
            return None
        return leader._arranged().columns

    def _relayout(self) -> None:
        self._layout = None
        size = QSize(0, 0) if self.maps is None else self._arranged().size / self.devicePixelRatioF()
        room = self.maximumViewportSize()
        for bar, content, view in (
            (self.verticalScrollBar(), size.height(), room.height()),
            (self.horizontalScrollBar(), size.width(), room.width()),
        ):
            bar.setRange(0, max(0, content - view))
            bar.setPageStep(max(1, view))
            bar.setSingleStep(24)
        if self._follower is not None:
            self._follower._relayout()
            self._follower.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the maps anew and put the scale bar below them."""
        super().resizeEvent(event)
        if self._scale_bar is not None:
            height = self._scale_bar.sizeHint().height()
            self._scale_bar.setGeometry(QRect(0, self.height() - height, self.width(), height))
        self._relayout()

    def sizeHint(self) -> QSize:
        """A panel's usual size."""
        return QSize(260, 180)

    def minimumSizeHint(self) -> QSize:
        """A row of small maps above the scale bar: so that many panels share a small window."""
        return QSize(64, 2 * _SMALLEST_MAP + self.viewportMargins().bottom())

    @Slot(object)
    def _retheme(self, _theme: Theme) -> None:
        if self._scale_bar is not None:
            self.setViewportMargins(0, 0, 0, self._scale_bar.sizeHint().height() + 2)
        self._stale = True
        self._relayout()
        self.viewport().update()

    # --- colours and painting ---------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Bring range and colours up to date with the array."""
        maps = self.maps
        if not self._stale or maps is None:
            return
        self._stale = False
        if self._picture is None or self._picture.shape != maps.shape[:3]:
            self._picture = Picture(*maps.shape[:3])
        if self._bounds is None and self._range_mode == "unit":
            self._low, self._high = value_ranges(maps, self._kind)
        else:
            low, high = self._bounds or value_range(maps, self._kind)
            self._low, self._high = np.array([low]), np.array([high if high > low else low + 1.0])
        self._picture.color(maps, self._kind, self.colormap, self._low, self._high)
        finite = np.isfinite(maps)
        self._nonfinite = None
        if not finite.all():
            self._nonfinite = ~finite if maps.ndim == 3 else ~np.asarray(finite.all(axis=-1))
        self._show_range()

    def _show_range(self) -> None:
        """Tell the scale bar, and the screen reader, what the colours mean now."""
        bounds = self.bounds
        if bounds is None or self._maps is None:
            if self._scale_bar is not None:
                self._scale_bar.clear()
            return
        count, height, width = self._maps.shape[:3]
        if self._scale_bar is not None:
            note, short_note = self._scale_words()
            self._scale_bar.set_scale(
                "grey" if self._maps.ndim == 4 else self.colormap,
                *bounds,
                nonfinite=0 if self._nonfinite is None else int(self._nonfinite.sum()),
                whole=self._counts,
                note=note,
                short_note=short_note,
            )
        self.setAccessibleDescription(
            self.tr("{count} maps of {shape}, values from {low} to {high}").format(
                count=format_count(count),
                shape=format_shape((height, width)),
                low=format_value(bounds[0], 3),
                high=format_value(bounds[1], 3),
            )
        )

    def _whose_range(self) -> tuple[str, str]:
        """(in words, in a word or two)."""
        if self._ranged_map() is not None:
            return self.tr("range of this map"), self.tr("this map")
        if len(self._low) > 1:
            return self.tr("each map its own range"), self.tr("own ranges")
        if self._range_mode == "network" and self._bounds:
            return self.tr("range of the network"), self.tr("network")
        return "", ""

    def _scale_words(self) -> tuple[str, str]:
        """Whose range it is, and whether its colours are mixed: (in words, in a word or two)."""
        said = [self._whose_range()]
        if self._backdrop is not None:
            said.insert(0, (self.tr("mixed with the image"), self.tr("mixed")))
        whole, short = (" · ".join(filter(None, words)) for words in zip(*said, strict=True))
        return whole, short

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the visible maps and what lies over them."""
        painter = QPainter(self.viewport())
        maps = self.maps
        if maps is None:
            painter.setPen(current_theme().color("muted"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.viewport().rect().adjusted(8, 8, -8, -8), flags, self._placeholder)
            return
        self._refresh()
        assert self._picture is not None
        layout, scale, offset = self._arranged(), self.devicePixelRatioF(), self._offset()
        painter.scale(1 / scale, 1 / scale)
        painter.translate(round(-offset.x() * scale), round(-offset.y() * scale))
        top = round(offset.y() * scale)
        shown = layout.visible(top, top + round(self.viewport().height() * scale))
        overlays.draw_frames(painter, layout, shown, scale, self._kind)
        self._picture.draw(painter, layout, shown)
        if self._backdrop is not None:
            overlays.draw_backdrop(painter, layout, self._backdrop, shown)
        self._draw_overlays(painter, layout, shown, scale)
        painter.resetTransform()
        self._draw_place(painter)

    def _draw_overlays(self, painter: QPainter, layout: Layout, shown: range, scale: float) -> None:
        assert self._maps is not None and self._picture is not None
        if self._grid is not None:
            overlays.draw_grid(painter, layout, shown, self._grid, scale)
        if self._nonfinite is not None:
            overlays.draw_stamps(painter, layout, self._nonfinite, shown, "cross")
        if self._maps.ndim == 3 and layout.cell >= self._number_cell * scale:
            pale = self._kind == "counts"
            overlays.draw_numbers(painter, layout, self._maps, self._picture, shown, scale, pale_zeros=pale)
        if self._marks is not None:
            overlays.draw_stamps(painter, layout, self._marks, shown, "dot")
        if layout.caption:
            overlays.draw_captions(painter, layout, self._labels, shown, scale)
        if layout.left or layout.top:
            self._names.draw(painter, layout, scale)
        overlays.draw_highlights(painter, layout, self._highlights, shown, scale)

    def _draw_place(self, painter: QPainter) -> None:
        """The cell under the pointer, or the keyboard's, with its value."""
        place = self._place()
        if place is not None:
            box = self.cell_rect(*place)
            token = "highlight" if self._pointer else "accent"
            overlays.outline(painter, box, current_theme().color(token), 1.5)
            overlays.draw_readout(painter, self.viewport().rect(), box, self._readout(self._cell(place)))

    def _readout(self, cell: Cell) -> str:
        values = cell.value if isinstance(cell.value, tuple) else (cell.value,)
        texts = [format_count(round(v)) if self._counts else format_value(v) for v in values]
        if len(texts) == 3:
            texts = [f"{channel} {text}" for channel, text in zip("RGB", texts, strict=True)]
        rows, columns = self._names.rows, self._names.columns
        if rows and columns:
            return self.tr("{name}: {value}").format(name=f"{rows[cell.row]} → {columns[cell.col]}", value=texts[0])
        place = self.tr("row {row} · column {column}: {value}").format(row=cell.row, column=cell.col, value="  ".join(texts))
        return " · ".join(filter(None, (rows[cell.row] if rows else self._name_of(cell.map), place)))

    def _name_of(self, number: int) -> str:
        """What a map is called; nothing where there is only one, or where pictures are no maps but images."""
        if number < len(self._labels):
            return self._labels[number]
        assert self._maps is not None
        return self.tr("map {number}").format(number=number) if len(self._maps) > 1 and self._kind != "image" else ""
