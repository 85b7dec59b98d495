"""The line between the grader and a kernel, with a kernel's end that says what it likes."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ffcourse.grade.client import CellTimeoutError, GuardedKernel, KernelDiedError
from ffcourse.grade.limits import Limits
from ffcourse.grade.sandbox import wire
from ffcourse.grade.sandbox.nursery import Kernel
from ffcourse.grade.sandbox.pick import Walls
from ffcourse.grade.sandbox.spawn import SpawnNursery
from ffcourse.grade.values import VALUE_MIME


@pytest.fixture
def ends() -> Iterator[tuple[wire.Line, socket.socket]]:
    """Return the grader's end and the other one."""
    ours, theirs = socket.socketpair()
    line = wire.Line(ours)
    yield line, theirs
    line.close()
    theirs.close()


def said(line: wire.Line, count: int, seconds: float = 20.0) -> list[object]:
    """Return the next messages."""
    found: list[object] = []
    for _ in range(int(seconds / 0.1)):
        found += [message for message, _ in line.receive(0.1)]
        if len(found) >= count or line.closed:
            break
    return found


def test_messages_arrive_whole(ends: tuple[wire.Line, socket.socket]) -> None:
    """However the bytes are cut: in pieces, several at once, an accented letter in two."""
    line, theirs = ends
    data = "".join(json.dumps({"n": i, "text": "é"}, ensure_ascii=False) + "\n" for i in range(3))
    for byte in data.encode():
        theirs.sendall(bytes([byte]))
        if byte == ord("\n"):
            assert len(said(line, 1)) == 1
        else:
            assert line.receive(0.01) == []
    theirs.sendall(data.encode())
    assert said(line, 3) == [{"n": i, "text": "é"} for i in range(3)]
    assert line.lost == 0


@pytest.mark.parametrize(
    "noise",
    [b"", b"\xff\x00", b"null", b"[1]", b'"text"', b"{", b"[" * 200_000, b"9" * 6000, b"NaN"],
)
def test_noise_is_lost_and_the_next_message_is_not(
    ends: tuple[wire.Line, socket.socket], noise: bytes
) -> None:
    """What is not a JSON object counts as lost."""
    line, theirs = ends
    threading.Thread(target=theirs.sendall, args=(noise + b'\n{"n": 1}\n',)).start()
    assert said(line, 1) == [{"n": 1}]
    assert line.lost == 1


def test_a_long_line_is_not_held(ends: tuple[wire.Line, socket.socket]) -> None:
    """Beyond the limit, bytes are thrown away as they come."""
    line, theirs = ends

    def send() -> None:
        for _ in range(4 * wire.MAX_LINE // 100_000):
            theirs.sendall(b"x" * 100_000)
        theirs.sendall(b'\n{"n": 1}\n')

    thread = threading.Thread(target=send)
    thread.start()
    held = 0
    found: list[object] = []
    while not found:
        found += [message for message, _ in line.receive(5.0)]
        held = max(held, sum(map(len, line._parts)))
    thread.join()
    assert found == [{"n": 1}]
    assert held <= wire.MAX_LINE
    assert line.lost == 1


def test_many_small_parts_count_as_large(ends: tuple[wire.Line, socket.socket]) -> None:
    """Two megabytes of empty lists would take up a hundred when read."""
    line, theirs = ends
    text = json.dumps({"value": [[]] * 500_000}).encode()
    threading.Thread(target=theirs.sendall, args=(text + b'\n{"n": 1}\n',)).start()
    assert said(line, 1) == [{"n": 1}]
    assert line.lost == 1


def test_the_other_end_may_go(ends: tuple[wire.Line, socket.socket]) -> None:
    """What it said before is read; then the line is closed, and sending says so."""
    line, theirs = ends
    theirs.sendall(b'{"n": 1}\n{"half": ')
    theirs.close()
    assert said(line, 1) == [{"n": 1}]
    line.receive(1.0)
    assert line.closed
    with pytest.raises(wire.LineClosedError):
        line.send({"cell": 1, "code": "x" * 1_000_000})


def test_who_does_not_read_is_not_waited_for(
    ends: tuple[wire.Line, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel that takes no more cells cannot hold up the grader."""
    monkeypatch.setattr(wire, "SEND_SECONDS", 0.2)
    with pytest.raises(wire.LineClosedError):
        ends[0].send({"code": "x" * 20_000_000})


class _Source:
    """Stands in for what starts kernels: this one is alive until told."""

    alive = True

    def kernel_alive(self, kernel: Kernel) -> bool:
        return self.alive

    def end(self, kernel: Kernel) -> None:
        self.alive = False


def test_only_the_kernel_itself_is_listened_to(tmp_path: Path) -> None:
    """Whoever else finds the address is hung up on, and the kernel still gets through."""
    short = Path(os.path.relpath(tmp_path))  # the path of such a socket must be short
    listener = wire.listen(short if len(str(short)) < len(str(tmp_path)) else tmp_path)
    kernel = Kernel(1, listener, "the key", tmp_path, _Source())  # type: ignore[arg-type]
    name = listener.getsockname()
    address = name if isinstance(name, str) else int(name[1])

    def call() -> None:
        for key in (3, "é", "another key", "the key"):
            found.append(wire.connect(address))
            found[-1].sendall(json.dumps({"hello": key}).encode() + b"\n")
            with contextlib.suppress(OSError):
                found[-1].settimeout(10.0 if key != "the key" else 0.2)
                found[-1].recv(1)

    found: list[socket.socket] = []
    thread = threading.Thread(target=call)
    thread.start()
    line = kernel.line()
    thread.join()
    found[-1].sendall(b'{"n": 1}\n')
    assert said(line, 1) == [{"n": 1}]
    line.close()
    for one in found:
        one.close()


@pytest.mark.skipif(sys.platform == "win32", reason="listens on TCP there")
def test_nobody_else_may_call(tmp_path: Path) -> None:
    """The address can be used by its owner only."""
    folder = Path(os.path.relpath(tmp_path))
    with wire.listen(folder if len(str(folder)) < len(str(tmp_path)) else tmp_path):
        assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600


@pytest.fixture(params=["as this system does", "tcp"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    """Return a kernel of its own process, also as on Windows, where it is reached by TCP."""
    if request.param == "tcp":
        monkeypatch.delattr(socket, "AF_UNIX", raising=False)
    nursery = SpawnNursery(Walls("limits", False, False, forks=False), [], Limits())
    kernel = nursery.start()
    yield kernel
    kernel.kill()
    nursery.close()


def run(guarded: GuardedKernel, code: str, seconds: float = 60.0) -> list[dict[str, Any]]:
    """Run a cell as nbval does; return its outputs."""
    number = guarded.execute_cell_input(code)
    guarded.await_reply(number, seconds)
    outputs: list[dict[str, Any]] = []
    while True:
        message = guarded.get_message("iopub")
        assert message["parent_header"]["msg_id"] == number
        if message["msg_type"] == "status":
            return outputs
        outputs.append(message)


def test_cells_run_one_after_another(kernel: Kernel) -> None:
    """Values and exceptions come back; prints, figures and results don't."""
    guarded = GuardedKernel(kernel, 60.0, time.monotonic() + 300)
    assert run(guarded, "from ffcourse.learn import emit\nx = 3\nprint(x)\nx") == []
    (value,) = run(guarded, "emit('x', x + 1)")
    assert value["content"]["data"][VALUE_MIME]["data"] == 4
    (error,) = run(guarded, "def f():\n    return 1 / 0\nf()")
    assert error["content"]["ename"] == "ZeroDivisionError"
    assert "Cell In[1], line 2 in f" in "".join(error["content"]["traceback"])
    (error,) = run(guarded, "x = = 1")
    assert error["content"]["ename"] == "SyntaxError"
    (error,) = run(guarded, "input('? ')")
    assert error["content"]["ename"] == "StdinNotImplementedError"
    (error,) = run(guarded, "exit()")
    assert error["content"]["ename"] == "SystemExit"
    assert run(guarded, "await __import__('asyncio').sleep(0)\n%matplotlib inline") == []
    assert run(guarded, "import asyncio\nasyncio.run(asyncio.sleep(0))") == []
    guarded.before = "x = 7"
    assert run(guarded, "emit('x', x)")[0]["content"]["data"][VALUE_MIME]["data"] == 7
    guarded.stop()
    assert not guarded.is_alive()


@pytest.mark.skipif(sys.platform == "win32", reason="nothing can be interrupted there")
def test_a_loop_is_interrupted_and_says_where_it_was(kernel: Kernel) -> None:
    """The line that ran when the time was over stands in the traceback."""
    guarded = GuardedKernel(kernel, 60.0, time.monotonic() + 300)
    run(guarded, "def f():\n    while True:\n        pass")
    with pytest.raises(CellTimeoutError) as caught:
        run(guarded, "f()", 0.5)
    assert "line 2" in "".join(caught.value.traceback) or "line 3" in "".join(
        caught.value.traceback
    )
    assert not guarded.is_alive()
    guarded.stop()


def test_the_end_of_a_kernel_is_noticed(kernel: Kernel) -> None:
    """At once, and not only when the time is over."""
    guarded = GuardedKernel(kernel, 60.0, time.monotonic() + 300)
    with pytest.raises(KernelDiedError):
        run(guarded, "import os\nos._exit(0)")
    assert not guarded.is_alive()
    guarded.stop()


def test_what_is_said_about_another_cell_does_not_count(kernel: Kernel) -> None:
    """Neither a value that comes late nor one, or a "done", that comes early."""
    guarded = GuardedKernel(kernel, 60.0, time.monotonic() + 300)
    run(guarded, "import json\nip = get_ipython()\nfrom ffcourse.learn import emit")
    lines = (
        "[{'cell': ip.cell + d, **m} for d in (-1, 1, 2) for m in ({'value': {}}, {'done': True})]"
    )
    send = f"for m in {lines}:\n    ip.line.sendall(json.dumps(m).encode() + b'\\n')"
    (value,) = run(guarded, f"{send}\nemit('x', 1)")
    assert value["content"]["data"][VALUE_MIME]["data"] == 1
    guarded.stop()


def test_a_kernel_that_hangs_up_is_not_waited_for(kernel: Kernel) -> None:
    """Nothing more can come, so its time need not run out."""
    guarded = GuardedKernel(kernel, 40.0, time.monotonic() + 300)
    with pytest.raises(KernelDiedError):
        run(guarded, "import time\nget_ipython().line.shutdown(2)\ntime.sleep(60)")
    guarded.stop()
