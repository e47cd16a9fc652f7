"""Edits, undo, saving, opening and crashes in random order, compared with a simple model, many times."""

from __future__ import annotations

import os
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from tests.faults.result import LOST, Result

STEPS = 40
"""What happens at most in one life of the document."""


def run_state_machine(lives: int, folder: Path, seed: int = 0) -> Result:
    """Let the state machine of tests/cnnstudio/project/test_state_machine.py live `lives` times."""
    from hypothesis import HealthCheck, settings
    from hypothesis import seed as seeded
    from hypothesis.stateful import run_state_machine_as_test
    from PySide6.QtCore import QCoreApplication

    from cnnstudio.app import make_application
    from tests.cnnstudio.project.test_state_machine import Work

    result = Result.counting("undo, redo, save, reload and kill in any order", LOST)
    folder.mkdir(parents=True)
    for kind in ("DATA", "CONFIG"):
        os.environ[f"XDG_{kind}_HOME"] = str(folder / kind.lower())
    app = QCoreApplication.instance() or make_application(["cnnstudio"])
    chosen = settings(max_examples=lives, stateful_step_count=STEPS, deadline=None, database=None,
                      suppress_health_check=list(HealthCheck))  # fmt: skip
    result.tried = lives
    try:
        run_state_machine_as_test(seeded(seed)(Work), settings=chosen)
    except AssertionError as error:
        notes = "\n".join(getattr(error, "__notes__", ()))
        result.expect(False, f"the document is not what the model says: {error}\n{notes}", LOST)
    app.sendPostedEvents()
    return result
