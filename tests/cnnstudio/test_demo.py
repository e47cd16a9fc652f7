"""The demonstration plays to its end without a screen, and its figures are those of a training that learned."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

from cnnstudio.project.files import open_project


def run_demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`cnnstudio demo` in a process of its own."""
    environ = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "cnnstudio", "demo", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300)


def test_every_stage_leaves_a_picture_and_its_figures(tmp_path: Path) -> None:
    done = run_demo("--out", str(tmp_path), "--template", "digits", "--size", "1280x720")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "demo.json").read_text(encoding="utf-8"))
    stages = {stage["stage"]: stage for stage in report["stages"]}
    assert len(stages) == 10
    for stage in stages.values():
        with Image.open(tmp_path / stage["picture"]) as picture:
            assert picture.size == (1280, 720)
    opened, dropped, edited, trained = (stages[s] for s in ("1-open", "2-drop", "3-edit", "5-trained"))
    assert len(dropped["shapes"]) == len(opened["shapes"]) + 2
    assert any(shape.endswith("×12") for shape in edited["shapes"].values())
    assert opened["step"] == 0 and trained["step"] > 0 and trained["val_accuracy"] > 0.3
    assert trained["pictures_of_step"] == trained["step"]
    saved = open_project(tmp_path / "demo.cnn")
    assert saved.checkpoint is not None and saved.checkpoint.step == trained["step"]


def test_a_wrong_size_is_one_line(tmp_path: Path) -> None:
    done = run_demo("--out", str(tmp_path), "--size", "large")
    assert done.returncode == 2
    assert "--size" in done.stderr and "Traceback" not in done.stderr


def test_an_unknown_template_is_one_line(tmp_path: Path) -> None:
    done = run_demo("--out", str(tmp_path), "--template", "nothing")
    assert done.returncode == 1
    assert "nothing" in done.stderr and "Traceback" not in done.stderr
