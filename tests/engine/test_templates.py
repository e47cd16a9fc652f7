"""The templates that come with the program: they load, shapes fit, and they are what the course says."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnstudio.resources import resource_path
from engine.analysis import analyse
from engine.errors import SpecError
from engine.pattern import Formula, parse
from engine.settings import TrainSettings
from engine.templates import load_template, load_templates

FOLDER = resource_path("templates")
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_every_template_fits_and_its_settings_can_be_read(name: str) -> None:
    template = load_template(FOLDER, name)
    assert template.network.placed()[-1].y == (10,)
    assert template.title and template.description.endswith(".")
    TrainSettings.from_json(template.training)


@pytest.mark.parametrize(
    ("name", "formula", "parameters"),
    [
        ("simplest", "INPUT → [[CONV → ReLU]×1 → POOL]×1 → [FC → ReLU]×1 → FC", None),
        # 6·(25 + 1) + 16·(6·25 + 1) + 120·(400 + 1) + 84·(120 + 1) + 10·(84 + 1)
        ("lenet5", "INPUT → [[CONV → ReLU]×1 → POOL]×2 → [FC → ReLU]×2 → FC", 61_706),
        ("digits", "INPUT → [[CONV → ReLU]×2 → POOL]×1 → [FC → ReLU]×1 → FC", None),
        ("vgg_mini",
         "INPUT → [[CONV → ReLU]×2 → POOL]×1 → [[CONV → ReLU]×1 → POOL]×1 → [FC → ReLU]×1 → FC", None),
        ("logistic", "INPUT → FC", 7_850),
        ("mlp", "INPUT → [FC → ReLU]×2 → FC", None),
        ("classic_average", "INPUT → [[CONV → Sigmoid]×1 → POOL]×2 → [FC → Sigmoid]×2 → FC", 61_706),
    ],
)  # fmt: skip
def test_the_classic_templates_have_their_canonical_formula(name: str, formula: str, parameters: int | None) -> None:
    network = load_template(FOLDER, name).network
    parsed = parse(network)
    assert isinstance(parsed, Formula)
    assert str(parsed) == formula
    if parameters is not None:
        assert analyse(network).parameters == parameters


def test_templates_come_in_their_order_with_defects_last() -> None:
    templates = load_templates(FOLDER)
    assert [t.name for t in templates[:3]] == ["simplest", "lenet5", "digits"]
    defects = [bool(t.defect) for t in templates]
    assert defects == sorted(defects) and sum(defects) >= 4


def test_an_unknown_template_names_those_that_exist() -> None:
    with pytest.raises(SpecError, match=r"no template 'lenet6'.*lenet5"):
        load_template(FOLDER, "lenet6")


_HEAD = '"title": "x", "description": "x", "data": "x"'


@pytest.mark.parametrize("text", ["{", "[]", '{"title": "x"}', f'{{{_HEAD}, "network": {{"format": 9, "layers": []}}}}'])
def test_a_broken_template_says_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.json").write_text(text)
    with pytest.raises(SpecError, match=r"'mine' cannot be read"):
        load_template(tmp_path, "mine")
