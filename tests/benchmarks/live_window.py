"""A window that trains one network, and what can be measured at it: frames, stalls, steps, and the rate of the trainer alone."""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QElapsedTimer, QEvent, QEventLoop, QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication

from cnnstudio.dock import Dock
from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.live_panel import LivePanel, Viewer
from cnnstudio.resources import resource_path
from cnnstudio.selection import SampleRef
from cnnstudio.session.messages import RunPhase, RunState
from cnnstudio.setting_change import Change
from cnnstudio.settings import Settings
from cnnstudio.studio import Studio
from engine.slices import CORES
from engine.snapshot import Snapshot
from engine.templates import load_templates
from engine.trainer import BatchDone, Trainer

TICK = 16
"""Milliseconds between two ticks of the meter in the GUI thread."""
DATA = {"lenet5": "mnist12k", "vgg_mini": "shapes32"}
MANY_EPOCHS = 10_000
LONGEST_START = 10.0
"""Seconds for worker processes to start."""
AT_REST = 40
"""Changes of the sample that are timed at rest."""


@dataclass
class Meter:
    """Frames and ticks of some seconds with the window."""

    frames: list[float] = field(default_factory=list)
    ticks: list[float] = field(default_factory=list)
    steps: float = 0.0
    """Steps of training a second."""
    ages: list[float] = field(default_factory=list)
    """Milliseconds from the arrival of a frame in this process until it is painted."""
    drawn: Counter[str] = field(default_factory=Counter)
    """How many of the frames each panel has drawn."""

    @property
    def gaps(self) -> list[float]:
        """Milliseconds between two frames."""
        return [1e3 * (b - a) for a, b in zip(self.frames, self.frames[1:], strict=False)]

    @property
    def stalls(self) -> list[float]:
        """Milliseconds by which ticks came late."""
        return [max(0.0, 1e3 * (b - a) - TICK) for a, b in zip(self.ticks, self.ticks[1:], strict=False)]


class Bench(QObject):
    """One network in one window."""

    def __init__(self, name: str) -> None:
        super().__init__()
        templates = load_templates(resource_path("templates"))
        template = next(t for t in templates if t.name == name)
        self.studio = Studio()
        self.studio.begin(template)
        if template.data != DATA[name]:
            self.studio.choose_data({"name": DATA[name]})
        self.studio.change(Change("epochs", MANY_EPOCHS))
        self.window = MainWindow(self.studio, Settings(), templates)
        self.window.resize(1440, 900)
        self.window.show()
        wait_until(lambda: self.studio.controller.state.batches > 0 and self.studio.settled)
        data = self.studio.data
        assert data is not None and data.name == DATA[name]
        self.trainer = Trainer(self.studio.document.spec, data, self.studio.settings)
        self._events = self.trainer.run()
        self._meter = Meter()
        self._arrived = 0.0
        self._states: list[tuple[float, int]] = []
        self.update_gaps: list[float] = []
        """Milliseconds between two steps without a window."""
        self._timer = QTimer(self, interval=TICK, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self.studio.controller.frame_arrived.connect(self._frame)
        for dock in self.window.docks.all:
            for panel in dock.findChildren(LivePanel):
                self._count_drawn(dock.objectName(), panel)
        self._count_drawn("canvas", self.window.thumbnails)
        mailbox = self.studio.controller._worker._mailbox  # type: ignore[attr-defined]
        self._put_frame, mailbox.put_frame = mailbox.put_frame, self._frame_comes
        self._post_state, mailbox.post_state = mailbox.post_state, self._state_comes

    def _count_drawn(self, name: str, viewer: Viewer) -> None:
        show = viewer.show_snapshot

        def counted(snapshot: Snapshot | None) -> None:
            self._meter.drawn[name] += 1
            show(snapshot)

        viewer.show_snapshot = counted  # type: ignore[method-assign]

    def windowless(self, seconds: float) -> float:
        """Images a second of the bare loop."""
        start = last = time.perf_counter()
        images = 0
        while time.perf_counter() - start < seconds:
            event = next(self._events)
            if isinstance(event, BatchDone):
                images += event.images
                before, last = last, time.perf_counter()
                self.update_gaps.append(1e3 * (last - before))
        return images / (time.perf_counter() - start)

    def with_window(self, seconds: float, *, metered: bool) -> tuple[float, Meter]:
        """Images a second, and what the meter saw, while the window shows what is open; ticks only if it is `metered`."""
        controller, batch = self.studio.controller, self.studio.settings.batch_size
        controller.run()
        wait_until(lambda: controller.state.phase == RunPhase.RUNNING and controller.state.step > 2)
        pause(0.5)
        self._meter, self._states = Meter(), []
        if metered:
            self._timer.start()
        pause(seconds)
        self._timer.stop()
        (start, first), (end, last) = self._states[0], self._states[-1]
        self._meter.steps = (last - first) / (end - start)
        rate = self._meter.steps * batch
        controller.pause()
        wait_until(lambda: controller.state.phase == RunPhase.PAUSED)
        pause(0.2)
        return rate, self._meter

    def open_all(self) -> None:
        """Every panel where it can be seen, none behind another."""
        docks = self.window.docks
        docks.arrange()
        placed = [dock for dock in docks.all if not self.window.tabifiedDockWidgets(dock)]
        for dock in docks.all:
            if dock not in placed:
                self._float(dock)
            dock.show()
        pause(0.3)

    def close_all(self) -> None:
        """Neither panels nor canvas."""
        for dock in self.window.docks.all:
            dock.close()
        self.window.view.hide()
        self.window.probe.renew()
        pause(0.3)

    def show_canvas(self) -> None:
        """The canvas again."""
        self.window.view.show()
        self.window.probe.renew()
        pause(0.3)

    def with_processes(self, seconds: float) -> float:
        """Images a second of the bare loop with worker processes for the slices of a batch."""
        data = self.studio.data
        assert data is not None
        trainer = Trainer(self.studio.document.spec, data, self.studio.settings, workers=max(1, CORES - 1))
        events = trainer.run()
        clock = time.perf_counter()
        while not trainer.network.workers_ready() and time.perf_counter() - clock < LONGEST_START:
            next(events)
        start, images = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            event = next(events)
            images += event.images if isinstance(event, BatchDone) else 0
        rate = images / (time.perf_counter() - start)
        trainer.network.close()
        return rate

    def spent(self, seconds: float) -> float:
        """Milliseconds that the GUI thread works in a second, with what is open now."""
        pause(0.2)
        before, start = time.thread_time(), time.perf_counter()
        pause(seconds)
        return 1e3 * (time.thread_time() - before) / (time.perf_counter() - start)

    def each_panel(self, seconds: float) -> Iterator[tuple[str, float, float]]:
        """Title of each panel, and the GUI thread's milliseconds a second with it alone and after it was closed again."""
        self.close_all()
        self.studio.controller.run()
        wait_until(lambda: self.studio.controller.state.phase == RunPhase.RUNNING)
        yield self.window.tr("Canvas"), *self._alone(self.show_canvas, self.window.view.hide, seconds)
        for dock in self.window.docks.all:
            yield dock.windowTitle(), *self._alone(lambda dock=dock: self._float(dock), dock.close, seconds)
        self.studio.controller.pause()
        wait_until(lambda: self.studio.controller.state.phase == RunPhase.PAUSED)

    def _alone(self, show: Callable[[], object], hide: Callable[[], object], seconds: float) -> tuple[float, float]:
        show()
        opened = self.spent(seconds)
        hide()
        return opened, self.spent(seconds)

    @staticmethod
    def _float(dock: Dock) -> None:
        dock.setFloating(True)
        dock.resize(340, 320)
        dock.show()

    def answer_at_rest(self) -> list[float]:
        """Milliseconds from another sample to the painted frame, at rest."""
        data, selection = self.studio.data, self.studio.selection
        assert data is not None
        times = []
        for index in range(AT_REST):
            image, label = data.validation.images[index], int(data.validation.labels[index])
            before, start = len(self._meter.frames), time.perf_counter()
            selection.select_sample(SampleRef("drawn", 0, np.array(image), label))
            wait_until(lambda before=before: len(self._meter.frames) > before)
            self.window.repaint()
            times.append(1e3 * (time.perf_counter() - start))
        return times

    def close(self) -> None:
        """End the session and the window."""
        self.window.discard()
        self.studio.close()
        self.studio.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    @Slot()
    def _tick(self) -> None:
        self._meter.ticks.append(time.perf_counter())

    @Slot(object)
    def _frame(self, snapshot: Snapshot | None) -> None:
        if snapshot is not None:
            self._meter.frames.append(time.perf_counter())
            # Comes behind the painting of what all others have just updated.
            QApplication.postEvent(self, QEvent(QEvent.Type.User), Qt.EventPriority.LowEventPriority.value)

    def event(self, event: QEvent) -> bool:
        """The last frame has been painted."""
        if event.type() == QEvent.Type.User:
            self._meter.ages.append(1e3 * (time.perf_counter() - self._arrived))
            return True
        return super().event(event)

    def _frame_comes(self, snapshot: Snapshot | None) -> None:
        self._arrived = time.perf_counter()
        self._put_frame(snapshot)

    def _state_comes(self, state: RunState, *, handled: int, busy: bool) -> None:
        """Timed when it comes: where no frame is drawn, it may be half a second until the window looks."""
        self._states.append((time.perf_counter(), state.step))
        self._post_state(state, handled=handled, busy=busy)


def pause(seconds: float) -> None:
    """Let events be handled for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(1e3 * seconds), loop.quit)
    loop.exec()


def wait_until(is_so, timeout: float = 60.0) -> None:  # type: ignore[no-untyped-def]
    """Let events be handled until a condition holds."""
    clock = QElapsedTimer()
    clock.start()
    loop = QEventLoop()
    while not is_so():
        if clock.elapsed() > 1e3 * timeout:
            raise TimeoutError("the session did not answer")
        loop.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)


def resident(process: int | str = "self") -> float:
    """Megabytes of memory that a process uses now, or where that cannot be asked the most this one ever used."""
    try:
        with open(f"/proc/{process}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize() / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
