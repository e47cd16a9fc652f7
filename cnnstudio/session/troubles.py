"""Errors of the session itself."""

from __future__ import annotations

from engine.errors import EngineError, Fix, TrainingError

PROCESS_KILLED, PROCESS_LOST = "session.killed", "session.lost"
"""The codes of the errors that tell the end of the training process."""
PROCESS_REPLACED = "session.replaced"
"""The code of the news that it has ended at rest, and nothing with it."""
KILLED = 9
"""The number of the signal that a process cannot catch."""


def unexpected(error: Exception) -> EngineError:
    """What to say of an error that nobody expected; the log has its traceback."""
    if isinstance(error, MemoryError):
        return TrainingError("There is not enough memory.", code="session.memory",
                             fixes=(Fix("advice", "use smaller batches, fewer maps or smaller images"),))  # fmt: skip
    return TrainingError("Something went wrong inside the program ({kind}: {reason}). The log has the details.",
                         code="session.unexpected", kind=type(error).__name__, reason=str(error))  # fmt: skip


def process_lost(exit_code: int, *, resting: bool) -> EngineError:
    """What to say when the training process is gone; a negative exit code is the number of a signal.

    A process that was `resting` had nothing to do, and all that it knew is known here.
    """
    if exit_code == -KILLED:
        smaller = Fix("advice", "use smaller batches, fewer maps or smaller images")
        text = ("The training process was ended from outside while it was at rest, as the system does when memory runs out. "
                "Nothing is lost, and another one takes its place." if resting else
                "The training process was ended from outside, as the system does when memory runs out. Training can go on from "
                "the last checkpoint, a few seconds back.")  # fmt: skip
        return TrainingError(text, code=PROCESS_REPLACED if resting else PROCESS_KILLED, fixes=(smaller,))
    text = ("The training process has ended unexpectedly while it was at rest (exit code {exit_code}). Nothing is lost, and "
            "another one takes its place. Where it broke off is in the log (Help, Open log)." if resting else
            "The training process has ended unexpectedly (exit code {exit_code}). Training can go on from the last checkpoint, a "
            "few seconds back. Where it broke off is in the log (Help, Open log).")  # fmt: skip
    return TrainingError(text, code=PROCESS_REPLACED if resting else PROCESS_LOST, exit_code=exit_code)


def weights_lost(error: EngineError) -> EngineError:
    """What to say when the same batch breaks off again: no rate helps where the forward pass overflows."""
    return TrainingError("the weights have grown so large that their results are no longer finite numbers, whatever the rate.",
                         code="session.weights_lost", layer=error.layer, position=error.position,
                         fixes=(Fix("advice", "reset the weights and train with a lower learning rate"),))  # fmt: skip
