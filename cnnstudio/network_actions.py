"""What the user does to the network as a whole: other settings, other data, a template, the formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from cnnstudio.data_choice import typed_choice
from cnnstudio.document.words import say
from cnnstudio.formula_dialog import FormulaDialog
from cnnstudio.panels.training_settings import TrainingSettingsPanel
from cnnstudio.setting_change import Change
from cnnstudio.settings import Settings
from cnnstudio.studio import Studio
from cnnstudio.training_bar import OWN_DATA, TrainingBar
from engine.errors import EngineError
from engine.layer import Array
from engine.settings import TrainSettings
from engine.templates import Template

MOST_CLASSES = 1000
"""A network with more outputs does not tell classes apart yet."""


class NetworkActions(QObject):
    """Turns wishes of the tool bar and the palette into edits of the document."""

    def __init__(
        self,
        window: QWidget,
        studio: Studio,
        settings: Settings,
        bar: TrainingBar,
        form: TrainingSettingsPanel,
        templates: Sequence[Template],
        columns_for: Callable[[int], int],
    ) -> None:
        """`columns_for` gives the length of the rows in which that many blocks are shown largest."""
        super().__init__(window)
        self._window, self._studio, self._settings, self._bar = window, studio, settings, bar
        self._templates = {template.name: template for template in templates}
        self._columns_for = columns_for
        self._formula: FormulaDialog | None = None
        bar.changed.connect(self._change_setting)
        form.changed.connect(self._change_setting)
        form.finished.connect(studio.document.finish_editing)
        for shows in (bar.show_settings, form.show_settings):
            studio.settings_changed.connect(shows)
            shows(studio.settings)
        bar.data_chosen.connect(self._choose_data)

    @Slot(object)
    def _change_setting(self, change: Change) -> None:
        try:
            self._studio.change(change)
        except EngineError as error:
            self._studio.failed.emit(error)
            self._bar.show_settings(self._studio.settings)

    @Slot(str)
    def _choose_data(self, name: str) -> None:
        if name == OWN_DATA:
            self._show_present_data()
            self.ask_for_data()
        else:
            self._studio.choose_data({"name": name})

    @Slot()
    def ask_for_data(self) -> None:
        """Ask for a data set of the user's own."""
        menu = QMenu(self._window)
        menu.addAction(self.tr("A file (.npz, .csv, CIFAR .bin)…"), self._choose_file)
        menu.addAction(self.tr("A folder (IDX files, class folders with images)…"), self._choose_folder)
        menu.popup(self._bar.mapToGlobal(self._bar.rect().bottomLeft()))

    @Slot()
    def _choose_file(self) -> None:
        kinds = self.tr("Data sets (*.npz *.csv *.tsv *.bin *.gz);;All files (*)")
        path, _ = QFileDialog.getOpenFileName(
            self._window, self.tr("Open a data set"), self._settings.last_folder, kinds
        )
        if path:
            self._studio.choose_data({"name": path})

    @Slot()
    def _choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(
            self._window, self.tr("Open a folder of images"), self._settings.last_folder
        )
        if path:
            self._studio.choose_data({"name": path})

    def _show_present_data(self) -> None:
        choice, data = self._studio.document.data or {}, self._studio.data
        self._bar.show_data(choice.get("name", ""), data.title if data is not None else "")

    @Slot(object, int)
    def type_image(self, image: Array, label: int) -> None:
        """Use a typed image in place of the data set, or of another typed image; one undo step."""
        derived = self._studio.document.derived
        outputs = next(reversed(derived.placed.values())).y.size if derived.placed and derived.blocking is None else 0
        try:
            choice = typed_choice(image, label, max(2, label + 1, outputs if outputs <= MOST_CLASSES else 0))
            self._studio.type_image(choice, self.tr("Type the input"))
        except EngineError as error:
            self._studio.failed.emit(error)

    @Slot(str, object, object)
    def edit_weights(self, name: str, before: Array, after: Array) -> None:
        """Give a parameter other values by hand; one undo step."""
        block, _, parameter = name.rpartition(".")
        text = self.tr("Edit {parameter} of {block}").format(parameter=parameter, block=self._studio.document.name_of(block))
        self._studio.edit_weights(name, before, after, text)

    @Slot(str)
    def use_template(self, name: str) -> None:
        """Put a template in place of the network; one undo step."""
        template = self._templates[name]
        self._studio.document.replace_network(
            template.network,
            say(template.title),
            training=TrainSettings.from_json(template.training).to_json(),
            data={"name": template.data},
            columns=self._columns_for(len(template.network)),
        )

    @Slot()
    def build_from_formula(self) -> None:
        """Ask for N, M and K and put that network in place of the present one."""
        data = self._studio.data
        image, classes = (data.shape, len(data.classes)) if data is not None else ((1, 28, 28), 10)
        self._formula = FormulaDialog(image, classes, self._window)
        self._formula.accepted.connect(self._build)
        self._formula.open()

    @Slot()
    def _build(self) -> None:
        if self._formula is not None:
            network = self._formula.network
            columns = self._columns_for(len(network))
            self._studio.document.replace_network(network, self.tr("From the formula"), columns=columns)
