"""run.py: what it installs, when, and into what it turns."""

from __future__ import annotations

import ast
import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import run

SOURCE = Path(run.__file__)

PYPROJECT = """
[build-system]
requires = ["hatchling"]
[project]
name = "cnnstudio"
dependencies = ["numpy>=2"]
[tool.ruff]
line-length = 110
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in a folder of its own, with nothing installed yet."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "constraints.txt").write_text("numpy==2.4.6\n")
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(run, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(run, "PYTHON", tmp_path / ".venv/bin/python")
    monkeypatch.setattr(run, "STAMP", tmp_path / ".venv/cnnstudio-stamp")
    monkeypatch.setattr(run, "LOCK", tmp_path / ".venv.lock")
    monkeypatch.setattr(run.display, "missing_libraries", lambda libraries: [])
    return tmp_path


class Calls:
    """Stands in for `run.call`: keeps the names of the steps and does on disk what they would do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: list[str] = []
        self.outcome: dict[str, int | type[BaseException]] = {}
        monkeypatch.setattr(run, "call", self)

    def __call__(self, command: list[str], *, quiet: bool = False) -> int:
        step = "venv" if "venv" in command else "pip" if "pip" in command else "try"
        self.steps.append(step)
        outcome = self.outcome.get(step, 0)
        if isinstance(outcome, type):
            raise outcome
        if step == "venv":
            run.PYTHON.parent.mkdir()
            run.PYTHON.touch()
        return outcome

    def repeat(self) -> list[str]:
        """Install again; the steps of this time."""
        self.steps.clear()
        run.install_project()
        return self.steps


@pytest.fixture
def calls(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    return Calls(monkeypatch)


# --- before anything is there ------------------------------------------------------------------------------


def test_an_older_python_is_told_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 13, "final", 0))
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(SOURCE))
    assert stopped.value.code == "CNN Studio needs Python 3.11 or later; this is Python 3.10."


def test_an_older_python_can_read_the_file_up_to_that_line() -> None:
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_only_the_standard_library_is_needed() -> None:
    without_site_packages = [sys.executable, "-I", "-S", "-c"]
    program = f"import sys; sys.path.insert(0, {str(SOURCE.parent)!r}); import run"
    subprocess.run([*without_site_packages, program], check=True)


def test_every_requirement_has_an_exact_version() -> None:
    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    required = [*project["dependencies"], *(each for extra in extras for each in extra)]
    pinned = re.findall(r"^([\w.-]+)==", (SOURCE.parent / "constraints.txt").read_text(), re.MULTILINE)
    names = {re.match(r"[\w.-]+", requirement)[0].lower() for requirement in required}
    assert names - {name.lower() for name in pinned} == set()


# --- what runs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "inside"),
    [
        ([], ["-P", "-m", "cnnstudio"]),
        (["mine.cnns"], ["-P", "-m", "cnnstudio", "mine.cnns"]),
        (["train", "lenet5", "--json"], ["-P", "-m", "cnnstudio", "train", "lenet5", "--json"]),
        (["demo", "--out", "x"], ["-P", "-m", "cnnstudio", "demo", "--out", "x"]),
        (["test", "-k", "pool"], ["-m", "pytest", "-k", "pool"]),
        (["bench", "conv"], ["-m", "tests.benchmarks", "conv"]),
        (["faults", "--long"], ["-m", "tests.faults", "--long"]),
    ],
)
def test_arguments_choose_what_runs(arguments: list[str], inside: list[str]) -> None:
    assert run.command_line(arguments) == [str(run.PYTHON), *inside]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be without a screen")
@pytest.mark.parametrize("arguments", [[], ["mine.cnns"]])
def test_a_window_without_a_screen_ends_in_one_line_that_names_the_demo(
    arguments: list[str], checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(variable, raising=False)
    assert run.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "DISPLAY" in said
    assert "run.py demo --out DIR" in said


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be without a screen")
@pytest.mark.parametrize("command", ["demo", "bench", "test"])
def test_commands_that_draw_without_a_screen_draw_offscreen(command: str) -> None:
    assert run.environment(command, {"HOME": "/h"}) == {"HOME": "/h", "QT_QPA_PLATFORM": "offscreen"}


def test_training_on_the_command_line_needs_neither_screen_nor_qt_libraries(
    monkeypatch: pytest.MonkeyPatch, checkout: Path
) -> None:
    monkeypatch.setattr(run.display, "missing_libraries", list)
    run.PYTHON.parent.mkdir(parents=True)
    run.PYTHON.touch()
    assert run.environment("train", {}) == {}
    assert run.missing_packages("train", {}) == {}


def test_a_later_start_runs_nothing_but_the_program(
    calls: Calls, monkeypatch: pytest.MonkeyPatch, checkout: Path
) -> None:
    run.install_project()
    calls.steps.clear()
    started: list[list[str]] = []
    monkeypatch.setattr(run, "become", lambda command, environ: started.append(command) or 7)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert run.main(["mine.cnns"]) == 7
    assert started == [run.command_line(["mine.cnns"])]
    assert calls.steps == []


# --- the virtual environment -------------------------------------------------------------------------------


def test_the_first_start_makes_the_environment_and_installs(calls: Calls) -> None:
    run.install_project()
    assert calls.steps == ["venv", "pip"]
    assert run.is_installed()


@pytest.mark.parametrize(
    ("file", "old", "new", "stays"),
    [
        ("constraints.txt", "2.4.6", "2.4.7", False),
        ("pyproject.toml", "numpy>=2", "numpy>=3", False),
        ("pyproject.toml", '"hatchling"', '"hatchling>=2"', False),
        ("pyproject.toml", "line-length = 110", "line-length = 100", True),
    ],
)
def test_only_changed_requirements_ask_for_another_installation(
    file: str, old: str, new: str, stays: bool, calls: Calls, checkout: Path
) -> None:
    run.install_project()
    text = (checkout / file).read_text()
    assert old in text
    (checkout / file).write_text(text.replace(old, new))
    assert run.is_installed() == stays


def test_a_checkout_that_was_moved_is_installed_again(
    calls: Calls, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.install_project()
    monkeypatch.setattr(run, "ROOT", checkout / "..")
    (checkout.parent / "pyproject.toml").write_text(PYPROJECT)
    (checkout.parent / "constraints.txt").write_text("numpy==2.4.6\n")
    assert not run.is_installed()


def test_another_python_behind_the_environment_is_noticed(calls: Calls, checkout: Path) -> None:
    run.install_project()
    (checkout / "python3.13").touch()
    run.PYTHON.unlink()
    run.PYTHON.symlink_to(checkout / "python3.13")
    assert not run.is_installed()


@pytest.mark.parametrize("step", ["venv", "pip"])
def test_an_interrupted_first_start_begins_anew(step: str, calls: Calls, checkout: Path) -> None:
    calls.outcome[step] = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        run.install_project()
    assert not run.is_installed()
    half_written = checkout / ".venv/half-written"
    half_written.touch()
    calls.outcome.clear()
    assert calls.repeat() == ["venv", "pip"]
    assert not half_written.exists()
    assert run.is_installed()


def test_an_interrupted_update_is_made_again_in_the_same_environment(calls: Calls, checkout: Path) -> None:
    run.install_project()
    before = (checkout / "constraints.txt").read_text()
    (checkout / "constraints.txt").write_text("numpy==2.5.0\n")
    calls.outcome["pip"] = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        run.install_project()
    (checkout / "constraints.txt").write_text(before)
    assert not run.is_installed(), "after half an update the old stamp must not count"
    kept = checkout / ".venv/kept"
    kept.touch()
    calls.outcome = {}
    assert calls.repeat() == ["try", "pip"]
    assert kept.exists()


def test_a_failed_installation_says_so_and_is_not_taken_for_done(calls: Calls) -> None:
    calls.outcome["pip"] = 1
    with pytest.raises(run.StartError, match="reason stands above"):
        run.install_project()
    assert not run.is_installed()


def test_an_environment_that_works_no_more_is_made_anew(calls: Calls) -> None:
    run.install_project()
    run.STAMP.write_text("that of another Python")
    calls.outcome["try"] = 1
    assert calls.repeat() == ["try", "venv", "pip"]


def test_an_environment_made_by_hand_is_used(calls: Calls, checkout: Path) -> None:
    run.PYTHON.parent.mkdir(parents=True)
    run.PYTHON.touch()
    run.install_project()
    assert calls.steps == ["try", "pip"]


def test_an_environment_made_by_hand_is_never_deleted(calls: Calls, checkout: Path) -> None:
    mine = checkout / ".venv/mine"
    mine.parent.mkdir()
    mine.touch()
    with pytest.raises(run.StartError, match=r"not made by run\.py"):
        run.install_project()
    assert mine.exists()


def test_a_start_that_waited_for_another_does_not_install_again(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([False, True])  # before and after the wait for the lock
    monkeypatch.setattr(run, "is_installed", lambda: next(answers))
    monkeypatch.setattr(run, "missing_packages", lambda command, environ: {})
    run.prepare("train", {})
    assert calls.steps == []


def test_the_lock_admits_one_at_a_time(checkout: Path) -> None:
    with run.alone(), open(run.LOCK, "w") as other:
        assert not run.locked(other)
    with open(run.LOCK, "w") as other:
        assert run.locked(other)


def test_a_checkout_that_cannot_be_written_is_a_message(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "LOCK", checkout / "no such folder" / "lock")
    assert run.main(["train"]) == 1
    assert capsys.readouterr().err.startswith("CNN Studio cannot be set up: ")


def test_setting_up_leaves_standard_output_to_the_program(capfd: pytest.CaptureFixture[str]) -> None:
    assert run.call([sys.executable, "-c", "print('pip speaks')"]) == 0
    assert capfd.readouterr() == ("", "pip speaks\n")
    assert run.call([sys.executable, "-c", "print('pip speaks'); raise SystemExit(3)"], quiet=True) == 3
    assert capfd.readouterr() == ("", "")


# --- the system --------------------------------------------------------------------------------------------


class System:
    """Stands in for a Debian machine: which programs there are, who runs this, which commands were given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.programs, self.user, self.sudo = {"apt-get"}, 1000, 1
        self.commands: list[str] = []
        monkeypatch.setattr(run.shutil, "which", lambda name: name if name in self.programs else None)
        monkeypatch.setattr(os, "geteuid", lambda: self.user, raising=False)
        monkeypatch.setattr(run, "call", self.call)

    def call(self, command: list[str], *, quiet: bool = False) -> int:
        self.commands.append(" ".join(command))
        return self.sudo if command[-1] == "true" else 0


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    return System(monkeypatch)


MISSING = {"libEGL.so.1": "libegl1", "ensurepip": "python3.11-venv"}


def test_root_installs_the_missing_packages(system: System) -> None:
    system.user = 0
    run.install_system_packages(MISSING)
    assert system.commands[0].endswith("update")
    assert system.commands[1].endswith("install --yes --no-install-recommends libegl1 python3.11-venv")
    assert "sudo" not in " ".join(system.commands)


def test_sudo_without_a_password_installs_them_too(system: System) -> None:
    system.programs.add("sudo")
    system.sudo = 0
    run.install_system_packages(MISSING)
    assert system.commands[-1].startswith("sudo --non-interactive apt-get ")


@pytest.mark.parametrize("programs", [{"apt-get"}, {"apt-get", "sudo"}])
def test_other_users_get_the_exact_command(programs: set[str], system: System) -> None:
    system.programs = programs
    with pytest.raises(run.StartError) as stopped:
        run.install_system_packages(MISSING)
    command = "sudo apt-get update && sudo apt-get install --yes libegl1 python3.11-venv"
    assert str(stopped.value).endswith(command)
    assert not any("apt-get" in command for command in system.commands)


def test_another_distribution_gets_the_names_of_the_libraries(system: System) -> None:
    system.programs = set()
    with pytest.raises(run.StartError, match=r"package manager: libEGL\.so\.1, ensurepip\.$"):
        run.install_system_packages(MISSING)


def test_what_is_still_missing_after_an_installation_is_named(
    system: System, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.user = 0
    monkeypatch.setattr(run, "missing_packages", lambda command, environ: MISSING)
    with pytest.raises(run.StartError, match=r"Still missing: libEGL\.so\.1, ensurepip"):
        run.prepare("", {})


def test_a_python_without_ensurepip_needs_its_debian_package(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: None)
    assert run.missing_packages("train", {}) == {
        "ensurepip": f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    }
    run.PYTHON.parent.mkdir(parents=True)
    run.PYTHON.touch()
    assert run.missing_packages("train", {}) == {}, "it has done its work already"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the wheel of Qt is complete")
def test_missing_libraries_are_translated_to_packages(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run.display, "missing_libraries", lambda names: [n for n in names if "cursor" in n])
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: True)
    assert run.missing_packages("", {"DISPLAY": ":0"}) == {"libxcb-cursor.so.0": "libxcb-cursor0"}
    assert run.missing_packages("test", {"QT_QPA_PLATFORM": "offscreen"}) == {}
