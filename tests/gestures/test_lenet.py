"""A student builds LeNet-5 from an empty canvas with at most 16 gestures of mouse and keyboard, and trains it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.gestures import lenet
from tests.gestures.lenet import MISSING, MOST_GESTURES, build_and_train, is_lenet, program_on_a_screen


def test_where_a_whole_machine_is_promised_nothing_is_missing() -> None:
    if "CNNSTUDIO_WHOLE_MACHINE" not in os.environ:
        pytest.skip("only .ci/run promises everything that a real screen needs")
    assert MISSING == []


@pytest.mark.skipif(bool(MISSING), reason=f"needs {' and '.join(MISSING)}")
def test_a_program_that_dies_is_told_with_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lenet, "PROGRAM", "tests.gestures.no_such_program")
    with program_on_a_screen(tmp_path) as student, pytest.raises(RuntimeError, match="no_such_program"):
        student.wait("the program", lambda report: True)


@pytest.mark.skipif(bool(MISSING), reason=f"needs {' and '.join(MISSING)}")
def test_lenet_from_an_empty_canvas_in_16_gestures(tmp_path: Path) -> None:
    with program_on_a_screen(tmp_path) as student:
        report = build_and_train(student)
    assert is_lenet(report["network"])
    assert len(student.gestures) <= MOST_GESTURES
