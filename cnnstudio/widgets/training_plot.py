"""The curves of training runs: losses, accuracies and learning rate of one run, and of others laid over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from cnnstudio.theme import DARK, LIGHT, current_theme
from cnnstudio.widgets.curve_chart import Axis, LineStyle
from cnnstudio.widgets.curve_export import curves_csv
from cnnstudio.widgets.curve_plot import Curve, CurvePlot
from cnnstudio.widgets.curve_series import Points

RUN_COLORS = ("run1", "run2", "run3", "run4", "run5", "run6")
"""Theme tokens; so many runs can be told apart."""
_LONGEST_DETAIL = 44
_ROOM_FOR_DETAILS = 480
"""Width in logical pixels from which the legend says what differs; below it the tool tips do."""
_OTHER_INKS = {"light": DARK, "dark": LIGHT}


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
        for series, quantity in QUANTITIES.items():
            self._define_own(series, quantity)
            if series in HIDDEN_AT_FIRST:
                self._curves[series].buttons[0].setChecked(False)

    @Slot(bool)
    def show_options(self, shown: bool) -> None:
        """Beside several runs the choice of quantities is one of the options."""
        super().show_options(shown)
        self._show_quantities()

    def _show_quantities(self) -> None:
        for series in QUANTITIES:
            self._curves[series].buttons[0].setVisible(not self._apart or not self.options.isHidden())

    # --- runs ---

    @property
    def _own(self) -> Iterable[str]:
        return QUANTITIES

    def show_runs(self, own: RunCurves, others: Mapping[str, RunCurves]) -> None:
        """Lay other runs over the own one, whose points are appended as they come, and take away those that are not given."""
        self._own_run = own
        for key in [key for key in self._others if key not in others]:
            del self._others[key]
            for series in QUANTITIES:
                self._take_away(f"{key}/{series}")
            self._forget_button(self._chips.pop(key))
        self._apart = bool(others)
        self._show_own()
        for key, run in others.items():
            if key not in self._chips:
                self._chips[key] = self._legend_button()
            for series, quantity in QUANTITIES.items():
                shared = (self._curves[series].buttons[0], self._chips[key])
                self.define(f"{key}/{series}", quantity.label, axis=quantity.axis, color=run.color,
                            validation=quantity.validation, shared=shared)  # fmt: skip
                curve, (x, y) = self._curves[f"{key}/{series}"], run.points[series]
                curve.steps_per_epoch = run.steps_per_epoch
                if key not in self._others or self._others[key].points is not run.points:
                    self.set_series(f"{key}/{series}", x, y)
            self._others[key] = run
        self._name_chips()
        self._show_quantities()
        self._changed()

    def _show_own(self) -> None:
        """The colours of the own run, and its button where there are others."""
        if self._apart and "" not in self._chips and self._own_run.name:
            self._chips[""] = self._legend_button()
        elif "" in self._chips and not (self._apart and self._own_run.name):
            self._forget_button(self._chips.pop(""))
        chip = (self._chips[""],) if "" in self._chips else ()
        for series, quantity in QUANTITIES.items():
            self._define_own(series, quantity)
            self._curves[series].buttons = (self._curves[series].buttons[0], *chip)
            self._label(self._curves[series])

    def _define_own(self, series: str, quantity: Quantity) -> None:
        color = self._own_run.color if self._apart else quantity.color
        label = QCoreApplication.translate("TrainingPlot", quantity.label)
        self.define(series, label, axis=quantity.axis, color=color, validation=quantity.validation)

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
            chip.setText(text if len(text) <= _LONGEST_DETAIL else text[: _LONGEST_DETAIL - 1] + "…")
            chip.setToolTip(self.tr("Show or hide {run}").format(run=style.label))
            chip.setIcon(style.icon(self.devicePixelRatioF()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What differs is said where there is room for it."""
        super().resizeEvent(event)
        if (event.size().width() >= _ROOM_FOR_DETAILS) != (event.oldSize().width() >= _ROOM_FOR_DETAILS):
            self._name_chips()

    def _label(self, curve: Curve) -> None:
        """Where colours are runs, the buttons of the quantities show the form of the line alone."""
        super()._label(curve)
        if self._apart:
            plain = LineStyle(curve.style.label, curve.style.axis, "muted", curve.style.validation)
            curve.buttons[0].setIcon(plain.icon(self.devicePixelRatioF()))

    def _name_legend(self) -> None:
        for series in QUANTITIES:
            self._label(self._curves[series])
        self._name_chips()

    # --- crosshair ---

    def _rows(self) -> list[tuple[RunCurves, list[str]]]:
        """For each run that is shown its values at the crosshair, by the quantities that are shown."""
        assert self._cross is not None
        rows = []
        for key, run in self._all.items():
            if self._chips[key].isChecked():
                names = [f"{key}/{series}" if key else series for series in self._shown_quantities]
                rows.append((run, [self._value_words(self._curves[name], self._cross) or "–" for name in names]))
        return rows

    @property
    def _shown_quantities(self) -> list[str]:
        return [series for series in QUANTITIES if self._curves[series].buttons[0].isChecked()]

    def readout(self) -> str:
        """The values at the crosshair: a line a series, or with several runs a line a run; "" without crosshair."""
        if self._cross is None or not self._apart:
            return super().readout()
        heads = [self._curves[series].style.label for series in self._shown_quantities]
        lines = [" · ".join([self._place_words(self._cross), *heads])]
        lines += ["  ".join([run.name, *values]) for run, values in self._rows()]
        return "\n".join(lines)

    def _readout_text(self, plain: str) -> str:
        """With several runs a table, each name in its colour."""
        self._readout.setTextFormat(Qt.TextFormat.RichText if self._apart else Qt.TextFormat.PlainText)
        if not self._apart or self._cross is None:
            return plain
        heads = "".join(f"<td align='right'>&nbsp;&nbsp;{escape(self._curves[series].style.label)}</td>"
                        for series in self._shown_quantities)  # fmt: skip
        rows = [f"<tr><td>{escape(self._place_words(self._cross))}</td>{heads}</tr>"]
        other = _OTHER_INKS[current_theme().name]  # the ground of a tip is that of the other theme
        for run, values in self._rows():
            cells = "".join(f"<td align='right'>&nbsp;&nbsp;{escape(value)}</td>" for value in values)
            name = f"<span style='color:{getattr(other, run.color)}'>■</span>&nbsp;{escape(run.name)}"
            rows.append(f"<tr><td>{name}</td>{cells}</tr>")
        return f"<table cellspacing='0' cellpadding='1'>{''.join(rows)}</table>"

    # --- export ---

    def values_csv(self) -> str:
        """All points of all runs, unsmoothed, as CSV with the columns run, series, step, value."""
        return curves_csv(
            (((run.name, series), self._curves[f"{key}/{series}" if key else series].data)
             for key, run in {"": self._own_run, **self._others}.items() for series in QUANTITIES),
            columns=("run", "series"),
        )  # fmt: skip

    def _keys(self) -> list[tuple[LineStyle, str]]:
        if not self._apart:
            return super()._keys()
        forms = [self._curves[series].style for series in self._shown_quantities]
        plain = [LineStyle(form.label, form.axis, "muted", form.validation) for form in forms]
        runs = [self._style(run) for key, run in self._all.items() if self._chips[key].isChecked()]
        return [(style, style.label) for style in (*runs, *plain)]
