"""The first zoom: what the layer read and what it wrote, with the window on both."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from cnnstudio.panels.explain.names import Names
from cnnstudio.panels.explain.pictures import Block, Pair, Picture, Spot
from cnnstudio.theme import SPACE_S, SPACE_XS
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.map_view import MapView
from cnnstudio.widgets.mosaic import Maps

HEIGHT = 168
IMAGE_HEIGHT = 104


class LayerZoom(QWidget):
    """Two pictures. Pointing at a cell of either moves the window on both; a click explains the cell."""

    cell_wanted = Signal(object)
    """A `CellRef` of the engine."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pair: Pair | None = None
        self._source, self._result = MapView(max_cell=44), MapView(max_cell=44)
        self._captions = QLabel(), QLabel()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(SPACE_S)
        layout.setVerticalSpacing(SPACE_XS)
        for column, (view, caption) in enumerate(zip(self.views, self._captions, strict=True)):
            caption.setProperty("role", "muted")
            caption.setWordWrap(True)
            view.setFixedHeight(HEIGHT)
            view.setMinimumWidth(80)
            view.cell_clicked.connect(self._go)
            view.cell_activated.connect(self._go)
            layout.addWidget(caption, 0, column, Qt.AlignmentFlag.AlignBottom)
            layout.addWidget(view, 1, column)
            layout.setColumnStretch(column, 1)
        self._image, self._image_caption = MapView(max_cell=24, scale_bar=False), QLabel()
        self._image.setFixedHeight(IMAGE_HEIGHT)
        self._image.setAccessibleName(self.tr("The pixels that feed the number"))
        self._image_caption.setProperty("role", "muted")
        self._image_caption.setWordWrap(True)
        layout.addWidget(self._image_caption, 2, 0, 1, 2)
        layout.addWidget(self._image, 3, 0, 1, 2)
        self._source.hovered.connect(self._point_at_source)
        self._result.hovered.connect(self._point_at_result)

    @property
    def views(self) -> tuple[MapView, MapView]:
        """The picture that was read and the one that was written."""
        return self._source, self._result

    @property
    def image(self) -> MapView:
        """The image with the pixels that feed the number."""
        return self._image

    def show_pair(self, pair: Pair | None, names: Names) -> None:
        """Show two pictures; None hides the whole."""
        self._pair = pair
        self.setVisible(pair is not None)
        if pair is None:
            return
        for view, picture, caption in zip(self.views, (pair.source, pair.result), self._captions, strict=True):
            words = names.caption(picture.name)
            caption.setText(words)
            view.setAccessibleName(words)
            view.set_maps(picture.maps, kind=picture.kind)
        self._outline(None)

    def show_pixels(self, image: Maps | None, block: Block | None) -> None:
        """Outline on the image the pixels that feed the number."""
        shown = image is not None and block is not None
        self._image.setVisible(shown)
        self._image_caption.setVisible(shown)
        if image is None or block is None:
            return
        rows, columns = block
        text = self.tr("fed by the pixels of rows {top}–{bottom}, columns {left}–{right}")
        self._image_caption.setText(text.format(top=rows[0], bottom=rows[-1], left=columns[0], right=columns[-1]))
        self._image.set_maps(image, kind="image")
        self._image.highlight(None, rows, columns)

    def _outline(self, spot: Spot | None) -> None:
        """Draw the window for a cell of the result, or for the explained one."""
        assert self._pair is not None
        if spot is None and self._pair.whole is not None:
            for view, block in zip(self.views, self._pair.whole, strict=True):
                view.highlight(0, *block)
            return
        spot = spot or self._pair.here
        place, row, column = spot
        self._result.highlight(place, range(row, row + 1), range(column, column + 1))
        window = self._pair.window(spot)
        if window is None:
            self._source.clear_highlight()
        else:
            self._source.highlight(window[0], *window[1])

    @Slot(object)
    def _point_at_result(self, cell: Cell | None) -> None:
        if self._pair is not None:
            self._outline(None if cell is None else (cell.map, cell.row, cell.col))

    @Slot(object)
    def _point_at_source(self, cell: Cell | None) -> None:
        if self._pair is not None:
            self._outline(None if cell is None else self._pair.reader((cell.map, cell.row, cell.col)))

    @Slot(object)
    def _go(self, cell: Cell) -> None:
        if self._pair is None:
            return
        picture: Picture = self._pair.source if self.sender() is self._source else self._pair.result
        ref = picture.cell_of((cell.map, cell.row, cell.col))
        if ref is not None:
            self.cell_wanted.emit(ref)
