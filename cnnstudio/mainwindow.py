"""The main window: canvas in the middle, panels in docks around it, bars above and below. Only assembles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QMainWindow, QTabWidget, QToolBar, QVBoxLayout, QWidget

from cnnstudio.actions import Actions
from cnnstudio.banner import Banner
from cnnstudio.canvas.first_layout import FirstLayout
from cnnstudio.canvas.formula_bar import FormulaBar
from cnnstudio.canvas.palette import Palette
from cnnstudio.canvas.view import CanvasView
from cnnstudio.colour_choice import ColourChoice
from cnnstudio.docks import panel_docks
from cnnstudio.hint_line import HintLine
from cnnstudio.icons import app_icon
from cnnstudio.layouts import Layouts
from cnnstudio.main_bar import MainBar
from cnnstudio.menus import build_menus
from cnnstudio.project.files import SUFFIX
from cnnstudio.resources import resource_path
from cnnstudio.selection import CellRef
from cnnstudio.settings import Settings
from cnnstudio.status_bar import StatusBar
from cnnstudio.studio import Studio
from cnnstudio.theme import current_theme
from cnnstudio.training_bar import TrainingBar
from cnnstudio.translation import LANGUAGES, current_language
from engine.templates import Template

if TYPE_CHECKING:
    from engine.datasets.dataset import Dataset

SMALLEST = QSize(940, 480)
FIRST = QSize(1440, 900)
"""Size of the window at the first start, if the screen has it."""
FRAME = QSize(16, 48)
"""What a window manager may put around it."""


class MainWindow(QMainWindow):
    """Shows one `Studio`. It can be thrown away and made anew, in another language, while the studio goes on."""

    language_wanted = Signal(str)
    theme_wanted = Signal(bool)
    """Whether the dark look is wanted."""
    large_text_wanted = Signal(bool)
    log_wanted = Signal()
    closed = Signal()
    """The user has closed the window for good."""
    furnished = Signal()
    """The panels are there."""

    def __init__(self, studio: Studio, settings: Settings, templates: Sequence[Template], *, at_once: bool = True) -> None:
        """With `at_once` False only the frame is built, with bars, canvas and palette; the panels follow the first paint."""
        super().__init__()
        self.studio, self.settings, self.templates = studio, settings, templates
        self._may_close = self._closing = self._furnished = False
        self.setWindowIcon(app_icon())
        self.setMinimumSize(SMALLEST)
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.setAnimated(False)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        document = studio.document

        self.banner = Banner()
        self.view = CanvasView(document)
        self.first_layout = FirstLayout(self.view)
        self.formula = FormulaBar(document)
        self.palette_panel = Palette(templates)
        self.actions_ = Actions(self)
        self._lay_out()

        undo = document.undo_stack.createUndoAction(self, self.tr("Undo"))
        redo = document.undo_stack.createRedoAction(self, self.tr("Redo"))
        self.actions_.adopt_undo(undo, redo)
        self.training_bar = TrainingBar()
        self.training_bar.show_settings(studio.settings)
        self.main_bar = MainBar(self.actions_, undo, redo, self.training_bar)
        self.addToolBar(self.main_bar)
        self.addToolBarBreak()
        self._add_formula_bar()
        self.status_bar = StatusBar(studio)
        self.setStatusBar(self.status_bar)
        self.colours = ColourChoice(settings, self)
        self.layouts = Layouts(self, self.docks, self.actions_.large_text)
        self.menus = build_menus(self, self.actions_, undo, redo, self.view, self.docks.all, self.layouts.actions,
                                 self.colours)  # fmt: skip
        self._restore()
        if at_once:
            self.furnish()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Build the panels as soon as the frame has been painted."""
        super().paintEvent(event)
        if not self._furnished:
            QTimer.singleShot(0, self, self.furnish)

    @Slot()
    def furnish(self) -> None:
        """Build the panels and what works with them, unless that is done."""
        if self._furnished:
            return
        from cnnstudio.data_opener import bundled_sets

        self._furnished = True
        self.training_bar.set_bundled(bundled_sets())
        self._make_panels()
        self._make_helpers()
        self._connect()
        self._show_data(self.studio.data)
        self.chosen_block.choose_first()
        self.furnished.emit()

    def _make_panels(self) -> None:
        # Imported here, so that the first paint does not wait for them.
        from cnnstudio.canvas.outline import OutlinePanel
        from cnnstudio.history_panel import HistoryPanel
        from cnnstudio.panels.analyzer import AnalyzerPanel
        from cnnstudio.panels.confusion import ConfusionPanel
        from cnnstudio.panels.curves import CurvesPanel
        from cnnstudio.panels.dense import DensePanel
        from cnnstudio.panels.explain.panel import ExplainPanel
        from cnnstudio.panels.feature_maps import FeatureMapsPanel
        from cnnstudio.panels.gradients import GradientsPanel
        from cnnstudio.panels.kernels import KernelsPanel
        from cnnstudio.panels.predictions import PredictionPanel
        from cnnstudio.panels.properties import PropertiesPanel
        from cnnstudio.panels.runs import RunsPanel
        from cnnstudio.panels.samples import SamplesPanel
        from cnnstudio.panels.training_settings import TrainingSettingsPanel
        from cnnstudio.panels.typed_input import TypedPanel
        from cnnstudio.walk.bar import WalkBar

        document, selection, controller = self.studio.document, self.studio.selection, self.studio.controller
        self.walk_bar = WalkBar()
        self._column.insertWidget(0, self.walk_bar)
        self.outline = OutlinePanel(self.view)
        self.history = HistoryPanel(document)
        self.analyzer = AnalyzerPanel(document, selection)
        self.curves = CurvesPanel(controller, self.studio.runs)
        self.runs = RunsPanel(self.studio.runs)
        self.kernels = KernelsPanel(document, selection, controller)
        self.feature_maps = FeatureMapsPanel(document, selection, controller)
        self.confusion = ConfusionPanel(selection, controller)
        self.dense = DensePanel(document, selection)
        self.gradients = GradientsPanel(document, selection, controller)
        self.prediction = PredictionPanel(document, selection)
        self.explain = ExplainPanel(document, selection, controller)
        self.typed = TypedPanel(document, selection, controller)
        self.samples = SamplesPanel(selection, controller)
        self.properties = PropertiesPanel(document)
        self.training_settings = TrainingSettingsPanel()
        for name, panel in {
            "outline": self.outline,
            "properties": self.properties,
            "explain": self.explain,
            "settings": self.training_settings,
            "samples": self.samples,
            "training": self.curves,
            "kernels": self.kernels,
            "feature_maps": self.feature_maps,
            "prediction": self.prediction,
            "typed": self.typed,
            "confusion": self.confusion,
            "dense": self.dense,
            "gradients": self.gradients,
            "runs": self.runs,
            "history": self.history,
            "analyzer": self.analyzer,
        }.items():
            self.docks.fill(name, panel)

    def _make_helpers(self) -> None:
        from cnnstudio.chosen_block import ChosenBlock
        from cnnstudio.doctor import Doctor
        from cnnstudio.example_actions import ExampleActions
        from cnnstudio.examples import load_examples
        from cnnstudio.export_action import ExportAction
        from cnnstudio.file_actions import FileActions
        from cnnstudio.help_actions import HelpActions
        from cnnstudio.network_actions import NetworkActions
        from cnnstudio.panels.probe import Probe
        from cnnstudio.run_control import RunControl
        from cnnstudio.thumbnails import Thumbnails
        from cnnstudio.view_choices import ViewChoices
        from cnnstudio.walk.walker import Walker

        studio = self.studio
        self.chosen_block = ChosenBlock(studio.document, studio.selection, self.view, self.properties, self)
        self.help = HelpActions(self, self.actions_, self.menus)
        self.files = FileActions(self, studio, self.settings, self.templates, self.actions_, self.menus.recent, self.banner)
        self.export = ExportAction(self, self.view.canvas, self.settings)
        examples = load_examples(resource_path("examples"))
        self.examples = ExampleActions(self.menus.examples, studio, self.files, examples, self)
        self.run = RunControl(self.actions_, studio, self.banner, self)
        self.doctor = Doctor(studio, self.banner, self)
        self.network = NetworkActions(
            self, studio, self.settings, self.training_bar, self.training_settings, self.templates, self.view.preferred_columns
        )
        self.run.data_wanted.connect(self.network.ask_for_data)
        self.thumbnails = Thumbnails(studio.document, self.view.canvas, self.view, self)
        self.walker = Walker(studio, self.explain, self.view.canvas, self.walk_bar, self)
        self.probe = Probe(studio.controller, studio.selection, self)
        coloured = {"kernels": self.kernels, "feature_maps": self.feature_maps, "dense": self.dense, "gradients": self.gradients}
        self.view_choices = ViewChoices(self.settings, coloured, self.curves.plot.options, self)

    # --- layout ---

    def _lay_out(self) -> None:
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        # The banner lies over the hint and the foot of the canvas: what is said there moves no block, and hides few.
        canvas = QGridLayout()
        canvas.setSpacing(0)
        canvas.addWidget(self.view, 0, 0)
        canvas.addWidget(HintLine(self.studio, self.actions_, middle), 1, 0)
        canvas.addWidget(self.banner, 0, 0, 2, 1, Qt.AlignmentFlag.AlignBottom)
        canvas.setRowStretch(0, 1)
        column.addLayout(canvas, 1)
        self.setCentralWidget(middle)
        self._column = column
        self.docks = panel_docks(self)
        self.docks.fill("palette", self.palette_panel)
        self.docks.arrange()

    def _add_formula_bar(self) -> None:
        bar = QToolBar(self.tr("Formula"))
        bar.setObjectName("formula_bar")
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.setStyleSheet("QToolBar { padding: 0; border: none; }")
        bar.addWidget(self.formula)
        self.addToolBar(bar)

    def _restore(self) -> None:
        geometry, layout = self.settings.geometry, self.settings.layout
        if geometry.isEmpty() or not self.restoreGeometry(geometry):
            room = self.screen().availableSize()
            self.resize(FIRST.boundedTo(room - FRAME))
            self.docks.arrange()
        if not layout.isEmpty():
            self.restoreState(layout)
        self.docks.note_tabs()

    def showEvent(self, event: QShowEvent) -> None:
        """Panels that float lie in front."""
        super().showEvent(event)
        if not event.spontaneous():
            self.docks.lift_floating()

    # --- wiring ---

    def _connect(self) -> None:
        studio, selection, actions = self.studio, self.studio.selection, self.actions_
        canvas = self.view.canvas
        self.view.message.connect(self.say)
        self.view.block_activated.connect(self._open_block)
        self.view.cell_activated.connect(self._open_picture)
        self.properties.message.connect(self.say)
        self.runs.message.connect(self.say)
        self.runs.reopen_wanted.connect(self._reopen_run)
        self.formula.blocks_hovered.connect(canvas.highlight)
        self.formula.blocks_clicked.connect(canvas.select)
        self.formula.totals_clicked.connect(lambda: self.docks.bring_up("analyzer"))
        actions.export.triggered.connect(self.export.ask)
        self.export.exported.connect(self.say)
        self.palette_panel.kind_activated.connect(self.view.editor.insert)
        self.palette_panel.template_activated.connect(self.network.use_template)
        self.palette_panel.formula_activated.connect(self.network.build_from_formula)
        self.run.block_wanted.connect(self.view.show_block)
        self.prediction.previous_wanted.connect(self.samples.previous)
        self.prediction.next_wanted.connect(self.samples.next)
        self.prediction.random_wanted.connect(self.samples.random)
        actions.previous_sample.triggered.connect(self.samples.previous)
        actions.next_sample.triggered.connect(self.samples.next)
        actions.random_sample.triggered.connect(self.samples.random)
        actions.reset_layout.triggered.connect(self.docks.arrange)
        actions.full_screen.toggled.connect(self._set_full_screen)
        actions.theme.triggered.connect(self._switch_theme)
        actions.large_text.setChecked(self.settings.large_text)
        actions.large_text.toggled.connect(self.large_text_wanted)
        actions.language.triggered.connect(self._switch_language)
        self.menus.languages.triggered.connect(self._choose_language)
        actions.open_log.triggered.connect(self.log_wanted)
        actions.quit.triggered.connect(self.close)
        studio.data_changed.connect(self._show_data)
        for panel in (self.kernels, self.dense, self.feature_maps, self.gradients, self.prediction, self.explain, self.typed):
            self.probe.add_panel(panel)
        self.probe.add_viewer(self.thumbnails)
        self.probe.steps_shown.connect(self.status_bar.show_steps)
        studio.document.graph_changed.connect(self.probe.renew)
        selection.cell_changed.connect(self._show_explanation)
        actions.walk.triggered.connect(self.walker.begin)
        self.typed.image_typed.connect(self.network.type_image)
        self.typed.weights_typed.connect(self.network.edit_weights)
        self.docks.visibility_changed.connect(self.probe.renew)

    @Slot(str)
    def _open_block(self, _block: str) -> None:
        self.docks.bring_up("properties")

    @Slot(object)
    def _show_explanation(self, cell: CellRef | None) -> None:
        if cell is not None:
            self.docks.bring_up("explain")

    @Slot(str, QPointF)
    def _open_picture(self, _block: str, _pixel: QPointF) -> None:
        self.docks.bring_up("feature_maps")

    @Slot(object)
    def _show_data(self, data: Dataset | None) -> None:
        self.samples.set_data(data)
        self.prediction.set_data(data)
        self.dense.set_data(data)
        self.kernels.set_data(data)
        self.feature_maps.set_data(data)
        self.confusion.set_data(data)
        self.thumbnails.set_data(data)
        choice = self.studio.document.data or {}
        self.training_bar.show_data(choice.get("name", ""), data.title if data is not None else "")

    @Slot(object)
    def _reopen_run(self, id: int) -> None:
        name, kept = self.studio.runs[id].name, self.studio.reopen_run(id)
        text = self.tr("{run} is the present run again. Undo (Ctrl+Z) brings back what was there before.")
        if not kept:
            text = self.tr("The weights of {run} are no longer kept: its network and settings are here, with new random weights.")
        self.say(text.format(run=name))

    @Slot(str)
    def say(self, sentence: str) -> None:
        """A passing message in the status bar."""
        self.statusBar().showMessage(sentence, 6000)

    @Slot()
    def _switch_theme(self) -> None:
        self.theme_wanted.emit(not current_theme().dark)

    @Slot()
    def _switch_language(self) -> None:
        self.language_wanted.emit(next(code for code in LANGUAGES if code != current_language()))

    @Slot(QAction)
    def _choose_language(self, action: QAction) -> None:
        self.language_wanted.emit(action.data())

    @Slot(bool)
    def _set_full_screen(self, on: bool) -> None:
        self.showFullScreen() if on else self.showNormal()

    # --- files dropped on the window, and the end ---

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a project file."""
        if self._dropped_project(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the project that was dropped."""
        path = self._dropped_project(event)
        if path is not None:
            event.acceptProposedAction()
            self.files.open_path(path)

    def _dropped_project(self, event: QDropEvent) -> Path | None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        return next((path for path in paths if path.suffix.lower() == SUFFIX), None)

    def remember(self) -> None:
        """Write size, place and arrangement to the settings."""
        self.settings.save_window(self.saveGeometry(), self.saveState())

    def discard(self) -> None:
        """Close without asking: the studio goes on, in another window."""
        self._may_close = True
        if self._furnished:
            self.probe.stop()
        self.close()
        self.deleteLater()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about unsaved work first."""
        if not self._may_close and self.studio.document.modified:
            event.ignore()
            self.files.when_safe(self._close_now)
            return
        self.remember()
        super().closeEvent(event)
        if not self._may_close or self._closing:
            self.studio.discard()  # all is saved or given up, whatever training still does
            self.closed.emit()

    def _close_now(self) -> None:
        self._may_close = self._closing = True
        self.close()
