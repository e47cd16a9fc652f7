"""A dock with a slim title: a heading, what is shown at the moment, and buttons to float and close it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMargins, QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QMainWindow, QMenu, QWidget

from cnnstudio.icon_button import IconButton
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.theme import SPACE_S, SPACE_XS, current_theme
from cnnstudio.widgets.elided_label import ElidedLabel

ASIDE = QPoint(28, 28)
"""How far from its place a panel floats first."""
ROOMY = 14
"""Lines of text high is a panel that can spare one of them; a lower one needs all its room for its pictures."""


class Dock(QDockWidget):
    """A panel that can be moved, floated, closed, and that comes back as it was left."""

    detail_changed = Signal(str)
    """What the panel shows at the moment, in a few words."""

    def __init__(self, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.setObjectName(name)
        self._title = DockTitle(title, self)
        self._tabbed = self._detail_homeless = False
        self._line = DetailLine(self)
        self.setTitleBarWidget(self._title)
        self.topLevelChanged.connect(self._show_title)
        self.topLevelChanged.connect(self._frame)

    def showEvent(self, event: QShowEvent) -> None:
        """A window of its own first comes in the middle of the program's window, not in a corner of the screen."""
        super().showEvent(event)
        window = self.parentWidget()
        if window is not None and self.isFloating() and self.pos().isNull():
            self.move(window.geometry().center() - self.rect().center())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A line of its own for what is shown comes and goes with the height."""
        super().resizeEvent(event)
        self._show_line()

    @Slot(bool)
    def _frame(self, floating: bool) -> None:
        """A window of its own needs an edge: neither Qt nor a window manager draws one."""
        self.setContentsMargins(*(4 * [int(floating)]))
        self.put_help_last()

    def put_help_last(self) -> None:
        """The Tab key comes to the panel before it comes to its help, which may be older than the parts of the panel."""
        for tools in self.findChildren(PanelTools):
            tools.put_last()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the edge of a window of its own."""
        super().paintEvent(event)
        if self.isFloating():
            painter = QPainter(self)
            painter.setPen(current_theme().color("control_border"))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    @Slot(str, str)
    def set_heading(self, heading: str, detail: str) -> None:
        """Say what the panel shows at the moment."""
        self._title.set_heading(heading, detail)
        self._line.setText(detail)
        self._line.updateGeometry()
        self.detail_changed.emit(detail)

    @property
    def detail(self) -> str:
        """What the panel shows at the moment."""
        return self._title.detail

    @Slot()
    def float_or_dock(self) -> None:
        """Make it a window of its own, a little aside so that it is seen to be one, or put it back where it was."""
        if self.isFloating():
            self.setFloating(False)
            return
        window = self.parentWidget()
        tabs = window.tabifiedDockWidgets(self) if isinstance(window, QMainWindow) else []
        front = next((dock for dock in (self, *tabs) if not dock.visibleRegion().isEmpty()), self)
        screen = self.screen().availableGeometry()
        place, size = front.mapToGlobal(QPoint(0, 0)) - ASIDE, front.size()
        # With another title bar Qt makes the window anew; done while it is being shown, a window manager never shows it.
        self.set_tabbed(False)
        self.setFloating(True)
        self.setGeometry(QRect(QPoint(max(place.x(), screen.left()), max(place.y(), screen.top())), size))

    def menu(self) -> QMenu:
        """The same as the buttons of its title, for its tab."""
        menu = QMenu(self)
        menu.addAction(self.tr("Float this panel")).triggered.connect(self.float_or_dock)
        menu.addAction(self.tr("Close this panel")).triggered.connect(self.close)
        return menu

    def show_detail(self, shown: bool) -> None:
        """Among tabs, whether what is shown may stand in a line of its own: where the bar of the tabs has no room for it."""
        self._detail_homeless = shown
        self._show_line()

    def _show_line(self) -> None:
        # The height is the whole dock's, the line included: that the line comes or goes does not change it.
        self._line.show_line(self._detail_homeless and self.height() >= ROOMY * self._line.fontMetrics().height())

    def set_tabbed(self, tabbed: bool) -> None:
        """Among tabs, the tab is title enough."""
        if tabbed != self._tabbed:
            self._tabbed = tabbed
            self._show_title()

    @Slot()
    def _show_title(self, *_: object) -> None:
        wanted = self._line if self._tabbed and not self.isFloating() else self._title
        if self.titleBarWidget() is not wanted:
            self.setTitleBarWidget(wanted)
            for title in (self._title, self._line):
                title.setVisible(title is wanted)


class DetailLine(ElidedLabel):
    """What a panel shows, in place of a title that its tab makes needless; it takes no room unless it is wanted."""

    AROUND = QMargins(SPACE_S, 0, SPACE_S, SPACE_XS)

    def __init__(self, dock: Dock) -> None:
        super().__init__()
        self.setParent(dock)
        self.hide()
        self._shown = False
        self.setProperty("role", "muted")
        self.setContentsMargins(self.AROUND)

    def show_line(self, shown: bool) -> None:
        """Take the room of a line, or none."""
        if shown != self._shown:
            self._shown = shown
            self.updateGeometry()

    def changeEvent(self, event: QEvent) -> None:
        """Keep the margins in another style or type: a frame, which a label is, then sets its own."""
        super().changeEvent(event)
        self.setContentsMargins(self.AROUND)

    def sizeHint(self) -> QSize:
        """The height of a line and of the room below it while there is something to say."""
        height = self.fontMetrics().height() + self.AROUND.bottom()
        return QSize(0, height if self._shown and self.text() else 0)

    def minimumSizeHint(self) -> QSize:
        """Any width will do."""
        return self.sizeHint()


class DockButtons(QWidget):
    """Two buttons that float and close a dock, at the end of a row."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._dock: Dock | None = None
        floats = self._button("float", self.tr("Float or dock this panel"))
        closes = self._button("close", self.tr("Close this panel; the View menu brings it back"))
        floats.clicked.connect(self._float_or_dock)
        closes.clicked.connect(self._close_dock)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(0)
        self._buttons.addWidget(floats)
        self._buttons.addWidget(closes)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 2, 0)
        self.row.setSpacing(SPACE_S)
        self.row.addLayout(self._buttons)
        self.row.setAlignment(self._buttons, Qt.AlignmentFlag.AlignRight)

    @property
    def buttons_width(self) -> int:
        """The room that the buttons alone take."""
        return self._buttons.minimumSize().width() + self.row.contentsMargins().right()

    def act_on(self, dock: Dock | None) -> None:
        """Belong to a dock."""
        self._dock = dock

    @staticmethod
    def _button(name: str, text: str) -> IconButton:
        button = IconButton(name, text, token="muted")
        button.make_small(12, 22, 20)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button

    @Slot()
    def _float_or_dock(self) -> None:
        if self._dock is not None:
            self._dock.float_or_dock()

    @Slot()
    def _close_dock(self) -> None:
        if self._dock is not None:
            self._dock.close()


class DockTitle(DockButtons):
    """The title bar; mouse events pass through to the dock, which can be dragged by it."""

    def __init__(self, title: str, dock: Dock) -> None:
        super().__init__(dock)
        self.act_on(dock)
        self._heading = QLabel(title)
        self._heading.setProperty("role", "heading")
        self._detail = ElidedLabel()
        self._detail.setProperty("role", "muted")
        self.row.setContentsMargins(SPACE_S + 2, SPACE_XS + 1, SPACE_XS, SPACE_XS)
        self.row.insertWidget(0, self._heading)
        self.row.insertWidget(1, self._detail, 1)

    @property
    def detail(self) -> str:
        """What is shown at the moment."""
        return self._detail.text()

    def set_heading(self, heading: str, detail: str) -> None:
        """Change the texts."""
        self._heading.setText(heading)
        self._detail.setText(detail)
