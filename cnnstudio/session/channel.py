"""Messages between two processes over a pair of sockets: frozen values, with the bytes of their arrays in one piece behind them.

On the wire a message is a head of three numbers, a pickle (protocol 5) without the bytes of its arrays, two numbers for each
array, and the arrays, each beginning at a multiple of 16 bytes. Whatever its size the receiver reads it with two calls, so that a
thread that receives seldom asks for the interpreter lock. Large arrays are views of one block, small ones copies: rows that are
kept for the history must not keep the block of a frame that came with them. Both are writable where they were.

Both ends are this program; nothing from outside is ever unpickled.
"""

from __future__ import annotations

import contextlib
import pickle
import socket
import struct
from typing import Any

HEAD = struct.Struct("<QQQ")
"""Bytes of the pickle, number of arrays, bytes of everything behind the head."""
ARRAY = struct.Struct("<Q?7x")
"""Bytes of an array, and whether it may be written to."""
ALIGNMENT = 16
ROOM = 4 * 2**20
"""Bytes that may be under way, where the system allows that: a large frame is then sent and received at once, not in pieces for
which the two ends wait for each other in turns."""
SMALL = 65_536
"""Bytes below which an array is copied out of the block."""


class Channel:
    """One end. One thread may send while another receives."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        with contextlib.suppress(OSError):  # a system may refuse so much; there is some room anyway
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM)

    def send(self, message: Any) -> None:
        """Send one message, waiting until the other end has taken nearly all of it; raises OSError when that is gone."""
        arrays: list[pickle.PickleBuffer] = []
        text = pickle.dumps(message, 5, buffer_callback=arrays.append)
        views = [array.raw() for array in arrays]
        parts: list[bytes | memoryview] = [text, *(ARRAY.pack(view.nbytes, not view.readonly) for view in views)]
        place = len(text) + ARRAY.size * len(views)
        for view in views:
            gap = -place % ALIGNMENT
            parts += [bytes(gap), view]
            place += gap + view.nbytes
        self._socket.sendall(b"".join([HEAD.pack(len(text), len(views), place), *parts]))

    def receive(self) -> Any:
        """Wait for the next message; raises EOFError when the other end is gone."""
        length, count, size = HEAD.unpack(self._read(HEAD.size))
        block = self._read(size)
        place = length + ARRAY.size * count
        arrays = []
        for nbytes, writable in ARRAY.iter_unpack(block[length:place]):
            place += -place % ALIGNMENT
            view = block[place:place + nbytes]
            view = memoryview(bytearray(view)) if nbytes < SMALL else view
            arrays.append(view if writable else view.toreadonly())
            place += nbytes
        return pickle.loads(block[:length], buffers=arrays)

    def close(self) -> None:
        """End the connection; who waits at either end is told."""
        with contextlib.suppress(OSError):  # the other end was quicker
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _read(self, size: int) -> memoryview:
        block, done = memoryview(bytearray(size)), 0
        while done < size:
            try:
                n = self._socket.recv_into(block[done:], size - done, socket.MSG_WAITALL)
            except OSError as error:
                raise EOFError(str(error)) from error
            if not n:
                raise EOFError("the other end is gone")
            done += n
        return block
