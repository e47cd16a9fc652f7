"""A student builds LeNet-5 from an empty canvas with at most 16 gestures of mouse and keyboard, and trains it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gestures.lenet import MISSING, MOST_GESTURES, build_and_train, is_lenet, program_on_a_screen


@pytest.mark.skipif(bool(MISSING), reason=f"needs {' and '.join(MISSING)}")
def test_lenet_from_an_empty_canvas_in_16_gestures(tmp_path: Path) -> None:
    with program_on_a_screen(tmp_path) as student:
        report = build_and_train(student)
    assert is_lenet(report["network"])
    assert len(student.gestures) <= MOST_GESTURES
