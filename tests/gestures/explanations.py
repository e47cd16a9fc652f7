"""A picture of every kind of explanation, in light and dark, in English and Chinese, and of the whole window at three sizes.

    python -m tests.gestures.explanations --out DIR [--only WORDS] [--looks light-en,dark-zh_CN]

Each picture shows the whole explanation, however far one would have to scroll. `NAME_light-en.png` is named after its kind.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cnnstudio.display import no_screen_message

if TYPE_CHECKING:
    from PySide6.QtGui import QPixmap

    from cnnstudio.app import Program
    from cnnstudio.panels.explain.body import Body

LOOKS = ("light-en", "dark-en", "light-zh_CN", "dark-zh_CN")
WINDOWS = {"1280x720": (1280, 720), "1920x1080": (1920, 1080)}
PATIENCE = 60.0


@dataclass(frozen=True)
class Shot:
    """One kind of explanation: a cell of a world; `walk` is the position of the step mode at a grain, if it is to be on."""

    name: str
    array: str
    index: tuple[int, ...] = ()
    probe: str = "sample"
    checked: bool = False
    """Whether the finite difference has been asked for."""
    source: str = "numpy"
    apart: bool = False
    """Whether a delta at the end is shown in two steps."""


EVERY_LAYER = (
    Shot("input", "input.y", (0, 3, 4)),
    Shot("conv", "conv1.y", (1, 3, 4)),
    Shot("conv-groups", "conv2.y", (2, 1, 3), source="pytorch"),
    Shot("conv-padding", "conv1.y", (0, 0, 0), source="loop"),
    Shot("batch-norm-sample", "batch_norm1.y", (1, 3, 4)),
    Shot("batch-norm-batch", "batch_norm1.y", (2, 1, 3, 4), "batch"),
    Shot("relu", "relu1.y", (1, 3, 4)),
    Shot("max-pool", "max_pool1.y", (1, 1, 2)),
    Shot("leaky-relu", "leaky_relu1.y", (0, 1, 1)),
    Shot("avg-pool", "avg_pool1.y", (1, 0, 1)),
    Shot("elu", "elu1.y", (1, 0, 1)),
    Shot("dropout-sample", "dropout1.y", (1, 0, 1)),
    Shot("dropout-batch", "dropout1.y", (0, 1, 0, 1), "batch"),
    Shot("gelu", "gelu1.y", (0, 1, 1)),
    Shot("flatten", "flatten1.y", (5,)),
    Shot("dense", "dense1.y", (4,)),
    Shot("sigmoid", "sigmoid1.y", (4,)),
    Shot("tanh", "tanh1.y", (2,)),
    Shot("softmax", "softmax1.y", (3,)),
    Shot("loss", "loss"),
    Shot("loss-batch", "loss", (), "batch"),
    Shot("losses", "losses", (3,), "batch"),
    Shot("penalty", "penalty", (), "batch"),
    Shot("gradient-norm", "gradient_norm", (), "batch"),
    Shot("delta-of-logits", "dense3.dy", (3,), checked=True),
    Shot("delta-of-logits-in-two-steps", "dense3.dy", (3,), apart=True),
    Shot("delta-of-logits-batch", "dense3.dy", (1, 3), "batch"),
    Shot("delta-of-probability", "softmax1.dy", (3,)),
    Shot("delta-through-dense", "sigmoid1.dy", (4,)),
    Shot("delta-through-tanh", "dense2.dy", (2,)),
    Shot("delta-through-sigmoid", "dense1.dy", (4,)),
    Shot("delta-through-flatten", "conv3.dy", (1, 1, 0)),
    Shot("delta-through-conv", "gelu1.dy", (1, 1, 1), checked=True),
    Shot("delta-through-gelu", "dropout1.dy", (1, 1, 1)),
    Shot("delta-through-dropout-batch", "elu1.dy", (0, 1, 0, 1), "batch"),
    Shot("delta-through-elu", "avg_pool1.dy", (1, 0, 1)),
    Shot("delta-through-avg-pool", "leaky_relu1.dy", (1, 1, 1)),
    Shot("delta-through-leaky-relu", "conv2.dy", (1, 1, 1)),
    Shot("delta-through-strided-conv", "max_pool1.dy", (1, 2, 3)),
    Shot("delta-through-max-pool", "relu1.dy", (1, 3, 4)),
    Shot("delta-through-relu", "batch_norm1.dy", (1, 3, 4)),
    Shot("delta-through-batch-norm-sample", "conv1.dy", (1, 3, 4)),
    Shot("delta-through-batch-norm-batch", "conv1.dy", (2, 1, 3, 4), "batch", checked=True),
    Shot("delta-of-the-image", "dimage", (0, 4, 4)),
    Shot("kernel", "conv1.W", (1, 0, 0, 2)),
    Shot("bias", "conv1.b", (1,)),
    Shot("dense-weight", "dense1.W", (2, 5)),
    Shot("kernel-gradient", "conv1.dW", (1, 0, 0, 2), checked=True),
    Shot("kernel-gradient-batch", "conv1.dW", (1, 0, 0, 2), "batch", checked=True),
    Shot("bias-gradient", "conv1.db", (1,)),
    Shot("dense-gradient", "dense1.dW", (2, 5)),
    Shot("dense-gradient-batch", "dense1.dW", (2, 5), "batch"),
    Shot("gamma-gradient-batch", "batch_norm1.dgamma", (1,), "batch"),
    Shot("update-adam", "conv1.W_after", (1, 0, 0, 2), "batch"),
    Shot("update-of-bias-adam", "dense1.b_after", (2,), "batch"),
    Shot("slot-mean", "conv1.W_mean_after", (1, 0, 0, 2), "batch"),
    Shot("slot-square", "conv1.W_square_after", (1, 0, 0, 2), "batch"),
    Shot("pixel", "image", (0, 3, 4)),
    Shot("target", "target", (3,)),
    Shot("mask", "dropout1.mask", (0, 1, 0, 1), "batch"),
    Shot("running-mean", "batch_norm1.mean", (1,)),
)
GLOBAL = (
    Shot("global-pool", "global_avg_pool1.y", (3,)),
    Shot("delta-through-global-pool", "relu1.dy", (3, 1, 1)),
    Shot("update-momentum", "conv1.W_after", (0, 0, 1, 1), "batch"),
    Shot("slot-velocity", "conv1.W_velocity_after", (0, 0, 1, 1), "batch"),
)
COLOURS = (
    Shot("image-pca", "input.y", (7,)),
    Shot("update-nesterov", "dense1.W_after", (1, 3), "batch"),
)
SQUARED = (
    Shot("loss-squared", "loss"),
    Shot("delta-squared", "dense1.dy", (0,), checked=True),
    Shot("delta-of-sigmoid-output", "sigmoid1.dy", (0,)),
    Shot("update-sgd", "conv1.W_after", (0, 0, 0, 1), "batch"),
)
EXAMPLES = {
    "conv_two_filters": (Shot("example-two-filters", "conv1.y", (0, 0, 0)),),
    "conv_volume": (Shot("example-volume", "conv1.y", (0, 0, 0)),),
    "max_pooling": (Shot("example-pooling", "max_pool1.y", (0, 0, 0)),),
    "padding": (Shot("example-padding", "max_pool1.y", (0, 2, 2)),),
    "step_softmax": (Shot("example-softmax-delta", "max_pool1.dy", (0, 0, 0, 0), "batch"),
                     Shot("example-kernel-gradient", "conv1.dW", (0, 0, 0, 0), "batch"),
                     Shot("example-input-delta", "input.dy", (0, 0, 1, 1), "batch")),
    "step_sigmoid": SQUARED,
}


class Photographer:
    """Opens the worlds one after the other in the real window and leaves the pictures in a folder."""

    def __init__(self, out: Path, looks: Sequence[str], only: Sequence[str]) -> None:
        from PySide6.QtCore import QSettings

        self._out, self._looks, self._only = out, looks, only
        # Neither the settings of the user are read nor changed.
        self._settings_folder = tempfile.TemporaryDirectory(prefix="cnnstudio-explanations-")
        for form in (QSettings.Format.IniFormat, QSettings.Format.NativeFormat):
            QSettings.setPath(form, QSettings.Scope.UserScope, self._settings_folder.name)
        self._program: Program | None = None
        self.count = 0

    @property
    def program(self) -> Program:
        """The running program."""
        assert self._program is not None
        return self._program

    def work(self) -> None:
        """Take all pictures."""
        from cnnstudio.app import Program, make_application
        from cnnstudio.examples import load_examples
        from cnnstudio.resources import resource_path

        app = make_application(sys.argv[:1])
        self._program = Program(app)
        self.program.window.resize(1600, 1000)
        self.program.window.show()
        try:
            for network, shots in _networks():
                if self._wanted(shots):
                    self.program.studio.begin(network)
                    self._after_one_batch()
                    self._all_looks(shots)
            for example in load_examples(resource_path("examples")):
                shots = EXAMPLES[example.name]
                if self._wanted((*shots, *_walks(example.name))):
                    self.program.studio.begin_example(example)
                    self._after_one_batch()
                    self._all_looks(self._wanted(shots), example.name)
        finally:
            self.program.window.discard()
            self.program.close()
            self._settings_folder.cleanup()

    def _wanted(self, shots: Sequence[Shot]) -> list[Shot]:
        return [shot for shot in shots if not self._only or any(word in shot.name for word in self._only)]

    def _after_one_batch(self) -> None:
        from cnnstudio.session.messages import RunPhase

        controller, spec = self.program.studio.controller, self.program.studio.document.spec
        self._until(lambda: self.program.studio.obstacle is None and controller.snapshot is not None
                    and controller.snapshot.spec == spec and controller.state.step == 0)  # fmt: skip
        controller.step_batch()
        self._until(lambda: controller.state.step == 1 and controller.state.phase != RunPhase.RUNNING)

    def _all_looks(self, shots: Sequence[Shot], world: str = "") -> None:
        for look in self._looks:
            theme, _, language = look.partition("-")
            self.program.use_language(language)
            self.program.use_theme(theme == "dark")
            self.program.window.resize(1600, 1000)
            for shot in self._wanted(shots):
                self._explain(shot)
                self._save(self._whole_explanation(), f"{shot.name}_{look}")
            for shot in self._wanted(_walks(world)):
                self._walk(shot)
                for name, size in WINDOWS.items():
                    self.program.window.resize(*size)
                    self._settle(300)
                    self._save(self.program.window.grab(), f"{shot.name}-{name}_{look}")
                self.program.window.resize(1600, 1000)
                self.program.window.walker.end()

    def _explain(self, shot: Shot) -> None:
        from cnnstudio.selection import CellRef
        from engine import term as terms

        studio, panel = self.program.studio, self.program.window.explain
        studio.selection.select_cell(CellRef(shot.array, shot.index, 1, shot.probe))
        wanted = terms.CellRef(shot.array, shot.index)

        def there() -> bool:
            found = panel.subject
            return (found is not None and found.ref == wanted and found.snapshot.probe == shot.probe
                    and found.snapshot.loss is not None)  # fmt: skip

        self._until(there, shot.name)
        panel.code.choose(shot.source)
        self._body().steps.setCurrentIndex(int(shot.apart))
        if shot.checked:
            panel.check.button.click()
            self._until(lambda: panel.check.button.isEnabled() and bool(panel.check.answer.text()), shot.name)
        self._until(lambda: panel.formula.finished, shot.name)
        self._settle(120)

    def _walk(self, shot: Shot) -> None:
        """Step mode at the shot's cell, by term."""
        window = self.program.window
        window.actions_.walk.trigger()
        self._until(lambda: window.walker.walk is not None, shot.name)
        walk = window.walker.walk
        assert walk is not None
        window.walk_bar.choose_grain("term")
        refs = (walk.stop("term", k).ref for k in range(walk.length("term")))
        window.walker.go(next(k for k, ref in enumerate(refs) if (ref.array, ref.index) == (shot.array, shot.index)) + 1)
        self._settle(400)

    def _body(self) -> Body:
        from cnnstudio.panels.explain.body import Body

        body = self.program.window.explain.findChild(Body)
        assert isinstance(body, Body)
        return body

    def _whole_explanation(self) -> QPixmap:
        """Head and body below each other, as long as they are."""
        from PySide6.QtGui import QPainter, QPixmap

        from cnnstudio.theme import current_theme

        panel, inside = self.program.window.explain, self._body().widget()
        assert inside is not None
        parts = [panel.head.grab(), inside.grab()]
        scale = parts[0].devicePixelRatio()
        whole = QPixmap(max(p.width() for p in parts), sum(p.height() for p in parts))
        whole.setDevicePixelRatio(scale)
        whole.fill(current_theme().color("surface"))
        painter, y = QPainter(whole), 0.0
        for part in parts:
            painter.drawPixmap(0, round(y), part)
            y += part.height() / scale
        painter.end()
        return whole

    def _save(self, picture: QPixmap, name: str) -> None:
        if not picture.save(str(self._out / f"{name}.png")):
            raise OSError(f"{name}.png could not be written")
        self.count += 1

    def _until(self, condition: Callable[[], bool], what: str = "the network") -> None:
        deadline = time.perf_counter() + PATIENCE
        while not condition():
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{what} did not come; the panel says: {self.program.window.explain.hint_text}")
            self._settle(15)

    def _settle(self, milliseconds: int) -> None:
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()


def _walks(world: str) -> tuple[Shot, ...]:
    """Where the step mode is photographed in a world."""
    if world != "step_softmax":
        return ()
    return (Shot("walk-forward", "conv1.y", (0, 1, 0, 1), "batch"), Shot("walk-backward", "input.dy", (0, 0, 1, 1), "batch"),
            Shot("walk-gradient", "conv1.dW", (0, 0, 0, 0), "batch"), Shot("walk-update", "conv1.W_after", (0, 0, 0, 0), "batch"))


def _networks() -> list[tuple]:
    """Worlds that have every kind of layer and optimizer."""
    from engine.layers.activation import ELU, GELU, LeakyReLU, ReLU, Sigmoid, Tanh
    from engine.layers.batchnorm import BatchNorm
    from engine.layers.conv import Conv2D
    from engine.layers.dense import Dense, Flatten
    from engine.layers.dropout import Dropout
    from engine.layers.input import Input
    from engine.layers.pool import AvgPool2D, GlobalAvgPool, MaxPool2D
    from engine.layers.softmax import Softmax
    from engine.optimizers import Adam, Momentum, Nesterov
    from engine.settings import TrainSettings
    from engine.spec import NetworkSpec
    from engine.templates import Template

    odd = Conv2D(4, (3, 2), stride=(2, 1), padding=(1, 0, 2, 1), dilation=(1, 2), groups=2)
    every = [Input(1, 8, 8, normalise="deviation"), Conv2D(4, (3, 3), padding=1), BatchNorm(), ReLU(),
             MaxPool2D((2, 2), (1, 1), (1, 0, 0, 1)), odd, LeakyReLU(), AvgPool2D((2, 2), (1, 1), (0, 1, 0, 1)), ELU(),
             Dropout(rate=0.3), GELU(), Conv2D(3, (2, 2)), Flatten(), Dense(9), Sigmoid(), Dense(7, bias=False), Tanh(),
             Dense(10), Softmax()]
    overall = [Input(1, 8, 8), Conv2D(10, (3, 3)), ReLU(), GlobalAvgPool(), Softmax()]
    projected = [Input(1, 8, 8, projection="pca", components=12), Dense(10), Softmax()]

    def world(name: str, layers: list, settings: TrainSettings) -> Template:
        return Template(name, name, "", NetworkSpec.of(layers), settings.to_json(), "digits8x8", 0)

    adam = TrainSettings(batch_size=6, optimizer=Adam(), l2=0.01, l1=0.001, clip_norm=0.5, learning_rate=0.02)
    momentum = TrainSettings(batch_size=6, optimizer=Momentum(), learning_rate=0.05)
    nesterov = TrainSettings(batch_size=6, optimizer=Nesterov(), learning_rate=0.05)
    return [(world("every layer", every, adam), EVERY_LAYER), (world("global", overall, momentum), GLOBAL),
            (world("projected", projected, nesterov), COLOURS)]


def main(arguments: Sequence[str]) -> int:
    """Take the pictures."""
    parser = argparse.ArgumentParser(prog="explanations", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--only", default="", help="words, separated by commas, one of which a picture's name holds")
    parser.add_argument("--looks", default=",".join(LOOKS), help=f"some of {', '.join(LOOKS)}")
    options = parser.parse_args(arguments)
    if no_screen_message() is not None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    options.out.mkdir(parents=True, exist_ok=True)
    photographer = Photographer(options.out, options.looks.split(","), [word for word in options.only.split(",") if word])
    photographer.work()
    print(f"{photographer.count} pictures in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
