"""The window while training runs: frames, stalls of the event loop, and what looking costs the training.

    python3 run.py bench --live [--seconds 1] [--rounds 24] [--network lenet5] [--panels] [--memory 10000]

Three ways to train take turns, so that whatever else the machine does hits all of them: with the window but neither panels nor
canvas, with the canvas alone, and with every panel side by side. Turns are short and many, because a machine's speed may change
by a tenth from one second to the next. Each is compared with training without a window right before and right after it: the
bare loop of the same trainer in this process, whose threads may use all cores while no window is drawn. The command line trains
with the same trainer and settings, so that this is about its rate; a further row gives it with worker processes instead of
threads. The meter in the GUI thread runs only while all panels are open, since it wakes this thread oftener than the rest of a
window without panels does.

A frame shows the weights after some step, and there is none between two steps, nor while an epoch ends with its validation. So
frames are compared with 30 a second or, where training makes fewer steps, with 85 % of its steps without a window; and the gap
between two frames with 50 ms or, where that is longer, with the gap between two steps without a window. Where drawing every panel
with every frame would take too long, panels take turns: how often each is drawn is told beside the frames. `--panels` opens one
panel at a time and tells what the GUI thread spends on it, and that nothing of it is left when it is closed again.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QElapsedTimer, QEvent, QEventLoop, QObject, Qt, QTimer, Slot, qInstallMessageHandler
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
from cnnstudio.theme import apply_theme
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


def line(what: str, figure: str, target: str = "", met: bool | None = None) -> None:
    """One line of the report."""
    verdict = "" if met is None else "  ok" if met else "  MISSED"
    print(f"  {what:<46} {figure:>14}   {target}{verdict}", flush=True)


def measure(name: str, seconds: float, rounds: int) -> None:
    """Measure one network and print what came out."""
    bench = Bench(name)
    print(f"{bench.window.windowTitle().replace('[*]', '')} on {DATA[name]}, 1440×900, "
          f"{rounds} rounds of {seconds:g} s, switch interval {1e3 * sys.getswitchinterval():g} ms")  # fmt: skip
    turns = (("closed", bench.close_all), ("closed", bench.close_all), ("canvas", bench.show_canvas), ("open", bench.open_all))
    bare, shares = [bench.windowless(seconds)], {way: list[float]() for way, _ in turns}
    meters = []
    for _ in range(rounds):
        for way, show in turns:
            show()
            rate, meter = bench.with_window(seconds, metered=way == "open")
            bare.append(bench.windowless(seconds))
            shares[way].append(2 * rate / (bare[-2] + bare[-1]))
        meters.append(meter)  # of the last way, with all panels open
    kept = {way: statistics.median(of_rounds) for way, of_rounds in shares.items()}
    gaps, stalls, ages = ([x for meter in meters for x in getattr(meter, what)] for what in ("gaps", "stalls", "ages"))
    per_second, p99 = sum(len(meter.frames) for meter in meters) / (seconds * rounds), float(np.percentile(gaps, 99))
    stepped = statistics.median(bare) / bench.studio.settings.batch_size
    possible, least = min(30.0, 0.85 * stepped), max(50.0, float(np.percentile(bench.update_gaps, 99)))
    line("steps a second without a window", f"{stepped:.1f}")
    line("the same with all panels open", f"{statistics.median(meter.steps for meter in meters):.1f}")
    line("frames a second", f"{per_second:.1f}", f"≥ {possible:.1f}", per_second >= possible)
    drawn = sum((meter.drawn for meter in meters), Counter[str]())
    print("    drawn a second: " + ", ".join(f"{panel} {count / (seconds * rounds):.0f}" for panel, count in drawn.most_common()))
    line("gap between frames, 99th percentile", f"{p99:.0f} ms", f"≤ {least:.0f}", p99 <= least)
    line("from a frame's arrival to its painting (95 %)", f"{np.percentile(ages, 95):.0f} ms")
    line("longest stall of the event loop", f"{max(stalls):.0f} ms", "≤ 50", max(stalls) <= 50)
    line("stalls, 99th percentile", f"{np.percentile(stalls, 99):.1f} ms")
    line("training without a window", f"{statistics.median(bare):.0f} images/s")
    line("the same with worker processes", f"{bench.with_processes(seconds):.0f} images/s")
    line("training with neither panels nor canvas", f"{kept['closed']:.1%}", "≥ 97 %", kept["closed"] >= 0.97)
    line("training with the canvas alone", f"{kept['canvas']:.1%}")
    line("training with all panels open", f"{kept['open']:.1%}", "≥ 85 %", kept["open"] >= 0.85)
    answers = bench.answer_at_rest()
    slowest = float(np.percentile(answers, 95))
    target = ("≤ 50", slowest <= 50) if name == "lenet5" else ("", None)
    line("another image at rest until painted (95 %)", f"{slowest:.0f} ms", *target)
    bench.close()


def watch_panels(name: str, seconds: float) -> None:
    """Print what each panel costs the GUI thread, and what is left of it when it is closed."""
    bench = Bench(name)
    print(f"{bench.window.windowTitle().replace('[*]', '')}: milliseconds of the GUI thread in a second of training")
    print(f"  {'':<30} {'open alone':>12} {'closed again':>14}")
    closed = []
    for title, opened, after in bench.each_panel(seconds):
        closed.append(after)
        print(f"  {title:<30} {opened:>12.0f} {after:>14.0f}", flush=True)
    spread = max(closed) - min(closed)
    line("closed: largest less smallest", f"{spread:.0f} ms", "≤ 30", spread <= 30)
    bench.close()


def watch_memory(name: str, steps: int) -> None:
    """Print the memory in use over many steps with all panels open."""
    bench = Bench(name)
    bench.open_all()
    controller = bench.studio.controller
    controller.run()
    print(f"{bench.window.windowTitle().replace('[*]', '')}: memory over {steps:,} steps, all panels open")
    figures = []
    for part in range(11):
        wanted = max(1, steps * part // 10)
        wait_until(lambda wanted=wanted: controller.state.step >= wanted, timeout=1200)
        process = controller._worker.process  # type: ignore[attr-defined]
        figures.append(resident() + resident(process.pid))
        line(f"step {controller.state.step:,}", f"{figures[-1]:.1f} MB")
    # The first tenth fills the caches.
    growth = figures[-1] - figures[1]
    line("growth since the first tenth", f"{growth:.1f} MB", "≤ 10", growth <= 10)
    controller.pause()
    bench.close()


def main(arguments: Sequence[str]) -> int:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="run.py bench --live", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one turn")
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--network", choices=sorted(DATA), help="only this one")
    parser.add_argument("--panels", action="store_true", help="what each panel costs instead")
    parser.add_argument("--memory", type=int, metavar="STEPS", help="watch the memory over so many steps instead")
    options = parser.parse_args(arguments)
    previous = qInstallMessageHandler(lambda kind, context, text: None)  # the offscreen platform says what it lacks
    app = QApplication(sys.argv[:1])
    apply_theme(app, "light")
    for name in [options.network] if options.network else DATA:
        if options.memory:
            watch_memory(name, options.memory)
        elif options.panels:
            watch_panels(name, options.seconds)
        else:
            measure(name, options.seconds, options.rounds)
    qInstallMessageHandler(previous)
    return 0
