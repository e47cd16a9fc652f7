"""The Chinese catalogue: complete, with the same placeholders, and spoken by the program."""

from __future__ import annotations

import json
import re
import string
import time
from dataclasses import replace

import pytest
from PySide6.QtCore import QCoreApplication, QDate, QDateTime, QLocale, QTime
from pytestqt.qtbot import QtBot

from cnnstudio.document.words import class_names, layer_phrases
from cnnstudio.mainwindow import MainWindow
from cnnstudio.resources import resource_path
from cnnstudio.settings import Settings
from cnnstudio.studio import Studio
from cnnstudio.translation import LANGUAGES, use_language
from cnnstudio.widgets.numbers import format_moment
from engine.datasets.catalog import bundled_names
from engine.layers.conv import Conv2D
from engine.templates import Template
from tests.cnnstudio.visible_texts import all_texts

CATALOGUES = [language for language in LANGUAGES if language != "en"]


def catalogue(language: str) -> dict[str, str]:
    """English text -> text of the language."""
    data = json.loads(resource_path("translations", f"{language}.json").read_text(encoding="utf-8"))
    strings: dict[str, str] = data["strings"]
    return strings


def class_texts(language: str) -> dict[str, str]:
    """English name of a class -> its name in the language."""
    data = json.loads(resource_path("translations", f"{language}.json").read_text(encoding="utf-8"))
    names: dict[str, str] = data["contexts"]["ClassName"]
    return names


def placeholders(text: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", CATALOGUES)
def test_every_visible_text_is_translated(language: str) -> None:
    strings = catalogue(language)
    missing = [f"{where}: {text!r}" for text, where in all_texts().items() if not strings.get(text)]
    assert not missing, "\n".join(["not translated:", *missing])


@pytest.mark.parametrize("language", CATALOGUES)
def test_translations_keep_the_placeholders(language: str) -> None:
    wrong = [source for source, text in catalogue(language).items() if placeholders(source) != placeholders(text)]
    assert wrong == []


@pytest.mark.parametrize(("language", "moment"), [("en", "9/21/26 2:13 PM"), ("zh_CN", "2026/9/21 14:13")])
def test_times_and_numbers_are_written_as_the_language_writes_them(
    qapp: QCoreApplication, monkeypatch: pytest.MonkeyPatch, language: str, moment: str
) -> None:
    then = QDateTime(QDate(2026, 9, 21), QTime(14, 13))
    monkeypatch.setattr(time, "time", lambda: then.toSecsSinceEpoch() + 1e6)
    use_language(qapp, language)
    try:
        # Which kind of space stands before "PM" depends on the version of Qt's tables.
        assert re.sub(r"\s", " ", format_moment(then.toSecsSinceEpoch())) == moment
        assert QLocale().toString(12345.5, "f", 1) == "12,345.5"
    finally:
        use_language(qapp, "en")


def test_the_window_speaks_chinese(
    qtbot: QtBot, studio: Studio, templates: tuple[Template, ...]
) -> None:
    app = QCoreApplication.instance()
    assert app is not None
    use_language(app, "zh_CN")
    try:
        window = MainWindow(studio, Settings(), templates)
        window.show()
        assert window.actions_.train.text() == "训练"
        assert window.menuBar().actions()[0].text() == "文件(&F)"
        assert studio.document.name_of("conv1") == "卷积 1"
        assert layer_phrases(Conv2D(8, stride=2, padding=1)) == ["8 @ 3×3", "步幅 2", "填充 1"]
        window.discard()
    finally:
        use_language(app, "en")
    assert studio.document.name_of("conv1") == "Conv 1"


def test_what_the_catalogue_lacks_stays_english(qtbot: QtBot) -> None:
    app = QCoreApplication.instance()
    assert app is not None
    use_language(app, "zh_CN")
    try:
        assert QCoreApplication.translate("Nowhere", "no such text") == "no such text"
    finally:
        use_language(app, "en")


@pytest.mark.parametrize("language", CATALOGUES)
def test_a_bundled_data_set_has_its_name_in_the_language_wherever_it_is_named(
    qtbot: QtBot, window: MainWindow, qapp: QCoreApplication, language: str
) -> None:
    use_language(qapp, language)
    try:
        studio = window.studio
        studio.choose_data({"name": "mnist12k"})
        qtbot.waitUntil(lambda: studio.data is not None and studio.data.name == "mnist12k", timeout=20_000)
        name = catalogue(language)["MNIST, 12,000 digits"]
        assert window.samples._about.text().startswith(name) and name in studio.document.undo_stack.undoText()
    finally:
        use_language(qapp, "en")


@pytest.mark.parametrize("language", CATALOGUES)
def test_every_class_of_the_bundled_data_sets_has_a_name(language: str) -> None:
    names = {name for data in bundled_names(resource_path("datasets")) for name in data.classes if not name.isdigit()}
    assert names == set(class_texts(language))


@pytest.mark.parametrize("language", CATALOGUES)
def test_classes_of_bundled_data_are_named_in_the_language_and_those_of_other_data_as_they_are_written(
    qtbot: QtBot, window: MainWindow, qapp: QCoreApplication, language: str
) -> None:
    use_language(qapp, language)
    try:
        studio, names = window.studio, class_texts(language)
        studio.choose_data({"name": "shapes32"})
        qtbot.waitUntil(lambda: studio.data is not None and studio.data.name == "shapes32", timeout=20_000)
        assert studio.data is not None and studio.selection.sample is not None
        expected = [names[name] for name in studio.data.classes]
        assert window.prediction.bars._names == expected
        assert [window.samples._class.itemText(row) for row in range(1, 11)] == expected
        assert window.prediction._truth.text().endswith(expected[studio.selection.sample.label or 0])
        other = replace(studio.data, name="/home/me/shapes32.npz")
        assert class_names(other) == other.classes and "circle" in other.classes
    finally:
        use_language(qapp, "en")
