"""The languages of the program: one catalogue a language, as plain JSON, and switching between them.

A catalogue maps English source texts to texts of the language: {"strings": {source: text}, "contexts":
{context: {source: text}}}. The contexts hold the few texts that mean something else in one place.
"""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from cnnstudio.resources import resource_path

LANGUAGES = {"en": "English", "zh_CN": "中文"}
"""Code and own name of each language."""


class CatalogTranslator(QTranslator):
    """Looks up the texts of one catalogue; texts that it lacks stay English."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        catalogue = json.loads(path.read_text(encoding="utf-8"))
        self._strings: dict[str, str] = catalogue["strings"]
        self._contexts: dict[str, dict[str, str]] = catalogue["contexts"]

    def translate(self, context: str, sourceText: str, disambiguation: str | None = None, n: int = -1) -> str:
        """The text in the catalogue's language, or nothing, so that the next translator is asked."""
        special = self._contexts.get(context, {}).get(sourceText)
        return special or self._strings.get(sourceText) or None  # type: ignore[return-value]

    def isEmpty(self) -> bool:
        """Qt takes no notice of an empty translator."""
        return not self._strings


_installed: list[QTranslator] = []
_language = "en"


def system_language() -> str:
    """The language of the desktop where there is a catalogue for it, otherwise English."""
    return "zh_CN" if QLocale.system().language() == QLocale.Language.Chinese else "en"


def current_language() -> str:
    """The code of the language in force."""
    return _language


def use_language(app: QCoreApplication, language: str) -> None:
    """Speak a language from now on; texts that are on screen already stay as they are."""
    global _language
    while _installed:
        app.removeTranslator(_installed.pop())
    _language = language if language in LANGUAGES else "en"
    # Digits, dates and spin boxes are those of the language, whatever the desktop's are: 0.001 in all languages of the program.
    QLocale.setDefault(QLocale("en_US" if _language == "en" else _language))
    if _language == "en":
        return
    of_qt = QTranslator()
    if of_qt.load(f"qtbase_{_language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        _installed.append(of_qt)
    _installed.append(CatalogTranslator(resource_path("translations", f"{_language}.json")))
    for translator in _installed:
        app.installTranslator(translator)
