"""The running program, offscreen, edited, trained and saved by timers: what tests/faults/program_kills.py kills.

    python -m tests.faults.live_program PROJECT CHECKPOINT_INTERVAL SAVE_INTERVAL [SECONDS [DATA]]

It says on standard output what it has done, a line each: "edit N TIME", "trained STEP TIME", "saved N TIME".
Intervals are in milliseconds. With SECONDS it ends by itself after them, as a user would end it in the middle of
training, having given up what is not saved; with DATA it has just begun to import that data set.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QObject, QTimer, Slot

from cnnstudio.app import Program, make_application
from cnnstudio.project.folder import working_folder
from cnnstudio.project.recovery import find_abandoned
from cnnstudio.session.messages import RunPhase
from cnnstudio.setting_change import Change
from engine.trainer import BatchDone


class Life(QObject):
    """What a busy user does."""

    def __init__(self, program: Program, project: Path, save_interval: int) -> None:
        super().__init__(program)
        self.studio, self.project = program.studio, project
        self._begin(program)
        self.number = int(self.studio.document.title) if self.studio.document.title.isdecimal() else 0
        self.studio.controller.batches_done.connect(self._trained)
        self._timers = []
        for interval, act in ((37, self._edit), (100, self._train), (save_interval, self._save)):
            timer = QTimer(self)
            timer.setInterval(interval)
            timer.timeout.connect(act)
            timer.start()
            self._timers.append(timer)

    def _begin(self, program: Program) -> None:
        found = find_abandoned(working_folder())
        if found:
            self.studio.recover(found[0])
        elif self.project.exists():
            self.studio.open_project(self.project)
        else:
            self.studio.begin(next(t for t in program.templates if t.name == "digits"))
        for other in found[1:]:
            other.release()
        self.studio.change(Change("epochs", 100_000))

    @Slot()
    def _edit(self) -> None:
        self.number += 1
        self.studio.document.set_title(str(self.number))
        say("edit", self.number)

    @Slot()
    def _train(self) -> None:
        if self.studio.controller.state.phase in (RunPhase.READY, RunPhase.PAUSED):
            self.studio.controller.run()

    @Slot()
    def _save(self) -> None:
        self.studio.save_project(self.project)
        say("saved", self.number)

    @Slot(object)
    def _trained(self, batches: list[BatchDone]) -> None:
        say("trained", batches[-1].step)


def say(what: str, number: int) -> None:
    """One line; the time is that of the whole computer."""
    os.write(1, f"{what} {number} {time.monotonic()}\n".encode())


def main(arguments: list[str]) -> int:
    """Run until killed, or for some seconds."""
    app = make_application(["cnnstudio"])
    program = Program(app)
    program.log.install()
    program.show()
    program.studio.autosave._checkpoint_due.setInterval(int(arguments[1]))
    life = Life(program, Path(arguments[0]), int(arguments[2]))
    assert life.studio is program.studio
    if len(arguments) > 3:
        QTimer.singleShot(int(float(arguments[3]) * 1000), lambda: _close(program, *arguments[4:]))
    code = app.exec()
    program.close()
    return code


def _close(program: Program, data: str | None = None) -> None:
    """Close the window, and answer the question about unsaved work if it is asked."""
    if data is not None:
        program.studio.choose_data({"name": data})
    say("closing", 0)
    program.window.close()
    question = program.window.files.question
    if question is not None:
        question.button(question.StandardButton.Discard).click()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
