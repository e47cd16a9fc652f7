"""cnnstudio.display: libraries that Qt needs, and screens that answer or do not."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cnnstudio import display

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a screen")


def test_a_missing_library_is_found_out() -> None:
    assert display.missing_libraries(["libc.so.6", "libnever-heard-of.so.9"]) == ["libnever-heard-of.so.9"]


def test_the_platform_decides_which_libraries_are_needed() -> None:
    x11 = display.needed_libraries({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"})
    wayland = display.needed_libraries({"WAYLAND_DISPLAY": "wayland-0"})
    offscreen = display.needed_libraries({"DISPLAY": ":0", "QT_QPA_PLATFORM": "offscreen"})
    assert x11["libxcb-cursor.so.0"] == "libxcb-cursor0"
    assert wayland["libwayland-client.so.0"] == "libwayland-client0"
    assert set(wayland) & set(x11) == set(offscreen) == set(display.QT_LIBRARIES)
    assert display.needed_libraries({"QT_QPA_PLATFORM": "xcb:nograb"}) == x11


def test_no_screen_is_one_line_with_the_way_out() -> None:
    message = display.no_screen_message({})
    assert message == (
        "No screen: neither DISPLAY nor WAYLAND_DISPLAY is set. "
        "`python3 run.py demo --out DIR` draws the program as pictures without one."
    )


def test_a_platform_chosen_by_the_user_is_left_alone() -> None:
    assert display.no_screen_message({"QT_QPA_PLATFORM": "vnc"}) is None


def test_a_wayland_screen_counts_while_it_answers(tmp_path: Path) -> None:
    environ = {"WAYLAND_DISPLAY": "w", "XDG_RUNTIME_DIR": str(tmp_path)}
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "w"))
        server.listen()
        assert display.no_screen_message(environ) is None
        assert display.no_screen_message({"WAYLAND_DISPLAY": str(tmp_path / "w")}) is None
    assert "WAYLAND_DISPLAY=w cannot be reached" in display.no_screen_message(environ)


@contextmanager
def x_server(reply: bytes) -> Iterator[dict[str, str]]:
    """An X server that greets one client with `reply`; the environment variables that lead to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(reply)

        thread = threading.Thread(target=greet)
        thread.start()
        # Display N of a host is its port 6000 + N.
        yield {"DISPLAY": f"127.0.0.1:{server.getsockname()[1] - 6000}"}
        thread.join()


# The greeting of the X11 protocol: accepted or not, version 11.0, length of the rest in words of four bytes.
WELCOME = struct.pack("<BxHHH", 1, 11, 0, 8) + struct.pack("<4L2H8B4x", 0, 0, 0xFFFFF, 0, 0, 65535, *[0] * 8)
REFUSED = struct.pack("<BBHHH", 0, 4, 11, 0, 1) + b"no! "


@pytest.mark.skipif(bool(display.missing_libraries(["libxcb.so.1"])), reason="asked through libxcb")
def test_an_x11_screen_counts_if_it_lets_us_in() -> None:
    with x_server(WELCOME) as environ:
        assert display.no_screen_message(environ) is None
    with x_server(REFUSED) as environ:
        assert f"DISPLAY={environ['DISPLAY']} cannot be reached" in display.no_screen_message(environ)
    assert "cannot be reached" in display.no_screen_message(environ), "the server is gone"


def test_where_wayland_is_dead_x11_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_x11_answers", lambda name: name == ":0")
    assert display.no_screen_message({"WAYLAND_DISPLAY": str(tmp_path / "w"), "DISPLAY": ":0"}) is None


def test_without_libxcb_the_missing_library_is_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(display.ctypes, "CDLL", no_library)
    assert display.no_screen_message({"DISPLAY": ":0"}) is None
    assert "libxcb.so.1" in display.missing_libraries(display.needed_libraries({"DISPLAY": ":0"}))
