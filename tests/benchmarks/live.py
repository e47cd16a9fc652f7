"""The window while training runs: frames, stalls of the event loop, and what looking costs the training.

    python3 run.py bench --live [--seconds 1] [--rounds 3] [--sessions 8] [--network lenet5] [--panels] [--memory 10000]

Three ways to train take turns, so that whatever else the machine does hits all of them: with the window but neither panels nor
canvas, with the canvas alone, and with every panel side by side. Turns are short and many, because a machine's speed may change
by a tenth from one second to the next; and several sessions follow each other, because two processes that run the same code may
differ by some percent, and a bare loop trains on while the window waits. Each is compared with training without a window right
before and right after it: the bare loop of the same trainer in this process, whose threads may use all cores while no window is
drawn. The command line trains with the same trainer and settings, so that this is about its rate; a further row gives it with
worker processes instead of threads. The meter in the GUI thread runs only while all panels are open, since it wakes this thread
oftener than the rest of a window without panels does.

A frame shows the weights after some step, and there is none between two steps, nor while an epoch ends with its validation. So
frames are compared with 30 a second or, where training makes fewer steps, with 85 % of its steps without a window; and the gap
between two frames with 50 ms or, where that is longer, with the gap between two steps without a window. Where drawing every panel
with every frame would take too long, panels take turns: how often each is drawn is told beside the frames. `--panels` opens one
panel at a time and tells what the GUI thread spends on it, and that nothing of it is left when it is closed again.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from cnnstudio.command_line.sources import positive
from cnnstudio.theme import apply_theme
from tests.benchmarks.live_window import DATA, Bench, Meter, resident, wait_until


def line(what: str, figure: str, target: str = "", met: bool | None = None) -> None:
    """One line of the report."""
    verdict = "" if met is None else "  ok" if met else "  MISSED"
    print(f"  {what:<46} {figure:>14}   {target}{verdict}", flush=True)


@dataclass
class Figures:
    """What the turns of all sessions gave."""

    bare: list[float] = field(default_factory=list)
    """Images a second without a window."""
    shares: dict[str, list[float]] = field(default_factory=lambda: {"closed": [], "canvas": [], "open": []})
    """What each way to train keeps of that."""
    meters: list[Meter] = field(default_factory=list)
    """Of the turns with all panels open."""
    update_gaps: list[float] = field(default_factory=list)

    def take(self, bench: Bench, seconds: float, rounds: int) -> None:
        """Let the ways take turns; the closed window, whose row has the smallest margin, twice in a round."""
        ways = {"closed": bench.close_all, "canvas": bench.show_canvas, "open": bench.open_all}
        before = bench.windowless(seconds)
        for _ in range(rounds):
            for way in ("closed", "closed", "canvas", "open"):
                ways[way]()
                rate, meter = bench.with_window(seconds, metered=way == "open")
                after = bench.windowless(seconds)
                self.shares[way].append(2 * rate / (before + after))
                self.bare.append(after)
                before = after
            self.meters.append(meter)
        self.update_gaps += bench.update_gaps


def measure(name: str, seconds: float, rounds: int, sessions: int) -> None:
    """Measure one network and print what came out."""
    figures = Figures()
    for _ in range(sessions - 1):
        bench = Bench(name)
        figures.take(bench, seconds, rounds)
        bench.close()
    bench = Bench(name)
    figures.take(bench, seconds, rounds)
    print(f"{bench.window.windowTitle().replace('[*]', '')} on {DATA[name]}, 1440×900, {sessions} sessions of {rounds} rounds "
          f"of {seconds:g} s, switch interval {1e3 * sys.getswitchinterval():g} ms")  # fmt: skip
    tell_frames(figures, seconds, bench.studio.settings.batch_size)
    line("training without a window", f"{statistics.median(figures.bare):.0f} images/s")
    line("the same with worker processes", f"{bench.with_processes(seconds):.0f} images/s")
    kept = {way: statistics.median(of_turns) for way, of_turns in figures.shares.items()}
    line("training with neither panels nor canvas", f"{kept['closed']:.1%}", "≥ 97 %", kept["closed"] >= 0.97)
    line("training with the canvas alone", f"{kept['canvas']:.1%}")
    line("training with all panels open", f"{kept['open']:.1%}", "≥ 85 %", kept["open"] >= 0.85)
    slowest = float(np.percentile(bench.answer_at_rest(), 95))
    target = ("≤ 50", slowest <= 50) if name == "lenet5" else ("", None)
    line("another image at rest until painted (95 %)", f"{slowest:.0f} ms", *target)
    bench.close()


def tell_frames(figures: Figures, seconds: float, batch_size: int) -> None:
    """Print what was seen with all panels open."""
    meters = figures.meters
    gaps, stalls, ages = ([x for meter in meters for x in getattr(meter, what)] for what in ("gaps", "stalls", "ages"))
    whole = seconds * len(meters)
    per_second, p99 = sum(len(meter.frames) for meter in meters) / whole, float(np.percentile(gaps, 99))
    stepped = statistics.median(figures.bare) / batch_size
    possible, least = min(30.0, 0.85 * stepped), max(50.0, float(np.percentile(figures.update_gaps, 99)))
    line("steps a second without a window", f"{stepped:.1f}")
    line("the same with all panels open", f"{statistics.median(meter.steps for meter in meters):.1f}")
    line("frames a second", f"{per_second:.1f}", f"≥ {possible:.1f}", per_second >= possible)
    drawn = sum((meter.drawn for meter in meters), Counter[str]())
    print("    drawn a second: " + ", ".join(f"{panel} {count / whole:.0f}" for panel, count in drawn.most_common()))
    line("gap between frames, 99th percentile", f"{p99:.0f} ms", f"≤ {least:.0f}", p99 <= least)
    line("from a frame's arrival to its painting (95 %)", f"{np.percentile(ages, 95):.0f} ms")
    line("longest stall of the event loop", f"{max(stalls):.0f} ms", "≤ 50", max(stalls) <= 50)
    line("stalls, 99th percentile", f"{np.percentile(stalls, 99):.1f} ms")


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
    parser.add_argument("--rounds", type=positive, default=3, help="turns of every way in one session")
    parser.add_argument("--sessions", type=positive, default=8, help="windows that are opened one after the other")
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
            measure(name, options.seconds, options.rounds, options.sessions)
    qInstallMessageHandler(previous)
    return 0
