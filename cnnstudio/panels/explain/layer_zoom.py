"""The first zoom: what the layer read and what it wrote, with the window on both."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from cnnstudio.panels.explain.names import Names
from cnnstudio.panels.explain.pictures import Block, Pair, Picture, Spot
from cnnstudio.theme import SPACE_S, SPACE_XS
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.map_view import MapView
from cnnstudio.widgets.mosaic import Maps
from cnnstudio.widgets.numbers import unbroken

HEIGHT = 168
"""Of the pictures at most, in pixels; narrow ones need less."""
IMAGE_HEIGHT = 104
SHARES = (5, 3, 5)
"""Of the width, where a kernel stands between the two pictures."""


class LayerZoom(QWidget):
    """Two pictures. Pointing at a cell of either moves the window on both; a click explains the cell."""

    cell_wanted = Signal(object)
    """A `CellRef` of the engine."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pair: Pair | None = None
        self._source, self._result = MapView(max_cell=44), MapView(max_cell=44)
        self._kernel = MapView(max_cell=30, scale_bar=False)
        self._captions = QLabel(), QLabel(), QLabel()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._grid = layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(SPACE_S)
        layout.setVerticalSpacing(SPACE_XS)
        for column, (view, caption) in enumerate(zip(self._all, self._captions, strict=True)):
            caption.setProperty("role", "muted")
            caption.setWordWrap(True)
            caption.setAlignment(Qt.AlignmentFlag.AlignBottom)
            caption.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            view.setMinimumWidth(64)
            view.cell_clicked.connect(self._go)
            view.cell_activated.connect(self._go)
            layout.addWidget(caption, 0, column)
            layout.addWidget(view, 1, column)
        self._share_room(SHARES)
        self._image, self._image_caption = MapView(max_cell=24, scale_bar=False), QLabel()
        self._image.setFixedHeight(IMAGE_HEIGHT)
        self._image.setAccessibleName(self.tr("The pixels that feed the number"))
        self._image_caption.setProperty("role", "muted")
        self._image_caption.setWordWrap(True)
        layout.addWidget(self._image_caption, 2, 0, 1, 3)
        layout.addWidget(self._image, 3, 0, 1, 3)
        self._source.hovered.connect(self._point_at_source)
        self._result.hovered.connect(self._point_at_result)

    @property
    def views(self) -> tuple[MapView, MapView]:
        """The picture that was read and the one that was written."""
        return self._source, self._result

    @property
    def kernel(self) -> MapView:
        """What slides over the source; hidden where nothing does."""
        return self._kernel

    @property
    def _all(self) -> tuple[MapView, MapView, MapView]:
        return self._source, self._kernel, self._result

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
        signs = ("", "∗ ", "→ ") if pair.kernel is not None else ("", "", "")
        self._share_room(SHARES if pair.kernel is not None else (1, 0, 1))
        pictures = (pair.source, pair.kernel, pair.result)
        for view, picture, caption, sign in zip(self._all, pictures, self._captions, signs, strict=True):
            view.setVisible(picture is not None)
            caption.setVisible(picture is not None)
            if picture is None:
                continue
            words = sign + self._caption(picture, names)
            caption.setText(unbroken(words))
            view.setAccessibleName(words)
            view.set_maps(picture.maps, kind=picture.kind, low=picture.bounds[0], high=picture.bounds[1])
        self._fit_heights()
        self._outline(None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Captions break their lines anew, and narrower pictures need less height."""
        super().resizeEvent(event)
        self._fit_heights()

    def _share_room(self, shares: tuple[int, int, int]) -> None:
        for column, share in enumerate(shares):
            self._grid.setColumnStretch(column, share)

    def _fit_heights(self) -> None:
        """All captions as high as the highest, which a grid does not do for lines that break, and the pictures as well."""
        shares = [self._grid.columnStretch(column) for column in range(3)]
        shown = [column for column, share in enumerate(shares) if share]
        room = self.width() - SPACE_S * (len(shown) - 1)
        widths = {column: room * shares[column] // sum(shares) for column in shown}
        for caption in self._captions:
            caption.setMinimumHeight(0)  # a label says no less than it has been given
        height = max(0, *(self._captions[column].heightForWidth(width) for column, width in widths.items()))  # -1 without text
        for caption in self._captions:
            caption.setFixedHeight(height)
        height = max(self._all[column].needed_height(width, HEIGHT) for column, width in widths.items())
        for view in self._all:
            view.setFixedHeight(height)

    def _caption(self, picture: Picture, names: Names) -> str:
        if self._pair is not None and picture is self._pair.kernel and picture.name.endswith(".W"):
            return self.tr("kernel, rotated by 180°") if picture.rotated else self.tr("kernel")
        words = names.caption(picture.name)
        return self.tr("{picture}, padded with zeros").format(picture=words) if picture.padded else words

    def show_pixels(self, image: Maps | None, block: Block | None) -> None:
        """Outline on the image the pixels that feed the number."""
        shown = image is not None and block is not None
        self._image.setVisible(shown)
        self._image_caption.setVisible(shown)
        if image is None or block is None:
            return
        rows, columns = block
        self._image.set_maps(image, kind="image")
        if not rows or not columns:
            self._image_caption.setText(self.tr("fed by no pixel: the window lies in the padding"))
            self._image.clear_highlight()
            return
        text = self.tr("fed by the pixels of rows {top}–{bottom}, columns {left}–{right}")
        self._image_caption.setText(text.format(top=rows[0], bottom=rows[-1], left=columns[0], right=columns[-1]))
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
        pictures = {self._source: self._pair.source, self._kernel: self._pair.kernel, self._result: self._pair.result}
        picture = pictures[self.sender()]  # type: ignore[index]  # one of the three is the sender
        ref = picture.cell_of((cell.map, cell.row, cell.col)) if picture is not None else None
        if ref is not None:
            self.cell_wanted.emit(ref)
