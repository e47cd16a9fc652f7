"""The dialog behind New: the templates with a drawing of each network, and the empty canvas."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from cnnstudio.document.words import say
from cnnstudio.theme import SPACE_L, SPACE_M, SPACE_S, current_theme, layer_color, ui_font
from engine.spec import NetworkSpec
from engine.templates import Template

EMPTY = ""
_ROW = 76
_SKETCH = QSize(190, 60)
_TEMPLATE = Qt.ItemDataRole.UserRole


class NewDialog(QDialog):
    """Choose what to begin with; `chosen` is the template, or None for an empty canvas."""

    def __init__(self, templates: Sequence[Template], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("New network"))
        self.resize(620, 560)
        title = QLabel(self.tr("Begin with"))
        title.setProperty("role", "title")
        self._list = QListWidget()
        self._list.setAccessibleName(self.tr("Templates"))
        self._list.setItemDelegate(_TemplateDelegate(self._list))
        self._list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        for template in templates:
            self._add(say(template.title), say(template.description), template)
        self._add(self.tr("Empty canvas"), self.tr("An Input block; everything else is up to you."), None)
        self._list.setCurrentRow(0)
        self._list.itemActivated.connect(self.accept)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText(self.tr("Begin"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_L)
        layout.setSpacing(SPACE_M)
        layout.addWidget(title)
        layout.addWidget(self._list, 1)
        layout.addWidget(buttons)
        self._list.setFocus()

    @property
    def chosen(self) -> Template | None:
        """The template chosen, None for the empty canvas."""
        template: Template | None = self._list.currentItem().data(_TEMPLATE)
        return template

    def _add(self, title: str, description: str, template: Template | None) -> None:
        item = QListWidgetItem(title)
        item.setData(Qt.ItemDataRole.ToolTipRole, description)
        item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, description)
        item.setData(_TEMPLATE, template)
        self._list.addItem(item)


class _TemplateDelegate(QStyledItemDelegate):
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
        template: Template | None = index.data(_TEMPLATE)
        if template is not None:
            draw_network(painter, QRectF(sketch), template.network)
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
