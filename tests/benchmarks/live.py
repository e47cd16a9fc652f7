"""The window while training runs: frames, stalls of the event loop, and what looking costs the training.

    python3 run.py bench --live [--seconds 8] [--rounds 3] [--network lenet5] [--memory 10000]

Three ways to train take turns, so that whatever else the machine does hits all of them: without a window (the bare
loop of the trainer), with the window and no panel open, and with every panel side by side.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QElapsedTimer, QEvent, QEventLoop, QObject, Qt, QTimer, Slot, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from cnnstudio.mainwindow import MainWindow
from cnnstudio.resources import resource_path
from cnnstudio.selection import SampleRef
from cnnstudio.session.messages import RunPhase
from cnnstudio.setting_change import Change
from cnnstudio.settings import Settings
from cnnstudio.studio import Studio
from cnnstudio.theme import apply_theme
from engine.snapshot import Snapshot
from engine.templates import load_templates
from engine.trainer import BatchDone, Trainer

TICK = 16
"""Milliseconds between two ticks of the meter in the GUI thread."""
DATA = {"lenet5": "mnist12k", "vgg_mini": "shapes32"}
MANY_EPOCHS = 10_000
AT_REST = 40
"""Changes of the sample that are timed at rest."""


@dataclass
class Meter:
    """Frames and ticks of some seconds with the window."""

    frames: list[float] = field(default_factory=list)
    ticks: list[float] = field(default_factory=list)

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
        wait_until(lambda: self.studio.controller.state.batches > 0 and not self.studio._rebuild_soon.isActive())
        data = self.studio.data
        assert data is not None and data.name == DATA[name]
        self.trainer = Trainer(self.studio.document.spec, data, self.studio.settings)
        self._events = self.trainer.run()
        self._meter = Meter()
        self._timer = QTimer(self, interval=TICK, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self.studio.controller.frame_arrived.connect(self._frame)

    def windowless(self, seconds: float) -> float:
        """Images a second of the bare loop."""
        start, images = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            event = next(self._events)
            images += event.images if isinstance(event, BatchDone) else 0
        return images / (time.perf_counter() - start)

    def with_window(self, seconds: float) -> tuple[float, Meter]:
        """Images a second, and what the meter saw, while the window shows what is open."""
        controller, batch = self.studio.controller, self.studio.settings.batch_size
        controller.run()
        wait_until(lambda: controller.state.phase == RunPhase.RUNNING and controller.state.step > 2)
        pause(0.5)
        self._meter = Meter()
        step, start = controller.state.step, time.perf_counter()
        self._timer.start()
        pause(seconds)
        self._timer.stop()
        rate = (controller.state.step - step) * batch / (time.perf_counter() - start)
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
                dock.setFloating(True)
                dock.resize(340, 320)
            dock.show()
        pause(0.3)

    def close_all(self) -> None:
        """No panel; the canvas stays."""
        for dock in self.window.docks.all:
            dock.close()
        self.window.view.hide()
        pause(0.3)

    def show_canvas(self) -> None:
        """The canvas again."""
        self.window.view.show()

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


def resident() -> float:
    """Megabytes of memory in use now, or where that cannot be asked the most there ever were."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
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
    bare, closed, opened = [], [], []
    meter = Meter()
    gaps: list[float] = []
    stalls: list[float] = []
    frames = 0
    for _ in range(rounds):
        bare.append(bench.windowless(seconds))
        bench.close_all()
        closed.append(bench.with_window(seconds)[0])
        bench.show_canvas()
        bench.open_all()
        rate, meter = bench.with_window(seconds)
        opened.append(rate)
        gaps += meter.gaps
        stalls += meter.stalls
        frames += len(meter.frames)
    shares = [statistics.median(b / a for a, b in zip(bare, rates, strict=True)) for rates in (closed, opened)]
    per_second, p99 = frames / (seconds * rounds), float(np.percentile(gaps, 99))
    line("frames a second", f"{per_second:.1f}", "≥ 30", per_second >= 30)
    line("gap between frames, 99th percentile", f"{p99:.0f} ms", "≤ 50", p99 <= 50)
    line("longest stall of the event loop", f"{max(stalls):.0f} ms", "≤ 50", max(stalls) <= 50)
    line("stalls, 99th percentile", f"{np.percentile(stalls, 99):.1f} ms")
    line("training without a window", f"{statistics.median(bare):.0f} images/s")
    line("training with all panels closed", f"{shares[0]:.1%}", "≥ 97 %", shares[0] >= 0.97)
    line("training with all panels open", f"{shares[1]:.1%}", "≥ 85 %", shares[1] >= 0.85)
    answers = bench.answer_at_rest()
    slowest = float(np.percentile(answers, 95))
    target = ("≤ 50", slowest <= 50) if name == "lenet5" else ("", None)
    line("another image at rest until painted (95 %)", f"{slowest:.0f} ms", *target)
    bench.close()


def watch_memory(steps: int) -> None:
    """Print the memory in use over many steps of LeNet with all panels open."""
    bench = Bench("lenet5")
    bench.open_all()
    controller = bench.studio.controller
    controller.run()
    print(f"Memory over {steps:,} steps of LeNet, all panels open")
    for part in range(11):
        wanted = max(1, steps * part // 10)
        wait_until(lambda wanted=wanted: controller.state.step >= wanted, timeout=1200)
        line(f"step {controller.state.step:,}", f"{resident():.1f} MB")
    bench.close()


def main(arguments: Sequence[str]) -> int:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="run.py bench --live", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=6.0, help="length of one round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--network", choices=sorted(DATA), help="only this one")
    parser.add_argument("--memory", type=int, metavar="STEPS", help="watch the memory over so many steps instead")
    options = parser.parse_args(arguments)
    previous = qInstallMessageHandler(lambda kind, context, text: None)  # the offscreen platform says what it lacks
    app = QApplication(sys.argv[:1])
    apply_theme(app, "light")
    if options.memory:
        watch_memory(options.memory)
    else:
        for name in [options.network] if options.network else DATA:
            measure(name, options.seconds, options.rounds)
    qInstallMessageHandler(previous)
    return 0
