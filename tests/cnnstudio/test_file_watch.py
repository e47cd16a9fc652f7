"""What other programs do to the open project is said at once; what this one does is not."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from cnnstudio import file_watch
from cnnstudio.mainwindow import MainWindow
from cnnstudio.project.files import open_project
from cnnstudio.project.folder import working_folder
from cnnstudio.project.recovery import find_abandoned

MARK = "was changed by another program"


@pytest.fixture
def project(window: MainWindow, tmp_path: Path) -> Path:
    """The window's project, with another one beside it."""
    path = tmp_path / "p.cnn"
    window.studio.document.set_title("theirs")
    window.studio.save_copy(path.with_suffix(".other"))
    window.studio.document.set_title("mine")
    assert window.files.save_path(path)
    return path


def replace(path: Path) -> None:
    """Put another project in place of a file, in one step, as CNN Studio itself and synchronising programs do."""
    temporary = path.with_suffix(".tmp")
    shutil.copy(path.with_suffix(".other"), temporary)
    os.replace(temporary, path)


def write_over(path: Path) -> None:
    """Write another project into a file."""
    path.write_bytes(path.with_suffix(".other").read_bytes())


@pytest.mark.parametrize("change", [replace, write_over])
def test_a_change_is_said_in_the_window_in_front_and_never_overwritten(
    qtbot: QtBot, window: MainWindow, project: Path, change: object
) -> None:
    change(project)  # type: ignore[operator]
    qtbot.waitUntil(lambda: MARK in window.banner.text)
    assert not window.files.save() and open_project(project).graph["title"] == "theirs"
    assert window.files.question is not None and window.files.question.isVisible()
    window.files.question.close()


def test_what_was_replaced_is_watched_as_before_and_the_old_content_is_no_change(
    qtbot: QtBot, window: MainWindow, project: Path
) -> None:
    old = project.read_bytes()
    for change in (replace, write_over, replace):
        change(project)
        qtbot.waitUntil(lambda: MARK in window.banner.text)
        project.with_suffix(".tmp").write_bytes(old)
        os.replace(project.with_suffix(".tmp"), project)
        qtbot.waitUntil(lambda: MARK not in window.banner.text)
    assert window.files.save()


def test_own_saves_the_same_bytes_and_other_files_are_not_said(qtbot: QtBot, window: MainWindow, project: Path) -> None:
    said: list[str] = []
    show = window.banner.show_message
    window.banner.show_message = lambda kind, text, *a, **k: (said.append(text), show(kind, text, *a, **k))[1]  # type: ignore
    watch = window.files._watch
    assert window.files.save()
    with qtbot.waitSignal(watch.touched):
        window.studio.autosave.save(project)
    with qtbot.waitSignal(watch.touched):
        project.write_bytes(project.read_bytes())
    with qtbot.waitSignal(watch.touched):
        (project.parent / "notes.txt").write_text("something else")
    assert said == []


def test_the_changed_file_can_be_opened_from_the_message(qtbot: QtBot, window: MainWindow, project: Path) -> None:
    window.studio.document.set_title("not saved")
    replace(project)
    qtbot.waitUntil(lambda: MARK in window.banner.text)
    window.banner.buttons[0].click()
    question = window.files.question
    assert question is not None and window.studio.document.title == "not saved"
    question.button(QMessageBox.StandardButton.Discard).click()
    assert window.studio.document.title == "theirs" and not window.studio.document.modified
    assert MARK not in window.banner.text


def test_a_file_that_was_left_is_watched_no_more(qtbot: QtBot, window: MainWindow, project: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    assert window.files.save_path(tmp_path / "elsewhere" / "q.cnn")
    replace(project)
    with qtbot.waitSignal(window.files._watch.touched):
        replace_with_itself(tmp_path / "elsewhere" / "q.cnn")
    assert not window.banner.text


def replace_with_itself(path: Path) -> None:
    """Put a copy in place of a file."""
    shutil.copy(path, path.with_suffix(".tmp"))
    os.replace(path.with_suffix(".tmp"), path)


GONE = "is not where it was"


@pytest.fixture
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is gone counts as missing at the second look."""
    monkeypatch.setattr(file_watch, "RETURNING", 0)


@pytest.mark.usefixtures("prompt")
@pytest.mark.parametrize("remove", [Path.unlink, lambda path: path.rename(path.with_suffix(".moved"))])
def test_a_file_that_is_gone_is_said_and_saving_writes_it_anew(
    qtbot: QtBot, window: MainWindow, project: Path, remove: Callable[[Path], object]
) -> None:
    assert not window.studio.document.modified
    remove(project)
    qtbot.waitUntil(lambda: GONE in window.banner.text)
    assert window.studio.document.modified and window.isWindowModified()
    window.banner.buttons[0].click()
    assert open_project(project).graph["title"] == "mine"
    assert not window.studio.document.modified and not window.banner.text


@pytest.mark.usefixtures("prompt")
def test_work_whose_file_is_gone_is_asked_about_and_survives_a_crash(qtbot: QtBot, window: MainWindow, project: Path) -> None:
    project.unlink()
    qtbot.waitUntil(lambda: GONE in window.banner.text)
    window.close()
    assert window.isVisible() and window.files.question is not None
    window.files.question.button(QMessageBox.StandardButton.Cancel).click()
    window.studio.autosave.working.flush()
    later = project.parent / "later"
    shutil.copytree(working_folder(), later)
    (found,) = find_abandoned(later)
    assert found.title == "p.cnn" and found.state is not None and found.state.graph["title"] == "mine"
    found.release()


@pytest.mark.usefixtures("prompt")
def test_a_missing_file_that_is_there_again_is_as_good_as_before(qtbot: QtBot, window: MainWindow, project: Path) -> None:
    away = project.with_suffix(".moved")
    project.rename(away)
    qtbot.waitUntil(lambda: GONE in window.banner.text)
    away.rename(project)
    qtbot.waitUntil(lambda: not window.banner.text)
    assert not window.studio.document.modified
    project.unlink()
    qtbot.waitUntil(lambda: GONE in window.banner.text)
    replace(project)
    qtbot.waitUntil(lambda: MARK in window.banner.text)
    assert not window.files.save() and open_project(project).graph["title"] == "theirs"
    assert window.files.question is not None
    window.files.question.close()


def test_a_folder_that_is_gone_with_its_file_is_watched_when_it_returns(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_watch, "RETURNING", 0)
    folder = tmp_path / "stick"
    folder.mkdir()
    assert window.files.save_path(folder / "q.cnn")
    shutil.copytree(folder, tmp_path / "elsewhere")
    shutil.rmtree(folder)
    qtbot.waitUntil(lambda: GONE in window.banner.text)
    shutil.copytree(tmp_path / "elsewhere", folder)
    qtbot.waitUntil(lambda: not window.banner.text)
    assert not window.studio.document.modified
    (folder / "q.cnn").unlink()
    qtbot.waitUntil(lambda: GONE in window.banner.text)


@pytest.mark.usefixtures("prompt")
@pytest.mark.parametrize("by_a_link", [False, True])
def test_a_folder_on_the_way_that_is_renamed_and_renamed_back_is_noticed_although_nobody_looks(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, by_a_link: bool
) -> None:
    far = tmp_path / "course" / "homework"
    far.mkdir(parents=True)
    if by_a_link:
        (tmp_path / "link").symlink_to(tmp_path / "course")
    way = tmp_path / ("link" if by_a_link else "course")
    assert window.files.save_path(way / "homework" / "q.cnn")
    for _ in range(2):
        way.rename(tmp_path / "renamed")
        qtbot.waitUntil(lambda: GONE in window.banner.text)
        (tmp_path / "renamed").rename(way)
        qtbot.waitUntil(lambda: not window.banner.text)
    assert not window.studio.document.modified
    (far / "q.cnn").unlink()
    qtbot.waitUntil(lambda: GONE in window.banner.text)


@pytest.mark.usefixtures("prompt")
def test_a_folder_further_up_that_never_comes_to_rest_hides_nothing(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "course").mkdir()
    assert window.files.save_path(tmp_path / "course" / "q.cnn")
    noise = itertools.count()

    def said() -> bool:
        (tmp_path / f"noise {next(noise)}").touch()
        return GONE in window.banner.text

    (tmp_path / "course").rename(tmp_path / "renamed")
    qtbot.waitUntil(said)


def test_who_removes_a_file_and_then_puts_the_new_one_there_raises_no_alarm(
    qtbot: QtBot, window: MainWindow, project: Path
) -> None:
    said: list[str] = []
    show = window.banner.show_message
    window.banner.show_message = lambda kind, text, *a, **k: (said.append(text), show(kind, text, *a, **k))[1]  # type: ignore
    watch, content = window.files._watch, project.read_bytes()
    project.unlink()
    qtbot.waitUntil(lambda: watch._gone)  # it has been looked for
    (project.parent / "notes.txt").write_text("other news from the folder shorten no patience")
    with qtbot.waitSignal(watch.touched):
        project.with_suffix(".tmp").write_bytes(content)
        project.with_suffix(".tmp").rename(project)
    assert said == [] and not window.studio.document.modified
