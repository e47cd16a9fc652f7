"""What a window needs from the machine: Qt's system libraries and a screen that answers.

Only the standard library is imported, so that run.py can ask before anything is installed.
"""

import ctypes
import os
import socket
import sys
from collections.abc import Iterable, Mapping

# Shared library -> its package in Debian and Ubuntu. The PySide6 wheel is linked with these and lacks
# them: first QtCore, QtGui, QtWidgets, QtDBus and QtSvg, then each platform plugin.
QT_LIBRARIES = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
}
X11_LIBRARIES = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
WAYLAND_LIBRARIES = {
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
}


def needed_libraries(environ: Mapping[str, str]) -> dict[str, str]:
    """Shared library -> Debian package of everything that Qt loads with these environment variables."""
    if not sys.platform.startswith("linux"):
        return {}  # on Windows and macOS the wheel is complete
    platform = environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    if not platform:
        platform = "xcb" if environ.get("DISPLAY") else "wayland" if environ.get("WAYLAND_DISPLAY") else ""
    of_platform = {"xcb": X11_LIBRARIES, "wayland": WAYLAND_LIBRARIES}.get(platform, {})
    return {**QT_LIBRARIES, **of_platform}


def missing_libraries(libraries: Iterable[str]) -> list[str]:
    """The libraries of a list that the system's loader does not find, in the order of the list."""
    return [library for library in libraries if not _loads(library)]


def no_screen_message(environ: Mapping[str, str] = os.environ) -> str | None:
    """One line that says why no window can open here and what works without one; None where a window can."""
    reason = _why_no_screen(environ)
    if reason is None:
        return None
    return f"No screen: {reason}. `python3 run.py demo --out DIR` draws the program as pictures without one."


def _why_no_screen(environ: Mapping[str, str]) -> str | None:
    if not sys.platform.startswith("linux") or environ.get("QT_QPA_PLATFORM"):
        return None
    x11, wayland = environ.get("DISPLAY"), environ.get("WAYLAND_DISPLAY")
    if not x11 and not wayland:
        return "neither DISPLAY nor WAYLAND_DISPLAY is set"
    if wayland and _wayland_answers(wayland, environ.get("XDG_RUNTIME_DIR", "")):
        return None
    if x11 and _x11_answers(x11):
        return None
    screen = f"DISPLAY={x11}" if x11 else f"WAYLAND_DISPLAY={wayland}"
    return f"{screen} cannot be reached"


def _wayland_answers(display: str, runtime_folder: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(os.path.join(runtime_folder, display))  # an absolute `display` stands alone
        except OSError:
            return False
    return True


def _x11_answers(display: str) -> bool:
    """Whether the X server lets us in; True also without libxcb, which then counts as a missing library."""
    # What Qt does to connect, with its rules for host names, sockets and authorisation.
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(os.fsencode(display), None))
    refused = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not refused


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
