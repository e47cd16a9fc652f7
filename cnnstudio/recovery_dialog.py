"""The dialog after a crash: the unsaved work that was found, with a picture of each network, to go on with or to delete."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Signal, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QMessageBox, QWidget

from cnnstudio.document.graph import Graph
from cnnstudio.message_box import MessageBox
from cnnstudio.network_list import NetworkList
from cnnstudio.project.recovery import Abandoned
from cnnstudio.widgets.dialog_column import dialog_column
from cnnstudio.widgets.numbers import format_moment


class RecoveryDialog(QDialog):
    """Shows what was found. What is neither opened nor deleted is offered again at the next start."""

    wanted = Signal(object)
    """The `Abandoned` to go on with."""

    def __init__(self, found: list[Abandoned], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Unsaved work"))
        self.resize(640, 400)
        self._found = list(found)
        title = QLabel(self.tr("CNN Studio did not end as it should. Unsaved work was kept."))
        title.setProperty("role", "title")
        title.setWordWrap(True)
        self._list = NetworkList()
        self._list.setAccessibleName(self.tr("Unsaved work"))
        for item in found:
            network = None if item.state is None else Graph.from_json(item.state.graph).spec
            self._list.add(self._title(item), self._description(item), network)
        buttons = QDialogButtonBox()
        self._restore = buttons.addButton(self.tr("Restore"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._delete = buttons.addButton(self.tr("Delete…"), QDialogButtonBox.ButtonRole.DestructiveRole)
        buttons.addButton(self.tr("Not now"), QDialogButtonBox.ButtonRole.RejectRole)
        self._restore.setDefault(True)
        self._delete.clicked.connect(self._ask_before_deleting)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self._list.currentRowChanged.connect(self._follow)
        self._list.itemActivated.connect(self._restore.click)
        dialog_column(self, title, self._list, buttons, grows=self._list)
        readable = (row for row, item in enumerate(found) if item.state is not None)
        self._list.setCurrentRow(next(readable, 0))
        self._list.setFocus()

    def accept(self) -> None:
        """Go on with the chosen work."""
        item = self._chosen
        if item is None or item.state is None:
            return
        self._found.remove(item)
        super().accept()
        self.wanted.emit(item)

    def done(self, result: int) -> None:
        """Leave the rest for the next start."""
        super().done(result)
        for item in self._found:
            item.release()
        self._found.clear()

    @property
    def _chosen(self) -> Abandoned | None:
        row = self._list.currentRow()
        return self._found[row] if 0 <= row < len(self._found) else None

    @Slot()
    def _follow(self, *_: object) -> None:
        item = self._chosen
        self._restore.setEnabled(item is not None and item.state is not None)
        self._delete.setEnabled(item is not None)

    @Slot()
    def _ask_before_deleting(self) -> None:
        item = self._chosen
        if item is None:
            return
        text = self.tr("Delete “{name}” for good?").format(name=self._title(item))
        box = MessageBox(QMessageBox.Icon.Question, self.windowTitle(), text, self.tr("It cannot be brought back."), self)
        delete = box.addButton(self.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(self.tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
        delete.clicked.connect(self._delete_chosen)
        box.open()

    @Slot()
    def _delete_chosen(self) -> None:
        item = self._chosen
        if item is None:
            return
        row = self._list.currentRow()
        self._list.takeItem(row)
        self._found.pop(row)
        item.delete()
        self._follow()
        if not self._found:
            self.reject()

    def _title(self, item: Abandoned) -> str:
        if item.state is None:
            return self.tr("Damaged work")
        return item.title or self.tr("Untitled")

    def _description(self, item: Abandoned) -> str:
        sentences = [self.tr("Last change {when}.").format(when=format_moment(item.time))]
        if item.state is None:
            sentences.append(self.tr("It is damaged, and nothing in it can be read: {path}").format(path=str(item.path)))
        elif item.step:
            sentences.append(self.tr("Trained up to step {step}.").format(step=QLocale().toString(item.step)))
        else:
            sentences.append(self.tr("Not trained."))
        if item.state is not None and not item.whole:
            sentences.append(self.tr("A part is damaged; what can be read is restored."))
        if item.project is not None:
            sentences.append(self.tr("Belongs to {path}").format(path=str(item.project)))
        return " ".join(sentences)
