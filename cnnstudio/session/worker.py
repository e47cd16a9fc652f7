"""The worker: owns the trainer, obeys messages, and looks at them after every batch, layer or part of an evaluation."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Generator, Iterable

import numpy as np

from cnnstudio.session.answers import averaging, evaluation
from cnnstudio.session.frames import Frames
from cnnstudio.session.loading import begin, phase_of
from cnnstudio.session.mailbox import Answers
from cnnstudio.session.messages import (
    AverageClass,
    BatchProbed,
    Change,
    ChangeLayers,
    CheckpointTaken,
    ClassAveraged,
    Evaluate,
    Evaluated,
    Failed,
    FrameTaken,
    Load,
    Loaded,
    Message,
    Pause,
    ProbeBatch,
    Quit,
    Report,
    Reset,
    Run,
    RunPhase,
    RunStarted,
    RunState,
    SetProbe,
    SettingsTaken,
    SetWeights,
    StepBatch,
    StepLayer,
    Stop,
    TakeCheckpoint,
    WeightsReset,
    WeightsSet,
)
from cnnstudio.session.questions import Questions
from cnnstudio.session.recorder import Recorder
from cnnstudio.session.speed import Speed
from cnnstudio.session.troubles import unexpected, weights_lost
from engine.errors import EngineError, Fix, TrainingError
from engine.history import RunHistory
from engine.layer import Array
from engine.slices import CORES, allow_cores
from engine.snapshot import Snapshot, batch_snapshot
from engine.trainer import BatchDone, EpochDone, Event, Finished, GradientDone, LayerDone, Trainer

_log = logging.getLogger("cnnstudio")

MUCH_WORK = 200_000_000
"""Multiply-accumulates of a batch from which on the last core speeds training up more than the window slows it down there."""
BEGINS_A_RUN = (RunPhase.READY, RunPhase.STOPPED, RunPhase.FINISHED)


class Worker(threading.Thread):
    """Trains until told otherwise. Nothing of it may be touched by another thread but `send` and `join`.

    Whatever goes wrong is reported as `Failed`, and the worker goes on listening. Started as a thread it serves its own process;
    the training process calls `run` in its main thread.
    """

    def __init__(self, mailbox: Answers) -> None:
        # A daemon, so that a program that dies without closing its session does not hang.
        super().__init__(name="training", daemon=True)
        self._mailbox = mailbox
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._handled = 0
        self._trainer: Trainer | None = None
        self._phase = RunPhase.EMPTY
        self._reason = ""
        self._events: Generator[Event, None, None] | None = None
        self._grain = "batch"
        self._trained = False
        """Whether a batch has ended since the last wish to train."""
        self._goal = "end"
        self._questions = Questions()
        self._frames = Frames()
        self._recorder = Recorder(mailbox.post)
        self._speed = Speed()
        self._broke_off_at = -1

    def send(self, message: Message) -> None:
        """Put a message behind the others; that a frame was taken is noted at once, since its wait begins now and not after the
        batch in hand.
        """
        if isinstance(message, FrameTaken):
            self._frames.taken(message.wait, message.request, message.drawing)
        else:
            self._messages.put(message)

    @np.errstate(all="ignore")  # numbers that are not finite are found and named; NumPy need not print them as well
    def run(self) -> None:
        """Handle messages, and train in between."""
        while True:
            message = self._next_message()
            if isinstance(message, Quit):
                self._leave()
                self._trainer = None
                return
            self._attempt(message)

    def _next_message(self) -> Message | None:
        """The next message; None when there is none and something else to do."""
        busy = self._phase == RunPhase.RUNNING or self._questions or self._recorder.owes_diagnosis
        if busy and self._messages.empty():  # asked first: an exception at every batch would be felt
            return None
        return self._messages.get()

    def _attempt(self, message: Message | None) -> None:
        """Handle a message or train on; then say where things stand if somebody may want to know, the state last of all."""
        if message is not None:
            self._safely(lambda: self._handle(message), ends_run=False)
            self._handled += 1
        else:
            self._safely(self._advance, ends_run=True)
        if self._frames.request is not None:
            self._safely(self._make_frame, ends_run=True)
        if self._phase != RunPhase.RUNNING or self._mailbox.awaits_state(self._handled):
            self._post_state()

    def _safely(self, work: Callable[[], None], *, ends_run: bool) -> None:
        try:
            work()
        except EngineError as error:
            self._fail(error, ends_run)
        except Exception as error:
            _log.exception("unexpected error in the training thread")
            self._fail(unexpected(error), ends_run)

    # --- messages ---

    def _handle(self, message: Message) -> None:
        match message:
            case Load():
                self._load(message)
            case Run():
                self._go("end", "batch")
            case StepBatch():
                self._go("batch", self._grain)
            case StepLayer():
                self._go("layer", "layer")
            case Pause():
                if self._phase == RunPhase.RUNNING:
                    self._rest(RunPhase.PAUSED)
                    self._recorder.owes_diagnosis = True  # behind the frame, and whatever else was asked for meanwhile
            case Stop():
                if self._phase in (RunPhase.RUNNING, RunPhase.PAUSED, RunPhase.FAILED):
                    self._leave_batch()
                    self._rest(RunPhase.STOPPED)
            case Reset():
                trainer = self._needed()
                self._leave()
                trainer.reset(message.seed)
                self._broke_off_at = -1
                self._frames.begin(trainer)
                self._rest(RunPhase.READY)
                self._mailbox.post(WeightsReset(message.seed))
                self._recorder.begin(trainer, self._frames.drawn_weights)
            case Change():
                trainer = self._needed()
                trainer.change(message.settings)
                self._mailbox.post(SettingsTaken(trainer.step, trainer.settings))
            case ChangeLayers():
                self._needed().change_layers(message.spec)
                self._frames.renew()
            case SetProbe():
                self._frames.ask(message.request)
            case TakeCheckpoint():
                self._take_checkpoint(message)
            case SetWeights():
                self._set_weights(message.name, message.array)
            case Evaluate():
                self._tell_all(self._questions.ask(evaluation(self._needed(), message.split), Evaluated(None, message.split)))
            case AverageClass():
                average = averaging(self._needed(), message.layer, message.label)
                self._tell_all(self._questions.ask(average, ClassAveraged(None)))
            case ProbeBatch():
                self._mailbox.post(BatchProbed(self._last_batch()))

    def _load(self, message: Load) -> None:
        self._leave()
        self._trainer, self._recorder.owes_diagnosis = None, False
        self._rest(RunPhase.EMPTY)
        self._mailbox.put_frame(None)  # what still lies there belongs to the network before
        trainer, kept, fresh = begin(message)
        self._trainer, self._speed, self._broke_off_at = trainer, Speed(), -1
        self._frames.begin(trainer)
        self._rest(phase_of(trainer), trainer.run_over)
        self._mailbox.post(Loaded(kept, fresh, message.history or RunHistory()))
        self._recorder.begin(trainer, self._frames.drawn_weights)

    def _go(self, goal: str, grain: str) -> None:
        """Train up to a goal: "end" of the run, or of the next "batch" or "layer"."""
        trainer = self._needed()
        if self._phase in BEGINS_A_RUN:
            self._leave_batch()
            trainer.begin_run()
            self._mailbox.post(RunStarted())
        if grain != self._grain:
            self._leave_batch()
        if self._events is None:
            self._events = trainer.run(grain="gradient" if grain == "batch" else grain)
        self._grain, self._goal, self._phase, self._reason = grain, goal, RunPhase.RUNNING, ""
        self._trained = self._recorder.owes_diagnosis = False
        self._frames.taken(0.0)
        self._speed.resume()

    def _take_checkpoint(self, message: TakeCheckpoint) -> None:
        checkpoint = None if self._trainer is None else self._trainer.checkpoint()
        if message.reply is not None:
            message.reply.put(checkpoint)
        else:
            self._mailbox.post(CheckpointTaken(message.token, checkpoint))

    def _last_batch(self) -> Snapshot | None:
        trainer = self._trainer
        return None if trainer is None or trainer.last_update is None else batch_snapshot(trainer)

    def _set_weights(self, name: str, array: Array) -> None:
        trainer = self._needed()
        if self._phase == RunPhase.RUNNING:
            raise TrainingError("Weights can be edited only while the training rests.", code="session.weights_running",
                                fixes=(Fix("advice", "pause first"),))  # fmt: skip
        named = trainer.network.parameters.named
        if name not in named:
            raise TrainingError("There is no parameter {name}.", code="session.no_parameter", name=name)
        if array.shape != named[name].shape or not np.isfinite(array).all():
            raise TrainingError("{name} takes {shape} finite numbers.", code="session.weights", name=name,
                                shape=" × ".join(map(str, named[name].shape)))  # fmt: skip
        self._leave_batch()
        self._drop_questions()
        named[name][...] = array
        self._broke_off_at = -1
        self._frames.renew()
        self._mailbox.post(WeightsSet(name))
        self._recorder.take_histograms(trainer, after_batch=False)

    # --- training ---

    def _advance(self) -> None:
        """One event further: a part of an answer that was asked for, otherwise of the run."""
        if self._questions:
            self._release_frame()
            try:
                answer = self._questions.advance()
            except BaseException:
                self._drop_questions()
                raise
            if answer is not None:
                self._mailbox.post(answer)
            self._speed.resume()
            return
        trainer = self._needed()
        if self._recorder.owes_diagnosis:
            self._recorder.take_histograms(trainer, after_batch=self._grain == "batch")
            self._recorder.diagnose(trainer)
            return
        assert self._events is not None
        allow_cores(self._cores(trainer))
        event = next(self._events)
        if isinstance(event, GradientDone):
            if self._frames.request is not None and self._release_frame():
                allow_cores(max(1, CORES - 1))  # the window draws now, and an update gains little from the last core
            event = next(self._events)
        match event:
            case BatchDone():
                self._speed.batch_done(event.images)
                self._mailbox.post(event)
                self._trained = True
                self._recorder.batch_done(trainer, stepping=self._goal != "end")
                # The last batch of an epoch is followed by its validation at once.
                if self._goal != "end" and event.batch < event.batches:
                    self._rest(RunPhase.PAUSED)
            case LayerDone():
                self._mailbox.post(event)
                if self._goal == "layer" and event.phase != "update":
                    self._rest(RunPhase.PAUSED)
            case EpochDone():
                self._speed.epoch_done()
                self._mailbox.post(event)
                # So that nobody has to ask for what is known.
                self._mailbox.post(Evaluated(trainer.validation, "validation"))
                self._recorder.epoch_done(trainer)
                self._speed.resume()
                # A pause behind the last batch has left only its validation: the step that was asked for is yet to come.
                if self._goal != "end" and self._trained and not trainer.run_over:
                    self._rest(RunPhase.PAUSED)
            case Finished():
                self._recorder.take_histograms(trainer)
                self._recorder.diagnose(trainer)
                self._leave_batch()
                self._rest(RunPhase.FINISHED, event.reason)

    def _cores(self, trainer: Trainer) -> int:
        """All of them, but one is left to the window while it draws and a batch is too little work to gain much from the last."""
        if not self._frames.drawing or trainer.network.macs * trainer.settings.batch_size >= MUCH_WORK:
            return CORES
        return max(1, CORES - 1)

    def _rest(self, phase: RunPhase, reason: str = "") -> None:
        """Stop training; the place in the batch is kept. The last frame is made however recent the one before is."""
        self._phase, self._reason, self._goal = phase, reason, "end"
        self._frames.renew()

    def _leave_batch(self) -> None:
        """Give up the place inside a batch; the batch will be computed again from its beginning."""
        if self._events is not None:
            self._events.close()
            self._events = None
        self._grain = "batch"

    def _leave(self) -> None:
        self._leave_batch()
        self._drop_questions()

    def _drop_questions(self) -> None:
        self._tell_all(self._questions.give_up())

    def _tell_all(self, reports: Iterable[Report]) -> None:
        for report in reports:
            self._mailbox.post(report)

    def _needed(self) -> Trainer:
        if self._trainer is None:
            raise TrainingError("There is no network that can be trained.", code="session.empty")
        return self._trainer

    def _fail(self, error: EngineError, ends_run: bool) -> None:
        if ends_run and self._phase == RunPhase.RUNNING and self._trainer is not None:
            self._leave_batch()
            self._rest(RunPhase.FAILED, "error")
            if error.code == "training.not_finite" and self._broke_off_at == self._trainer.step:
                error = weights_lost(error)
            self._broke_off_at = self._trainer.step
        self._mailbox.post(Failed(error))

    # --- what is looked at ---

    def _make_frame(self) -> None:
        """Make a frame, if one is due."""
        trainer, running = self._trainer, self._phase == RunPhase.RUNNING
        if trainer is None:
            return
        hold = running and self._goal == "end" and trainer.batch < trainer.batches and not self._questions
        if self._frames.due(running=running, hold=hold):
            frame = self._frames.make(trainer, running=running, hold=hold)
            if not hold:
                self._mailbox.put_frame(frame)

    def _release_frame(self) -> bool:
        """Hand over a frame that was held, if it is time; whether there was one."""
        frame = self._frames.release()
        if frame is not None:
            self._mailbox.put_frame(frame)
            self._post_state()
        return frame is not None

    def _post_state(self) -> None:
        self._mailbox.post_state(self._state(), handled=self._handled, busy=bool(self._questions))

    def _state(self) -> RunState:
        trainer = self._trainer
        if trainer is None:
            return RunState(self._phase)
        epochs, batches = trainer.settings.epochs, trainer.batches
        epoch = trainer.epoch - trainer.first_epoch
        to_come = max(epochs - epoch, 0)
        images = max(to_come * len(trainer.data.train) - trainer.batch * trainer.settings.batch_size, 0)
        return RunState(self._phase, trainer.step, epoch, trainer.batch, batches, epochs,
                        self._speed.images_per_second, self._speed.seconds_left(images, to_come),
                        trainer.settings.seed, self._reason)  # fmt: skip

