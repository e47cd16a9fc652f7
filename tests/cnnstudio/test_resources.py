"""cnnstudio.resources: the same files in a checkout and in an installed wheel."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

from cnnstudio import resources


def test_a_checkout_has_its_resources_beside_the_package() -> None:
    assert resources.resource_path("datasets", "x.npz") == (
        Path(__file__).resolve().parents[2] / "resources" / "datasets" / "x.npz"
    )


def test_an_installed_wheel_has_them_inside_the_package(tmp_path: Path) -> None:
    (tmp_path / "cnnstudio" / "_resources").mkdir(parents=True)
    module = shutil.copy(resources.__file__, tmp_path / "cnnstudio")
    installed = runpy.run_path(str(module))["resource_path"]
    assert installed("icons", "a.svg") == tmp_path / "cnnstudio" / "_resources" / "icons" / "a.svg"
