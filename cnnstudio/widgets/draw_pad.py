"""A pad on which a digit is drawn with the mouse, or onto which a picture is pasted or dropped."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QMimeData, QObject, QPointF, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QDragEnterEvent,
    QDropEvent,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from cnnstudio.theme import Theme, current_theme, theme_changed
from cnnstudio.widgets.clipboard import on_clipboard
from cnnstudio.widgets.drawing import LEAST_CONTRAST, MNIST, Manner, as_ink, fit_drawing, resample
from cnnstudio.widgets.picture_input import offers_picture, picture_files, read_picture

_SIDE = 280  # resolution of the drawing, ten times MNIST's
_PEN = 2.4  # width of the pen in pixels of a 28×28 picture
_KEYS = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Paste)


class DrawPad(QWidget):
    """White ink on black. Every stroke, undo, paste or clear sends the array, fitted in the manner of the data set.

    Ctrl+Z takes the last stroke back, Delete clears, Ctrl+V pastes a picture.
    """

    drawn = Signal(object)
    """float32 (height, width) in 0..1: the drawing boxed, scaled and centred like the data set; zeros when empty."""
    picture_taken = Signal(object)
    """The `QImage` that was pasted or dropped, as it is, just before `drawn` sends it as ink."""

    unreadable = Signal(str)
    """The path of a picture file that was pasted or dropped but cannot be read."""

    def __init__(self, parent: QWidget | None = None, *, height: int = 28, width: int = 28) -> None:
        super().__init__(parent)
        self._target, self._manner = (height, width), MNIST
        self._strokes: list[list[QPointF]] = []
        self._picture: NDArray[np.float32] | None = None
        self._drawing = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Drawing pad"))
        self.setAccessibleDescription(self.tr("Draw a digit with the mouse, or paste a picture with Ctrl+V."))
        self.installEventFilter(self)
        theme_changed.connect(self._retheme)

    def set_target(self, height: int, width: int, manner: Manner = MNIST) -> None:
        """The size of the array to send from now on, and how the ink lies in it."""
        self._target, self._manner = (height, width), manner

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing on the pad."""
        return not self._strokes and self._picture is None

    @property
    def has_picture(self) -> bool:
        """Whether all that is on the pad is a picture that was pasted or dropped."""
        return self._picture is not None and not self._strokes

    @Slot()
    def clear(self) -> None:
        """Empty the pad."""
        self._strokes.clear()
        self._picture = None
        self._send()

    @Slot()
    def undo(self) -> None:
        """Take the last stroke back, or else the pasted picture."""
        if self._strokes:
            self._strokes.pop()
        else:
            self._picture = None
        self._send()

    @property
    def can_paste(self) -> bool:
        """Whether there is a picture on the clipboard."""
        return offers_picture(on_clipboard())

    @Slot()
    def paste(self) -> None:
        """Take the picture on the clipboard, if there is one."""
        self._take(on_clipboard())

    def set_picture(self, image: QImage) -> None:
        """Put a picture on the pad in place of everything; dark on light is turned into light on dark."""
        ink = as_ink(_on_ground(_shrunk(image)))
        side = max(ink.shape)
        scale = _SIDE / side
        small = resample(ink, max(1, round(ink.shape[0] * scale)), max(1, round(ink.shape[1] * scale)))
        self._picture = np.zeros((_SIDE, _SIDE), np.float32)
        top, left = (_SIDE - small.shape[0]) // 2, (_SIDE - small.shape[1]) // 2
        self._picture[top : top + small.shape[0], left : left + small.shape[1]] = small
        self._strokes.clear()
        self.picture_taken.emit(image)
        self._send()

    def array(self) -> NDArray[np.float32]:
        """The drawing as a float32 array of the target size in 0..1."""
        return fit_drawing(self._ink(), *self._target, self._manner)

    def _send(self) -> None:
        self.update()
        self.drawn.emit(self.array())

    def _ink(self) -> NDArray[np.float32]:
        image = self._rendered(_SIDE)
        pixels = np.frombuffer(image.constBits(), np.uint8).reshape(_SIDE, -1)[:, :_SIDE]
        return pixels.astype(np.float32) / np.float32(255.0)

    def _rendered(self, side: int) -> QImage:
        image = QImage(side, side, QImage.Format.Format_Grayscale8)
        image.fill(0)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(side / _SIDE, side / _SIDE)
        if self._picture is not None:
            gray = np.ascontiguousarray((self._picture * 255.0).astype(np.uint8))
            painter.drawImage(0, 0, QImage(gray.data, _SIDE, _SIDE, _SIDE, QImage.Format.Format_Grayscale8))
        self._draw_strokes(painter)
        painter.end()
        return image

    def _draw_strokes(self, painter: QPainter) -> None:
        for points in self._strokes:
            pen = QPen(QColor("#ffffff"), _PEN * _SIDE / 28)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            path = QPainterPath(points[0])
            # A point is a line too short to see, which the round cap turns into a dot.
            path.lineTo(points[0] + QPointF(0.01, 0.0))
            for before, point in pairwise(points):
                path.quadTo(before, (before + point) / 2)
            path.lineTo(points[-1])
            painter.drawPath(path)

    # --- widget -----------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """A comfortable square."""
        return QSize(196, 196)

    def minimumSizeHint(self) -> QSize:
        """Small, but one can still draw on it."""
        return QSize(112, 112)

    def pad_rect(self) -> QRect:
        """The square of the widget that takes ink."""
        side = min(self.width(), self.height()) - 4
        return QRect((self.width() - side) // 2, (self.height() - side) // 2, side, side)

    @Slot(object)
    def _retheme(self, _theme: Theme) -> None:
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the pad, its ink, and a hint while it is empty."""
        painter = QPainter(self)
        theme, box = current_theme(), self.pad_rect()
        image = self._rendered(max(1, round(box.width() * self.devicePixelRatioF())))
        painter.drawImage(box, image)
        focused = self.hasFocus()
        painter.setPen(QPen(theme.color("accent" if focused else "control_border"), 2 if focused else 1))
        painter.drawRect(box)
        if self.is_empty:
            painter.setPen(QColor("#b8c0cc"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(box.adjusted(12, 12, -12, -12), flags, self.tr("Draw a digit here"))

    def _position(self, event: QMouseEvent) -> QPointF:
        box = self.pad_rect()
        return (event.position() - QPointF(box.topLeft())) * (_SIDE / box.width())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a stroke."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._drawing = True
            self._strokes.append([self._position(event)])
            self._send()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the stroke; the probabilities follow while drawing."""
        if self._drawing:
            self._strokes[-1].append(self._position(event))
            self._send()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the stroke."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._drawing = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """While the pad has the keyboard its keys are its own: Ctrl+Z must not take back an edit of the network."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and any(map(event.matches, _KEYS)):
            event.accept()
            return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Undo, clear and paste."""
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.clear()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Undo, clear and paste for the mouse."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Undo stroke"), self.undo).setEnabled(not self.is_empty)
        menu.addAction(self.tr("Clear"), self.clear).setEnabled(not self.is_empty)
        menu.addAction(self.tr("Paste picture"), self.paste).setEnabled(self.can_paste)
        menu.popup(event.globalPos())

    def accepts(self, event: QDragEnterEvent | QDropEvent) -> bool:
        """Take the event of a picture or a picture file, wherever in the panel it happens; False for anything else."""
        wanted = offers_picture(event.mimeData())
        if wanted:
            event.acceptProposedAction()
        return wanted

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept pictures and picture files."""
        self.accepts(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Take the picture."""
        if self._take(event.mimeData()):
            event.acceptProposedAction()

    def _take(self, data: QMimeData) -> bool:
        """Take the picture, or else the first picture file."""
        path = next(picture_files(data), "")
        image = QImage(data.imageData()) if data.hasImage() else read_picture(path) if path else QImage()
        if not image.isNull():
            self.set_picture(image)
        elif path:
            self.unreadable.emit(path)
        return not image.isNull()


def _shrunk(image: QImage) -> QImage:
    """A picture of no more pixels than the pad can show: arrays of all those of a photograph would fill the memory."""
    if max(image.width(), image.height()) <= 2 * _SIDE:
        return image
    return image.scaled(2 * _SIDE, 2 * _SIDE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)


def _on_ground(image: QImage) -> NDArray[np.float32]:
    """Grey values 0..1. Transparent ground counts as paper, unless nothing could be seen on it."""
    rgba = image.convertToFormat(QImage.Format.Format_RGBA8888)
    pixels = np.frombuffer(rgba.constBits(), np.uint8).reshape(rgba.height(), -1)[:, : rgba.width() * 4]
    values = pixels.reshape(rgba.height(), rgba.width(), 4).astype(np.float32) / np.float32(255.0)
    seen = values[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32) * values[..., 3]
    on_paper = seen + 1.0 - values[..., 3]
    return on_paper if np.ptp(on_paper) >= LEAST_CONTRAST else seen
