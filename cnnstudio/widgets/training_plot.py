"""The curves of training runs: losses, accuracies and learning rate of one run, and of others laid over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from cnnstudio.widgets.crosshair import Readout
from cnnstudio.widgets.curve_export import curves_csv
from cnnstudio.widgets.curve_plot import CurvePlot
from cnnstudio.widgets.curve_series import Points
from cnnstudio.widgets.line_style import Axis, LineStyle

RUN_COLORS = ("run1", "run2", "run3", "run4", "run5", "run6")
"""Theme tokens; so many runs can be told apart."""
_LONGEST_DETAIL = 44
_ROOM_FOR_DETAILS = 480
"""Width in logical pixels from which the legend says what differs; below it the tool tips do."""


@dataclass(frozen=True)
class Quantity:
    """What can be drawn of every run."""

    label: str
    axis: Axis
    color: str
    validation: bool = False


QUANTITIES: Mapping[str, Quantity] = {
    "train_loss": Quantity(str(QT_TRANSLATE_NOOP("TrainingPlot", "loss")), "left", "loss"),
    "val_loss": Quantity(str(QT_TRANSLATE_NOOP("TrainingPlot", "val. loss")), "left", "loss", True),
    "train_accuracy": Quantity(str(QT_TRANSLATE_NOOP("TrainingPlot", "accuracy")), "right", "accuracy"),
    "val_accuracy": Quantity(str(QT_TRANSLATE_NOOP("TrainingPlot", "val. accuracy")), "right", "accuracy", True),
    "learning_rate": Quantity(str(QT_TRANSLATE_NOOP("TrainingPlot", "learning rate")), "rate", "rate"),
}
HIDDEN_AT_FIRST = ("learning_rate",)


@dataclass(frozen=True, eq=False)
class RunCurves:
    """A run that is laid over the own one: its name, what differs in it, a colour token, and its points by quantity."""

    name: str
    detail: str
    color: str
    points: Mapping[str, tuple[Points, Points]] = field(default_factory=dict)
    steps_per_epoch: float | None = None


class TrainingPlot(CurvePlot):
    """Holds the five quantities of its own run under their names; those of another run are "run key/quantity".

    With a single run a colour is a quantity. With several a colour is a run, and losses and accuracies have pictures of
    their own.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._own_run = RunCurves("", "", RUN_COLORS[0])
        self._others: dict[str, RunCurves] = {}
        self._chips: dict[str, QToolButton] = {}
        self._show_own()
        for series in HIDDEN_AT_FIRST:
            self._button(series).setChecked(False)

    def _button(self, series: str) -> QToolButton:
        """The button of a quantity, which shows and hides it of all runs."""
        button = self._curves[series].button
        assert button is not None
        return button

    @Slot(bool)
    def show_options(self, shown: bool) -> None:
        """Beside several runs the choice of quantities is one of the options."""
        super().show_options(shown)
        self._show_quantities()

    def _show_quantities(self) -> None:
        for series in QUANTITIES:
            self._button(series).setVisible(not self._apart or not self.options.isHidden())

    # --- runs ---

    def show_runs(self, own: RunCurves, others: Mapping[str, RunCurves]) -> None:
        """Lay other runs over the own one, whose points are appended as they come, and take away those that are not given."""
        self._own_run = own
        for key in [key for key in self._others if key not in others]:
            del self._others[key]
            for series in QUANTITIES:
                self.remove(_name(key, series))
            self._legend.forget(self._chips.pop(key))
        self._apart = bool(others)
        self._show_own()
        for key, run in others.items():
            if key not in self._chips:
                self._chips[key] = self._legend.add(self._style(run))
            for series, quantity in QUANTITIES.items():
                shared = (self._button(series), self._chips[key])
                self.define(_name(key, series), quantity.label, axis=quantity.axis, color=run.color,
                            validation=quantity.validation, shared=shared)  # fmt: skip
                curve, (x, y) = self._curves[_name(key, series)], run.points[series]
                curve.steps_per_epoch = run.steps_per_epoch
                if key not in self._others or self._others[key].points is not run.points:
                    self.set_series(_name(key, series), x, y)
            self._others[key] = run
        self._name_chips()
        self._show_quantities()
        self._changed()

    def _show_own(self) -> None:
        """The looks of the own run, and its button where there are others; where colours are runs, the buttons of the
        quantities show the form of the line alone.
        """
        if self._apart and "" not in self._chips and self._own_run.name:
            self._chips[""] = self._legend.add(self._style(self._own_run))
        elif "" in self._chips and not (self._apart and self._own_run.name):
            self._legend.forget(self._chips.pop(""))
        for series, quantity in QUANTITIES.items():
            color = self._own_run.color if self._apart else quantity.color
            label = QCoreApplication.translate("TrainingPlot", quantity.label)
            self.define(series, label, axis=quantity.axis, color=color, validation=quantity.validation)
            curve = self._curves[series]
            curve.shared = (self._chips[""],) if "" in self._chips else ()
            self._legend.show_as(self._button(series), replace(curve.style, color="muted") if self._apart else curve.style)

    @property
    def _all(self) -> dict[str, RunCurves]:
        return {"": self._own_run, **self._others} if self._own_run.name else dict(self._others)

    def _style(self, run: RunCurves) -> LineStyle:
        words = f"{run.name} ({run.detail})" if run.detail else run.name
        return LineStyle(words, color=run.color)

    def _name_chips(self) -> None:
        for key, chip in self._chips.items():
            style = self._style(self._all[key])
            text = style.label if self.width() >= _ROOM_FOR_DETAILS else self._all[key].name
            self._legend.show_as(chip, style, text if len(text) <= _LONGEST_DETAIL else text[: _LONGEST_DETAIL - 1] + "…")
            chip.setToolTip(self.tr("Show or hide {run}").format(run=style.label))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What differs is said where there is room for it."""
        super().resizeEvent(event)
        if (event.size().width() >= _ROOM_FOR_DETAILS) != (event.oldSize().width() >= _ROOM_FOR_DETAILS):
            self._name_chips()

    # --- crosshair ---

    def _read(self, step: float) -> Readout:
        """With several runs a row a run: its values of the quantities that are shown."""
        if not self._apart:
            return super()._read(step)
        shown = [series for series in QUANTITIES if self._button(series).isChecked()]
        runs = {key: run for key, run in self._all.items() if self._chips[key].isChecked()}
        rows = [[run.name, *(self._words_at(self._curves[_name(key, series)], step) or "–" for series in shown)]
                for key, run in runs.items()]  # fmt: skip
        heads = [self._curves[series].style.label for series in shown]
        return Readout([self._place_words(step), *heads], rows, [run.color for run in runs.values()])

    # --- export ---

    def values_csv(self) -> str:
        """All points of all runs, unsmoothed, as CSV with the columns run, series, step, value."""
        return curves_csv(
            (((run.name, series), self._curves[_name(key, series)].data)
             for key, run in {"": self._own_run, **self._others}.items() for series in QUANTITIES),
            columns=("run", "series"),
        )  # fmt: skip


def _name(key: str, series: str) -> str:
    """The name of a curve: those of the own run, whose key is empty, have that of their quantity."""
    return f"{key}/{series}" if key else series
