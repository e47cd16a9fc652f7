"""What is remembered between two starts."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from cnnstudio.settings import RECENT, Settings


def test_recent_files_are_the_latest_first_and_only_those_that_exist(qtbot: QtBot, tmp_path: Path) -> None:
    settings = Settings()
    paths = [tmp_path / f"{i}.cnn" for i in range(RECENT + 2)]
    for path in paths:
        path.touch()
        settings.add_recent(path)
    assert settings.recent_files == paths[::-1][:RECENT]
    settings.add_recent(paths[3])
    assert settings.recent_files[0] == paths[3] and len(settings.recent_files) == RECENT
    paths[3].unlink()
    assert paths[3] not in Settings().recent_files


def test_one_recent_file_is_a_list(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "a.cnn").touch()
    Settings().add_recent(tmp_path / "a.cnn")
    settings = Settings()
    settings.flush()
    assert Settings().recent_files == [tmp_path / "a.cnn"]


def test_nonsense_counts_as_not_set(qtbot: QtBot) -> None:
    settings = Settings()
    settings._store.setValue("look/theme", "pink")
    settings._store.setValue("window/geometry", "not bytes")
    settings._store.setValue("files/folder", "/nowhere/at/all")
    assert settings.theme == "light"
    assert settings.geometry.isEmpty()
    assert settings.last_folder == str(Path.home())
