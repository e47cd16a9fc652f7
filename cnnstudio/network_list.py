"""A list of networks: a drawing, a title and a description in each row."""

from __future__ import annotations

import math

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from cnnstudio.theme import SPACE_M, SPACE_S, current_theme, layer_color, ui_font
from engine.spec import NetworkSpec

_ROW = 76
_SKETCH = QSize(190, 60)
_NETWORK = Qt.ItemDataRole.UserRole


class NetworkList(QListWidget):
    """Rows to choose one from."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setItemDelegate(_RowDelegate(self))
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)

    def add(self, title: str, description: str, network: NetworkSpec | None) -> None:
        """Put a row at the end; without a network an empty frame is drawn."""
        item = QListWidgetItem(title)
        item.setData(Qt.ItemDataRole.ToolTipRole, description)
        item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, description)
        item.setData(_NETWORK, network)
        self.addItem(item)


class _RowDelegate(QStyledItemDelegate):
    """Paints a row: the drawing, the title, the description."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, _ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        self.initStyleOption(option, index)
        theme = current_theme()
        title, option.text = option.text, ""
        rect: QRect = option.rect
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        sketch = QRect(rect.left() + SPACE_M, rect.top() + (_ROW - _SKETCH.height()) // 2, *_SKETCH.toTuple())
        network: NetworkSpec | None = index.data(_NETWORK)
        if network is not None:
            draw_network(painter, QRectF(sketch), network)
        else:
            painter.setPen(theme.color("wire"))
            painter.drawRoundedRect(QRectF(sketch).adjusted(66, 8, -66, -8), 6, 6)
        text = rect.adjusted(_SKETCH.width() + 2 * SPACE_M + SPACE_S, SPACE_S, -SPACE_M, -SPACE_S)
        painter.setPen(theme.color("text"))
        painter.setFont(ui_font(bold=True))
        line = painter.fontMetrics().height()
        painter.drawText(text, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, title)
        painter.setPen(theme.color("muted"))
        painter.setFont(ui_font(0.95))
        wrap = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(text.adjusted(0, line + 1, 0, 0), wrap, index.data(Qt.ItemDataRole.ToolTipRole))
        painter.restore()


def draw_network(painter: QPainter, room: QRectF, network: NetworkSpec) -> None:
    """Draw each layer as a slab: as high as its maps are large, as wide as they are many, in its colour."""
    placed, _ = network.infer()
    shown = [p for p in placed if p.node.layer.role not in ("activation", "norm", "dropout", "flatten")]
    if not shown:
        return
    largest = max(p.y[1] if p.y.is_image else 1 for p in shown)
    sizes = []
    for p in shown:
        if p.y.is_image:
            sizes.append((5.0 + 2.2 * math.log2(p.y[0]), 14.0 + (room.height() - 14.0) * p.y[1] / largest))
        else:
            sizes.append((5.0, min(room.height(), 8.0 + 5.5 * math.log2(1 + p.y.size))))
    gap = 4.0
    width = sum(w for w, _ in sizes) + gap * (len(sizes) - 1)
    scale = min(1.0, room.width() / width)
    x = room.left() + (room.width() - width * scale) / 2
    painter.setPen(Qt.PenStyle.NoPen)
    for p, (w, h) in zip(shown, sizes, strict=True):
        painter.setBrush(QColor(layer_color(p.node.layer.role)))
        painter.drawRoundedRect(QRectF(x, room.center().y() - h / 2, w * scale, h), 2, 2)
        x += (w + gap) * scale
