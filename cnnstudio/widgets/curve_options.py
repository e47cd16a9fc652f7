"""The row of options below the training curves: smoothing, epochs or steps, logarithm, fit."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from cnnstudio.theme import SPACE_S

_WINDOWS = (1, 3, 5, 10, 20, 50, 100, 200, 500)


class CurveOptions(QWidget):
    """How the curves of a `CurvePlot` are shown."""

    changed = Signal()
    """Smoothing, unit or logarithm have changed."""
    fit_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._smoothing = QSlider(Qt.Orientation.Horizontal)
        self._smoothing.setRange(0, len(_WINDOWS) - 1)
        self._smoothing.setPageStep(1)
        self._smoothing.setMinimumWidth(44)
        self._smoothing.setMaximumWidth(140)
        self._smoothing.setAccessibleName(self.tr("Smoothing"))
        self._smoothing.setToolTip(self.tr("Mean of the last steps; the faint line stays exact"))
        self._smoothing.valueChanged.connect(self._on_change)
        caption, self._amount = QLabel(self.tr("Smoothing")), QLabel()
        for label in (caption, self._amount):
            label.setProperty("role", "muted")
        caption.setMinimumWidth(1)  # the first to give way where there is little room: the tool tip says it, too
        self._epochs = self._button(self.tr("Epochs"), self.tr("Count epochs instead of steps along the axis"))
        self._log = self._button(self.tr("Log"), self.tr("Logarithmic loss axis"))
        for button in (self._epochs, self._log):
            button.setCheckable(True)
            button.toggled.connect(self._on_change)
        fit = self._button(self.tr("Fit"), self.tr("Show all steps (double click or the key 0)"))
        fit.clicked.connect(self.fit_wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_S)
        row.addWidget(caption)
        row.addWidget(self._smoothing)
        row.addWidget(self._amount)
        row.addStretch(1)
        for button in (self._epochs, self._log, fit):
            row.addWidget(button)
        self.allow_epochs(False)
        self._on_change()

    def _button(self, text: str, help: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(help)
        return button

    @Slot()
    def _on_change(self) -> None:
        window = self.smoothing
        text = self.tr("{count} steps").format(count=window) if window > 1 else self.tr("off")
        self._amount.setText(text)
        self.changed.emit()

    @property
    def smoothing(self) -> int:
        """Number of steps whose mean a point shows."""
        return _WINDOWS[self._smoothing.value()]

    def set_smoothing(self, window: int) -> None:
        """Choose the largest offered window that is not above `window`."""
        self._smoothing.setValue(max(i for i, w in enumerate(_WINDOWS) if w <= max(window, 1)))

    @property
    def logarithmic(self) -> bool:
        """Whether the loss axis is logarithmic."""
        return self._log.isChecked()

    def set_logarithmic(self, on: bool) -> None:
        """Switch the loss axis."""
        self._log.setChecked(on)

    @property
    def in_epochs(self) -> bool:
        """Whether the step axis counts epochs."""
        return self._epochs.isChecked() and self._epochs.isEnabled()

    def set_in_epochs(self, on: bool) -> None:
        """Let the step axis count epochs, as soon as that is allowed."""
        self._epochs.setChecked(on)

    @property
    def choices(self) -> tuple[int, bool, bool]:
        """Smoothing, logarithm, and whether epochs are to be counted where that is allowed."""
        return self.smoothing, self.logarithmic, self._epochs.isChecked()

    def choose(self, smoothing: int, logarithmic: bool, in_epochs: bool) -> None:
        """Take over `choices`."""
        self.set_smoothing(smoothing)
        self.set_logarithmic(logarithmic)
        self.set_in_epochs(in_epochs)

    def allow_epochs(self, on: bool) -> None:
        """Epochs can be counted only when their length is known."""
        self._epochs.setEnabled(on)
