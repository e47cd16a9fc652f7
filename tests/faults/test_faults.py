"""The short forms of `run.py faults`: no crash, full disk or damage costs what was saved, and none is met with silence."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.damage import damage_projects, damage_working, flipped, truncated
from tests.faults.failed_calls import fail_each_call
from tests.faults.forbidden import save_where_it_is_forbidden
from tests.faults.full_disk import fill_disk
from tests.faults.monkey import run_seed
from tests.faults.program_kills import close_program, kill_program
from tests.faults.result import Result

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fault tests need fork and signals")

# How long things take is measured by `run.py faults`, not here, where other work may hold everything up.


def assert_nothing_wrong(result: Result) -> None:
    if result.skipped:
        pytest.skip(result.skipped)
    assert result.tried and not result.wrong, "\n".join(result.wrong[:20])


def test_killing_the_writer_loses_no_confirmed_save() -> None:
    # In a process of its own: it forks, which must not be done beside threads.
    done = subprocess.run([sys.executable, "-m", "tests.faults", "writer", "migration"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_killing_the_program_loses_no_confirmed_save(tmp_path: Path) -> None:
    assert_nothing_wrong(kill_program(2, tmp_path / "t", full_interval=False, slack=30))


def test_the_program_closes_at_once_in_the_middle_of_training(tmp_path: Path) -> None:
    assert_nothing_wrong(close_program(1, tmp_path / "t", allowed=60))


def test_every_failing_call_of_a_save_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    assert_nothing_wrong(fail_each_call(tmp_path / "t", (errno.ENOSPC,)))


def test_a_full_disk_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    assert_nothing_wrong(fill_disk(6, tmp_path / "t"))


def test_where_saving_is_forbidden_the_old_file_stays_and_the_message_says_what_to_do(tmp_path: Path) -> None:
    assert_nothing_wrong(save_where_it_is_forbidden(tmp_path / "t"))


@pytest.mark.parametrize("damage", [truncated, flipped])
def test_damaged_projects_are_refused_or_opened_in_part(tmp_path: Path, damage: object) -> None:
    assert_nothing_wrong(damage_projects(100, tmp_path / "t", damage))  # type: ignore[arg-type]


@pytest.mark.parametrize("damage", [truncated, flipped])
def test_damaged_working_databases_give_the_newest_valid_state(tmp_path: Path, damage: object) -> None:
    assert_nothing_wrong(damage_working(40, tmp_path / "t", damage))  # type: ignore[arg-type]


def test_random_events_break_nothing() -> None:
    code, output = run_seed(1, 200)
    assert code == 0, output[-6000:]
