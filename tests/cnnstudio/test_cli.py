"""The command line: what it prints, what it saves, and how it answers what is wrong."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.cli import main
from cnnstudio.command_line.train import AtOnce, interruptions
from cnnstudio.document.graph import Graph
from cnnstudio.document.layout import is_tidy
from cnnstudio.project.files import open_project, save_project
from cnnstudio.resources import resource_path
from cnnstudio.session.controller import Controller
from engine.datasets.catalog import open_dataset
from engine.layers.dense import Dense
from engine.settings import TrainSettings
from engine.spec import Node
from engine.templates import load_template

CHECKOUT = Path(__file__).resolve().parents[2]


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_train_prints_one_json_object_for_each_epoch_and_reaches_its_accuracy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "digits", "--data", "digits8x8", "--epochs", "20", "--seed", "1", "--json"]) == 0
    rows = [json.loads(line) for line in lines(capsys)]
    assert [row["epoch"] for row in rows] == list(range(1, 21))
    assert set(rows[0]) == {"epoch", "step", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "images_per_second"}
    assert rows[-1]["step"] == 20 * 45 and rows[-1]["val_accuracy"] >= 0.95


def test_lenet5_reaches_96_percent_in_five_epochs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "lenet5", "--data", "mnist12k", "--epochs", "5", "--seed", "1", "--json"]) == 0
    assert json.loads(lines(capsys)[-1])["val_accuracy"] >= 0.96


def test_a_saved_training_goes_on_where_it_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, whole = tmp_path / "a.cnn", tmp_path / "b.cnn", tmp_path / "c.cnn"
    assert main(["train", "digits", "--epochs", "1", "--json", "--out", str(first)]) == 0
    assert main(["train", str(first), "--epochs", "1", "--json", "--out", str(second)]) == 0
    assert main(["train", "digits", "--epochs", "2", "--json", "--out", str(whole)]) == 0
    rows = [json.loads(line) for line in lines(capsys)]
    assert (rows[1]["epoch"], rows[1]["step"]) == (2, 90)
    resumed, straight = open_project(second).checkpoint, open_project(whole).checkpoint
    assert resumed is not None and straight is not None
    assert np.array_equal(resumed.parameters, straight.parameters)


def test_evaluate_measures_the_test_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lenet.cnn"
    assert main(["train", "simplest", "--epochs", "1", "--json", "--out", str(path)]) == 0
    assert main(["evaluate", str(path), "--json"]) == 0
    result = json.loads(lines(capsys)[-1])
    assert result["images"] == 2000 and 0.5 < result["test_accuracy"] < 1


def test_a_trained_network_stands_tidily_in_the_window_and_as_it_stood_there_when_it_is_trained_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first.cnn", tmp_path / "second.cnn"
    assert main(["train", "digits", "--epochs", "1", "--json", "--out", str(first)]) == 0
    state = open_project(first)
    graph = Graph.from_json(state.graph)
    assert len(graph.main) > 4 and is_tidy(graph.main, graph.columns)
    assert state.runs[0].places == {block.id: block.position for block in graph.main}
    moved = graph.moved({graph.main[1].id: (500.0, 400.0)})
    save_project(first, dataclasses.replace(state, graph=moved.to_json()))
    assert main(["train", str(first), "--epochs", "1", "--json", "--out", str(second)]) == 0
    assert Graph.from_json(open_project(second).graph).chains == moved.chains


def test_check_finds_right_gradients(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "digits", "--cells", "5"]) == 0
    printed = lines(capsys)
    assert [line.split()[0] for line in printed[1:-1]] == [
        "conv1.W", "conv1.b", "conv2.W", "conv2.b", "dense1.W", "dense1.b", "dense2.W", "dense2.b"]
    assert printed[-1].startswith("right")


def test_the_bundled_networks_and_data_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["templates"]) == 0 and main(["datasets"]) == 0
    names = [line.split()[0] for line in lines(capsys)]
    assert {"lenet5", "simplest", "digits", "mnist12k", "digits8x8", "shapes32"} <= set(names)


def test_a_network_can_be_a_json_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.json"
    path.write_text(json.dumps(load_template(resource_path("templates"), "digits").network.to_json()))
    assert main(["train", str(path), "--data", "digits8x8", "--epochs", "1", "--json"]) == 0
    assert main(["train", str(path)]) == 2
    assert "name one with --data" in capsys.readouterr().err.lower()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of files that are wrong in different ways."""
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "broken.cnn").write_bytes(b"SQLite format 3\0 and then nothing")
    (tmp_path / "broken.npz").write_bytes(b"PK\3\4 not an archive")
    mistaken = load_template(resource_path("templates"), "digits").network.remove("flatten1")
    (tmp_path / "mistaken.json").write_text(json.dumps(mistaken.to_json()))
    np.savez(tmp_path / "many.npz", images=np.zeros((120, 8, 8), np.uint8), labels=np.arange(120) % 12)
    np.savez(tmp_path / "ones.npz", images=np.zeros((100, 8, 8), np.uint8), labels=np.arange(100) % 10 + 1)
    return tmp_path


@pytest.mark.parametrize(("arguments", "code", "says"), [
    (["train", "lenet6"], 3, "Use lenet5."),
    (["train", "{}/missing.cnn"], 3, "missing.cnn is not there"),
    (["train", "{}/missing.json"], 3, "cannot be read"),
    (["train", "{}/broken.json"], 5, "not a network in JSON"),
    (["train", "{}/broken.cnn"], 3, "broken.cnn"),
    (["train", "{}/mistaken.json", "--data", "digits8x8"], 5, "dense1 (layer 6): a fully connected layer needs a vector"),
    (["train", "digits", "--data", "nonsense"], 3, "There is no data set 'nonsense'"),
    (["train", "digits", "--data", "{}/broken.npz"], 3, "broken.npz"),
    (["train", "digits", "--data", "{}/many.npz"], 4, "12 classes, but the network has 10 outputs"),
    (["train", "digits", "--data", "{}/ones.npz"], 4, "1"),
    (["train", "lenet5", "--data", "digits8x8"], 4, "takes 28×28×1, but the images of digits8x8 are 8×8×1"),
    (["train", "digits", "--lr", "-1"], 2, "Learning rate must be greater than 0; it is -1.0."),
    (["train", "digits", "--lr", "1e30", "--optimizer", "sgd", "--epochs", "3"], 1, "no longer a finite number"),
    (["train", "digits", "--out", "{}/no/such/folder.cnn"], 3, "its folder does not exist"),
    (["train", "digits", "--out", "{}"], 3, "it is a folder"),
    (["evaluate", "digits"], 3, "no trained weights"),
    (["trian", "digits"], 2, "Use train."),
    (["{}/missing.cnn"], 3, "missing.cnn is not there"),
])
def test_what_is_wrong_is_said_in_one_line_with_an_exit_code(
        arguments: list[str], code: int, says: str, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([argument.replace("{}", str(files)) for argument in arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == "" or arguments[:2] == ["train", "digits"]
    assert says in printed.err and len(printed.err.strip().splitlines()) == 1
    assert "Traceback" not in printed.err


def test_ctrl_c_ends_after_a_batch_saves_and_returns_130(tmp_path: Path) -> None:
    path = tmp_path / "broken_off.cnn"
    command = [sys.executable, "-m", "cnnstudio", "train", "digits", "--epochs", "100000", "--json", "--out", str(path)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        for _ in range(3):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130 and "Traceback" not in said and "saved" in said and "interrupted" in said
    project = open_project(path)
    assert project.checkpoint is not None and project.checkpoint.step >= 135
    assert project.history.steps.tolist() == list(range(1, project.checkpoint.step + 1))


def test_a_second_interruption_breaks_off_at_once_and_the_handler_is_given_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interruptions() as caught:
        signal.raise_signal(signal.SIGINT)
        assert caught == [signal.SIGINT]
        with pytest.raises(AtOnce):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_weights_that_cannot_be_finite_are_saved_as_they_last_were(tmp_path: Path) -> None:
    path = tmp_path / "diverged.cnn"
    options = ["--lr", "1e30", "--optimizer", "sgd", "--epochs", "3"]
    assert main(["train", "digits", "--json", "--out", str(path), *options]) == 1
    saved = open_project(path).checkpoint
    assert saved is not None and np.isfinite(saved.parameters).all()


def test_a_project_keeps_the_runs_and_how_its_data_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digits = open_dataset("digits8x8", bundled=resource_path("datasets"))
    rows = digits.train.images.reshape(len(digits.train), -1)
    np.savez(tmp_path / "odd.npz", images=rows, labels=digits.train.labels * 10)
    first, second = tmp_path / "first.cnn", tmp_path / "second.cnn"
    reading = ["--labels", "renumber", "--shape", "8x8"]
    assert main(["train", "digits", "--data", str(tmp_path / "odd.npz"), *reading, "--epochs", "2", "--json",
                 "--out", str(first)]) == 0
    assert main(["train", str(first), "--epochs", "1", "--json", "--out", str(second)]) == 0
    project = open_project(second)
    assert [(run.name, run.changes, len(run.history)) for run in project.runs] == [("Run 1", ((72, {"epochs": 1}),), 108)]
    assert project.history.steps.tolist() == list(range(1, 109)) and [e.epoch for e in project.history.epochs] == [1, 2, 3]
    assert project.graph["data"]["reading"]["labels"] == "renumber"
    assert project.runs[0].settings["epochs"] == 2 and project.run == 1


@pytest.mark.parametrize("option", [["--seed", "8"], ["--loss", "squared_error"]])
def test_a_trained_project_refuses_another_seed_or_loss(
        option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "trained.cnn"
    assert main(["train", "digits", "--epochs", "1", "--json", "--out", str(path)]) == 0
    capsys.readouterr()
    assert main(["train", str(path), *option]) == 2
    assert f"Leave out {option[0]}" in capsys.readouterr().err


def test_a_network_changed_after_its_training_begins_anew_and_says_so(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, again = tmp_path / "trained.cnn", tmp_path / "again.cnn"
    assert main(["train", "digits", "--epochs", "1", "--json", "--out", str(path)]) == 0
    project = open_project(path)
    graph = Graph.from_json(project.graph)
    edited = graph.with_node(Node("dense1", Dense(20)))
    save_project(path, dataclasses.replace(project, graph=edited.to_json()))
    capsys.readouterr()
    assert main(["train", str(path), "--epochs", "1", "--json", "--out", str(again)]) == 0
    assert "begins with new weights" in capsys.readouterr().err
    saved = open_project(again)
    assert saved.checkpoint is not None and saved.checkpoint.step == 45 and len(saved.history) == 45
    assert [len(run.history) for run in saved.runs] == [45, 45] and saved.run == 2


@pytest.mark.parametrize("option", ["--cells", "--images"])
def test_a_check_of_nothing_is_a_usage_error(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["check", "digits", option, "0"])
    assert caught.value.code == 2 and "at least 1" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["train", "evaluate", "check"])
def test_help_lists_the_exit_codes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([name, "--help"])
    printed = capsys.readouterr().out
    assert all(f"  {code} " in printed for code in (0, 1, 2, 3, 4, 5, 130))


def test_an_option_that_does_not_exist_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train", "digits", "--optimizer", "sgdd"])
    assert caught.value.code == 2
    assert "sgdd" in capsys.readouterr().err


def test_training_needs_no_qt() -> None:
    program = ("import sys; sys.modules['PySide6'] = None; from cnnstudio.cli import main; "
               "sys.exit(main(['train', 'digits', '--epochs', '1', '--json']))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=CHECKOUT, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["epoch"] == 1


def test_the_window_and_the_command_line_train_the_same_weights(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "digits.cnn"
    assert main(["train", "digits", "--epochs", "1", "--seed", "7", "--json", "--out", str(path)]) == 0
    by_command = open_project(path).checkpoint
    template = load_template(resource_path("templates"), "digits")
    settings = TrainSettings.from_json(template.training).replace(epochs=1, seed=7)
    controller = Controller()
    controller.load(template.network, open_dataset("digits8x8", bundled=resource_path("datasets")), settings)
    with qtbot.waitSignal(controller.epoch_done, timeout=60_000):
        controller.run()
    with qtbot.waitSignal(controller.checkpoint_taken, timeout=60_000) as taken:
        controller.request_checkpoint()
    controller.close()
    assert by_command is not None and taken.args is not None
    assert np.array_equal(taken.args[0].parameters, by_command.parameters)
