"""The line between the grader and one kernel: JSON lines over a socket.

The kernel's end runs beside the learner's code, so nothing that comes from there is believed,
waited for without end, or held without bound.
"""

from __future__ import annotations

import json
import os
import select
import socket
import time
import weakref
from pathlib import Path
from typing import Any

MAX_LINE = 6_000_000  # bytes
MAX_SIZE = 20_000_000  # of one message when read: the largest value that emit() shows fits in
CHUNK, CHUNKS = 262_144, 16  # how much is read before anyone looks at the clock again
SEND_SECONDS = 30.0


class LineClosedError(Exception):
    """The other end is gone."""


def listen(folder: Path, user: int | None = None) -> socket.socket:
    """Return a socket in a folder that only this process listens on; TCP where there is no other.

    Parameters
    ----------
    user : int or None
        Who may connect to it, if it is another user.
    """
    if not hasattr(socket, "AF_UNIX"):
        return socket.create_server(("127.0.0.1", 0), backlog=1)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    path = str(folder / "s")
    listener.bind(path)
    os.chmod(path, 0o600)
    if user is not None:
        os.chown(path, user, user)
    listener.listen(1)
    return listener


def connect(address: str | int) -> socket.socket:
    """Return the kernel's end: the address is a path, or a port of this computer."""
    if isinstance(address, int):
        return socket.create_connection(("127.0.0.1", address))
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.connect(address)
    return line


class Line:
    """The grader's end.

    Attributes
    ----------
    closed : bool
        Whether the other end is gone.
    lost : int
        How many messages were too long or not readable.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock
        weakref.finalize(self, sock.close)
        self._parts: list[bytes] = []
        self._held = 0
        self._skipping = False
        self.closed = False
        self.lost = 0

    def send(self, message: dict[str, Any]) -> None:
        """Send a message.

        Raises
        ------
        LineClosedError
            When the other end is gone or does not read.
        """
        data = memoryview(json.dumps(message).encode() + b"\n")
        end = time.monotonic() + SEND_SECONDS
        while data:
            try:
                data = data[self._socket.send(data) :]
            except BlockingIOError:
                if not self._ready(write=True, seconds=end - time.monotonic()):
                    raise LineClosedError from None
            except OSError:
                self.closed = True
                raise LineClosedError from None

    def receive(self, seconds: float) -> list[tuple[dict[str, Any], int]]:
        """Return the messages that have arrived, each with about the bytes that it takes up."""
        if self.closed or not self._ready(write=False, seconds=seconds):
            return []
        messages: list[tuple[dict[str, Any], int]] = []
        for _ in range(CHUNKS):
            try:
                chunk = self._socket.recv(CHUNK)
            except BlockingIOError:
                break
            except OSError:
                chunk = b""
            if not chunk:
                self.closed = True
                break
            *whole, rest = chunk.split(b"\n")
            for part in whole:
                self._add(part)
                messages += self._take()
            self._add(rest)
            if len(chunk) < CHUNK // 2:
                break
        return messages

    def _ready(self, write: bool, seconds: float) -> bool:
        """Wait until something can be read or written."""
        watched = [self._socket]
        reading, writing = ([], watched) if write else (watched, [])
        return any(select.select(reading, writing, [], max(seconds, 0.0)))

    def _add(self, part: bytes) -> None:
        self._held += len(part)
        if self._held > MAX_LINE:
            self._skipping, self._parts = True, []
        elif part:
            self._parts.append(part)

    def _take(self) -> list[tuple[dict[str, Any], int]]:
        """Return the message that the held parts are, if they are one."""
        text, skipped = b"".join(self._parts), self._skipping
        self._parts, self._held, self._skipping = [], 0, False
        size = _size(text)
        if not skipped and size <= MAX_SIZE:
            try:
                message = json.loads(text.decode("utf-8", "replace"))
            except Exception:  # hostile bytes may break the parser anywhere, by recursion, too
                message = None
            if isinstance(message, dict):
                return [(message, size)]
        self.lost += 1
        return []

    def close(self) -> None:
        """Hang up."""
        self.closed = True
        self._socket.close()


def _size(text: bytes) -> int:
    """Return about how many bytes a JSON text takes up when it has been read."""
    return len(text) + 32 * text.count(b",") + 60 * text.count(b"[") + 240 * text.count(b"{")
