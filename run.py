#!/usr/bin/env python3
"""Sets up and starts CNN Studio; needs Python 3.11 or later and nothing else.

    python3 run.py [PROJECT]         open the program
    python3 run.py demo --out DIR    draw the program at work into pictures
    python3 run.py train ...         train on the command line, as does every other command of `cnnstudio`
    python3 run.py test [...]        run the tests; arguments go to pytest
    python3 run.py bench [...]       run the measurements
    python3 run.py faults [...]      crash, fill the disk and damage files, and look what is lost

The first start makes the virtual environment .venv beside this file and installs the project into it. A later
one does so again when the required packages have changed, and begins anew where the first was interrupted.
"""

# The grammar of this file is that of Python 3.6, so that older versions get as far as this message.
import sys

if sys.version_info < (3, 11):
    sys.exit("CNN Studio needs Python 3.11 or later; this is Python {}.{}.".format(*sys.version_info))

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from cnnstudio import display

VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
# Holds the fingerprint of what is installed, or what is under way: after an interruption, an environment that
# was never complete is thrown away, one that was being updated is updated again.
STAMP = VENV / "cnnstudio-stamp"
CREATING = "creating"
UPDATING = "updating"
LOCK = ROOT / ".venv.lock"

WITHOUT_QT = ("train", "evaluate", "check", "templates", "datasets", "-h", "--help", "--version")
WITHOUT_SCREEN = ("test", "demo", "bench", "faults")


class StartError(Exception):
    """The start ends here, with one line to the user and an exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def main(arguments: list[str]) -> int:
    """Set up what the arguments need, then become the program that they ask for."""
    command = arguments[0] if arguments else ""
    try:
        prepare(command, environment(command, os.environ))
        environ = environment(command, os.environ)  # now with the library that can ask the screen
    except StartError as error:
        say(str(error))
        return error.code
    except OSError as error:
        say(f"CNN Studio cannot be set up: {error}.")
        return 1
    except KeyboardInterrupt:
        say("Interrupted. The next start goes on from here.")
        return 130
    if command in ("test", "bench", "faults"):
        os.chdir(ROOT)
    return become(command_line(arguments), environ)


def environment(command: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment variables for a command; StartError where it opens a window and there is no screen."""
    no_screen = None if command in WITHOUT_QT else display.no_screen_message(environ)
    if no_screen is None:
        return dict(environ)
    if command in WITHOUT_SCREEN:
        return {**environ, "QT_QPA_PLATFORM": "offscreen"}
    raise StartError(no_screen, code=2)


def command_line(arguments: list[str]) -> list[str]:
    """The command that runs inside the virtual environment."""
    if arguments[:1] == ["test"]:
        return [str(PYTHON), "-m", "pytest", *arguments[1:]]
    if arguments[:1] == ["bench"]:
        return [str(PYTHON), "-m", "tests.benchmarks", *arguments[1:]]
    if arguments[:1] == ["faults"]:
        return [str(PYTHON), "-m", "tests.faults", *arguments[1:]]
    # -P: a numpy.py in the user's current folder is not the NumPy that is meant.
    return [str(PYTHON), "-P", "-m", "cnnstudio", *arguments]


def become(command: list[str], environ: Mapping[str, str]) -> int:
    """Replace this process by a command; on Windows, which cannot, run it and return its exit code."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execve(command[0], command, environ)
    with subprocess.Popen(command, env=environ) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # the program has received it, too, and decides


def prepare(command: str, environ: Mapping[str, str]) -> None:
    """Install whatever the command still misses; immediate where nothing is missing."""
    if is_installed() and not missing_packages(command, environ):
        return
    with alone():
        # Another start may have done all of it while this one waited.
        missing = missing_packages(command, environ)
        if missing:
            install_system_packages(missing)
            importlib.invalidate_caches()
            still_missing = missing_packages(command, environ)
            if still_missing:
                raise StartError(f"Still missing: {', '.join(still_missing)}.")
        if not is_installed():
            install_project()


# --- the virtual environment -----------------------------------------------------------------------------


def is_installed() -> bool:
    """Whether the virtual environment holds what the project asks for now."""
    return PYTHON.exists() and read_stamp() == fingerprint()


def fingerprint() -> str:
    """A hash of what decides the installation: requirements, versions, Python, and the checkout's place."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    parts = [
        json.dumps([project["build-system"], project["project"]], sort_keys=True),
        (ROOT / "constraints.txt").read_text(encoding="utf-8"),
        os.path.realpath(PYTHON),  # another file after an update of the system's Python
        str(ROOT),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def read_stamp() -> str:
    """The text of the stamp; empty where there is none."""
    try:
        return STAMP.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def install_project() -> None:
    """Install the project with its exact versions; make the virtual environment first where it must be."""
    if VENV.exists() and read_stamp() != CREATING and venv_works():
        say("Bringing .venv up to date with the required packages.")
        STAMP.write_text(UPDATING, encoding="utf-8")
    else:
        create_venv()
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check"]
    if call([*pip, "--editable", ".[test]", "--constraint", "constraints.txt"]) != 0:
        raise StartError("The installation failed; the reason stands above. The next start tries again.")
    STAMP.write_text(fingerprint(), encoding="utf-8")
    say("CNN Studio is set up.")


def venv_works() -> bool:
    """Whether the virtual environment's Python runs, is new enough and has pip."""
    check = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    return PYTHON.exists() and call([str(PYTHON), "-c", check], quiet=True) == 0


def create_venv() -> None:
    """Make the virtual environment, also in place of one that was never completed or works no more."""
    if VENV.exists():
        if not read_stamp():
            raise StartError(f"{VENV} does not work and was not made by run.py: please move it away.")
        say("Making .venv anew.")
        shutil.rmtree(VENV)
    say("Setting up CNN Studio in .venv. This happens once and takes a few minutes.")
    VENV.mkdir()
    STAMP.write_text(CREATING, encoding="utf-8")
    if call([sys.executable, "-m", "venv", str(VENV)]) != 0:
        raise StartError("The virtual environment could not be made; the reason stands above.")


@contextmanager
def alone() -> Iterator[None]:
    """Only one process at a time sets up this checkout; the others wait here."""
    with open(LOCK, "w") as file:
        if not locked(file):
            say("Another start of CNN Studio is setting it up; waiting for it.")
            while not locked(file):
                time.sleep(0.2)
        yield  # the system unlocks a file that is closed, also when the process dies


def locked(file: IO[str]) -> bool:
    """Lock a file for this process; False where another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


# --- the system ------------------------------------------------------------------------------------------


def missing_packages(command: str, environ: Mapping[str, str]) -> dict[str, str]:
    """What the system lacks for a command: shared library or Python module -> its package in Debian."""
    needed = {} if command in WITHOUT_QT else display.needed_libraries(environ)
    missing = {name: needed[name] for name in display.missing_libraries(needed)}
    if not PYTHON.exists() and importlib.util.find_spec("ensurepip") is None:
        # Debian and Ubuntu keep this part of Python in a package of its own.
        missing["ensurepip"] = "python{}.{}-venv".format(*sys.version_info)
    return missing


def install_system_packages(missing: Mapping[str, str]) -> None:
    """Install packages of Debian or Ubuntu where this is allowed; otherwise name the exact command."""
    if shutil.which("apt-get") is None:
        raise StartError(f"Please install with your system's package manager: {', '.join(missing)}.")
    packages = list(missing.values())
    if os.geteuid() == 0:
        privileged = []
    elif shutil.which("sudo") and call(["sudo", "--non-interactive", "true"], quiet=True) == 0:
        privileged = ["sudo", "--non-interactive"]
    else:
        install = f"sudo apt-get update && sudo apt-get install --yes {' '.join(packages)}"
        raise StartError(f"CNN Studio needs system packages. Please run:  {install}")
    say(f"Installing system packages: {' '.join(packages)}")
    apt = [*privileged, "apt-get", "-o", "DPkg::Lock::Timeout=300"]
    call([*apt, "update"])  # where this fails, the lists at hand may still do
    if call([*apt, "install", "--yes", "--no-install-recommends", *packages]) != 0:
        raise StartError("apt-get did not succeed; the reason stands above.")


def call(command: list[str], *, quiet: bool = False) -> int:
    """Run a command in the checkout and return its exit code; what it prints goes to standard error."""
    # Standard output belongs to the program: `run.py train --json > file` holds nothing else.
    output = subprocess.DEVNULL if quiet else sys.stderr
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    return done.returncode


def say(line: str) -> None:
    """Tell the user one thing."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
