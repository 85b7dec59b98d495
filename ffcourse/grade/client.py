"""Talk to one kernel the way nbval expects, but believe nothing and wait for nothing for ever.

`GuardedKernel` stands in for nbval's ``RunningKernel``. It notices at once when the kernel
dies, counts processor time instead of wall time, bounds what it holds in memory, and
folds ``clear_output`` and display updates into the outputs as a notebook would show them.
"""

from __future__ import annotations

import json
import time
from hmac import compare_digest
from queue import Empty
from typing import Any

import zmq
from jupyter_client.session import DELIM, Session

from ffcourse.grade.sandbox.nursery import PORTS, Kernel, KernelStartError
from ffcourse.grade.sandbox.usage import Usage
from ffcourse.grade.values import VALUE_MIME

# What a submission shows is held in memory, so each of these has an end. Sizes are what a
# message takes up when it has been read, which for many short values is far more than its text.
MAX_MESSAGE = 6_000_000
MAX_QUEUE = 10
MAX_SIZE = 20_000_000  # of one message: the largest value that emit() shows fits in
MAX_KEPT = 24_000_000  # of the outputs of a cell
MAX_VALUES = 60_000_000  # of all values of a run; small ones always fit
SMALL = 500_000
MAX_MESSAGES = 5_000
IDLE_GRACE = 2.0
LOOK = 0.2
INTERRUPT_WALL, INTERRUPT_CPU = 3.0, 0.3
READY_SECONDS = 60.0


class CellTimeoutError(Exception):
    """A cell used up its time; `line` is where it was, if the kernel still told."""

    def __init__(
        self,
        message: str,
        traceback: list[str] | None = None,
        waited: bool = False,
        starved: bool = False,
    ) -> None:
        super().__init__(message)
        self.traceback = traceback or []
        self.waited = waited
        self.starved = starved


class KernelDiedError(Exception):
    """The kernel's process ended while a cell ran."""


class _Watch:
    """Tells when a cell has had its time: by work done, by waiting, or by the whole run's end."""

    def __init__(self, wall: float, cpu: float | None, deadline: float) -> None:
        self.wall, self.cpu, self.deadline = wall, cpu, deadline
        self.last = time.monotonic()
        self.started_at: float | None = None
        self.previous = 0.0
        self.waiting = 0.0

    def due(self) -> bool:
        """Whether it is time for a look. Looking is not free: a short cell is never looked at."""
        return time.monotonic() > self.last + LOOK

    def verdict(self, usage: Usage) -> tuple[str, bool, bool] | None:
        """Return why the cell must end: words, whether it waited, whether it was starved."""
        now = time.monotonic()
        if self.started_at is None:  # taken to have worked all the time before the first look
            self.started_at = self.previous = usage.cpu - LOOK
        idle = not usage.busy and usage.cpu - self.previous < 0.1 * LOOK
        self.waiting = self.waiting + (now - self.last) if idle else 0.0
        self.previous, self.last = usage.cpu, now
        if self.cpu is not None and usage.cpu - self.started_at > self.cpu:
            return f"It was still running after {self.cpu:g} seconds.", False, False
        if self.waiting > self.wall:
            return f"It was not done after {self.wall:g} seconds.", True, False
        if now > self.deadline:
            return "It was not done when the time for the whole notebook was over.", False, True
        return None


class GuardedKernel:
    """A client of a kernel behind walls, with nbval's ``RunningKernel`` interface.

    Parameters
    ----------
    kernel : Kernel
    cell_wall : float
        Seconds that a cell may wait without working; its processor seconds are given to
        `await_reply`.
    deadline : float
        `time.monotonic` time at which the whole run must end.
    """

    def __init__(self, kernel: Kernel, cell_wall: float, deadline: float) -> None:
        self.kernel = kernel
        self.cell_wall = cell_wall
        self.deadline = deadline
        self.language = "python"
        self.before = ""  # code to run ahead of the next cells, whose outputs do not matter
        self.overflowed = False
        self.timeout: CellTimeoutError | None = None
        self.died = False
        self._buffer: list[dict[str, Any]] = []
        self._kept = 0
        self._values = 0
        info = kernel.connection
        self._session = Session(
            key=info["key"].encode(), signature_scheme=info["signature_scheme"], username="grader"
        )
        self._context: zmq.Context[Any] = zmq.Context()
        self._wait_for_sockets()
        self.iopub = self._connect(zmq.SUB, 2)
        self.iopub.setsockopt(zmq.SUBSCRIBE, b"")
        self.shell = self._connect(zmq.DEALER, 1)
        self.control = self._connect(zmq.DEALER, 4)
        self._handshake()

    # ------------------------------------------------------------------------ the beginning

    def _wait_for_sockets(self) -> None:
        if self.kernel.connection["transport"] != "ipc":
            return
        end = time.monotonic() + READY_SECONDS
        names = [self.kernel.folder / f"s-{port}" for port in (1, 2, 4)]
        while not all(name.exists() for name in names):
            if time.monotonic() > end or not self.kernel.alive():
                raise KernelStartError("The kernel did not open its sockets.")
            time.sleep(0.003)

    def _connect(self, kind: int, port: int) -> zmq.Socket[Any]:
        socket: zmq.Socket[Any] = self._context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
        socket.setsockopt(zmq.RCVHWM, MAX_QUEUE)
        socket.setsockopt(zmq.RECONNECT_IVL, 5)
        info = self.kernel.connection
        if info["transport"] == "ipc":
            socket.connect(f"ipc://{info['ip']}-{port}")
        else:
            socket.connect(f"tcp://{info['ip']}:{info[PORTS[port - 1]]}")
        return socket

    def _handshake(self) -> None:
        """Wait until something arrives on iopub: then no output can be missed.

        New kernels greet whoever subscribes; others are asked until an answer's echo arrives.
        """
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end - READY_SECONDS + 0.5 and self.kernel.alive():
            message = self._receive(self.iopub) if self.iopub.poll(20) else None
            if message and message["msg_type"] == "iopub_welcome":
                return
        while time.monotonic() < end and self.kernel.alive():
            if self._echoed(self._send(self.shell, "kernel_info_request", {}), 0.1):
                self._drain()
                return
        raise KernelStartError("The kernel did not answer.")

    def _echoed(self, number: str, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.iopub.poll(20):
                message = self._receive(self.iopub)
                if message and message["parent_header"].get("msg_id") == number:
                    return True
        return False

    def _drain(self) -> None:
        for socket in (self.shell, self.iopub):
            while socket.poll(0):
                self._receive(socket)

    # --------------------------------------------------------------------------- messages

    def _send(self, socket: zmq.Socket[Any], kind: str, content: dict[str, Any]) -> str:
        message: Any = self._session.send(socket, kind, content)
        return str(message["header"]["msg_id"])

    def _receive(self, socket: zmq.Socket[Any]) -> dict[str, Any] | None:
        """Return the next message, or None for one that is malformed or not signed."""
        try:
            parts = socket.recv_multipart(zmq.NOBLOCK)
            start = parts.index(DELIM) + 1
            signed = parts[start + 1 : start + 5]
            if not compare_digest(self._session.sign(signed), parts[start]):
                return None
            size = _size(signed[3])
            if size > MAX_SIZE:
                self.overflowed = True
                return None
            header, parent, _, content = (json.loads(p.decode("utf-8", "replace")) for p in signed)
            kind = header["msg_type"]
        except zmq.Again:
            return None
        except Exception:
            # Hostile bytes may break the protocol anywhere; a lost message fails its check.
            return None
        if not (isinstance(content, dict) and isinstance(parent, dict) and isinstance(kind, str)):
            return None
        about = {"header": header, "parent_header": parent, "msg_type": kind}
        return {**about, "content": content, "size": size}

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Send code to the kernel, and `before` ahead of it; return the id of the request."""
        self._buffer, self._kept, self.overflowed = [], 0, False
        if self.before:
            self._execute(self.before, silent=True)
        return self._execute(cell_input)

    def _execute(self, code: str, silent: bool = False) -> str:
        content = {
            "code": code,
            "silent": silent,
            "store_history": False,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        return self._send(self.shell, "execute_request", content)

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Wait until the cell is done, keeping its outputs.

        Parameters
        ----------
        timeout : float
            Processor seconds; the wall limit and the run's deadline hold as well.

        Raises
        ------
        CellTimeoutError, KernelDiedError
        """
        watch = _Watch(self.cell_wall, timeout, self.deadline)
        replied = idle = False
        grace = 0.0
        while not (replied and idle):
            r, i = self._poll(msg_id, 0.02)
            replied, idle = replied or r, idle or i
            if replied and not idle:
                grace = grace or time.monotonic() + IDLE_GRACE
                if time.monotonic() > grace:  # the message was lost with too large an output
                    self._append_idle(msg_id)
                    return
            if not self.kernel.alive():
                self._poll(msg_id, 0.05)
                self.died = True
                raise KernelDiedError("The kernel's process ended.")
            if watch.due():
                usage = self.kernel.usage()
                if usage.memory > 1.5 * self.kernel.nursery.limits.memory_bytes:
                    self.died = True
                    raise KernelDiedError("The memory of the submission's processes ran out.")
                verdict = watch.verdict(usage)
                if verdict:
                    self._give_up(msg_id, *verdict)

    def _poll(self, msg_id: str, seconds: float) -> tuple[bool, bool]:
        poller = zmq.Poller()
        poller.register(self.shell, zmq.POLLIN)
        poller.register(self.iopub, zmq.POLLIN)
        ready = dict(poller.poll(int(seconds * 1000)))
        replied = idle = False
        if self.shell in ready:
            message = self._receive(self.shell)
            replied = bool(message and message["parent_header"].get("msg_id") == msg_id)
        if self.iopub in ready:
            for _ in range(200):
                message = self._receive(self.iopub)
                if message is None:
                    break
                if message["parent_header"].get("msg_id") == msg_id:
                    idle = self._keep(message) or idle
        return replied, idle

    def _keep(self, message: dict[str, Any]) -> bool:
        """Buffer one output; return whether it says that the kernel is idle again."""
        kind, content = message["msg_type"], message["content"]
        if kind == "status":
            self._buffer.append(message)
            return bool(content.get("execution_state") == "idle")
        if kind == "clear_output":
            self._buffer = [m for m in self._buffer if m["msg_type"] == "status"]
        elif kind == "update_display_data":
            self._update(content, message["size"])
        elif kind in ("stream", "display_data", "execute_result", "error"):
            if not self._has_room(message["size"], kind, content):
                self.overflowed = True
            elif _well_formed(kind, content):
                self._buffer.append(message)
        return False

    def _has_room(self, size: int, kind: str, content: dict[str, Any]) -> bool:
        """Whether one more output can be held, and if so, count it."""
        if self._kept + size > MAX_KEPT or len(self._buffer) > MAX_MESSAGES:
            return kind == "error" and size < SMALL
        data = content.get("data")
        if size > SMALL and isinstance(data, dict) and VALUE_MIME in data:
            if self._values + size > MAX_VALUES:
                return False
            self._values += size
        self._kept += size
        return True

    def _update(self, content: dict[str, Any], size: int) -> None:
        if not self._has_room(size, "display_data", content):
            self.overflowed = True
            return
        number = (content.get("transient") or {}).get("display_id")
        for message in self._buffer:
            old = message["content"]
            if number and (old.get("transient") or {}).get("display_id") == number:
                old["data"] = content.get("data", {})

    def _append_idle(self, msg_id: str) -> None:
        status = {"execution_state": "idle"}
        header = {"msg_id": msg_id}
        self._buffer.append({"msg_type": "status", "parent_header": header, "content": status})

    def _give_up(self, msg_id: str, words: str, waited: bool, starved: bool) -> None:
        """Interrupt once, to learn where the code was; then report the time-out."""
        self._send(self.control, "interrupt_request", {})
        end = time.monotonic() + INTERRUPT_WALL
        cpu = self.kernel.usage().cpu + INTERRUPT_CPU
        while time.monotonic() < end and self.kernel.alive() and self.kernel.usage().cpu < cpu:
            if self._poll(msg_id, 0.05)[1]:
                break
        traceback: list[str] = []
        for message in self._buffer:
            if message["msg_type"] == "error":
                traceback = [str(t) for t in message["content"].get("traceback") or []]
        self.timeout = CellTimeoutError(words, traceback, waited, starved)
        raise self.timeout

    # ------------------------------------------------------------- what else nbval asks for

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        """Return the next buffered output of the cell that has run."""
        if not self._buffer:
            raise Empty
        return self._buffer.pop(0)

    def await_idle(self, parent_id: str, timeout: float) -> None:
        """Forget the rest of the cell's outputs."""
        self._buffer = []

    def is_alive(self) -> bool:
        """Whether cells can still be run."""
        return not self.died and self.timeout is None and self.kernel.alive()

    def interrupt(self) -> None:
        """Do nothing: `await_reply` has interrupted already."""

    def restart(self) -> None:
        """Refuse: a kernel is used once."""
        raise RuntimeError("a kernel is used once")

    def stop(self) -> None:
        """Kill the kernel and close the sockets."""
        self.kernel.kill()
        for socket in (self.shell, self.iopub, self.control):
            socket.close(0)
        self._context.term()


def _size(text: bytes) -> int:
    """Return about how many bytes a JSON text takes up when it has been read."""
    return len(text) + 32 * text.count(b",") + 60 * text.count(b"[") + 240 * text.count(b"{")


def _well_formed(kind: str, content: dict[str, Any]) -> bool:
    """Whether an output has the fields that nbval takes for granted, of the right types."""
    if kind == "stream":
        return isinstance(content.get("text"), str) and isinstance(content.get("name"), str)
    if kind == "error":
        traceback = content.get("traceback")
        fields = isinstance(content.get("ename"), str) and isinstance(content.get("evalue"), str)
        return fields and isinstance(traceback, list) and all(isinstance(t, str) for t in traceback)
    content.setdefault("metadata", {})
    content.setdefault("execution_count", None)
    return isinstance(content.get("data"), dict)
