"""The program behind the walls: imports what kernels need once, then forks single-use kernels.

It reads one JSON request a line from its input and answers in one line:

``{"op": "start", "id", "folder", "address", "key", "home", "seed", "limits"}``
    fork a kernel with its own processes, scratch folder and limits, which calls that address
``{"op": "prepare", "modules", "sources"}``
    import what a solution needs and run its given cells once, for what they cache; no answer
``{"op": "interrupt", "id"}``
    interrupt what that kernel runs; no answer
``{"op": "kill", "id"}``
    end that kernel and every process it has started

The learner's code runs only in the forked kernels, which see neither this process nor
the pipes it listens on. No thread is started before the fork, and BLAS is held to one.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import time
from typing import Any

KERNEL_MODULES = (
    "numpy", "numpy.random", "IPython.core.completerlib", "IPython.core.oinspect",
    "ffcourse.learn", "ffcourse.grade.sandbox.shell",
)  # fmt: skip

HOME = "/home/learner"
DESK = "/run/k"
PATIENCE = 5.0


def main(argv: list[str]) -> int:
    """Serve requests until the input ends.

    Arguments: the user to change to (0 for none), the name of the walls, the folder to work
    in, and the modules to import first. Or ``once`` and a request: run one kernel, right here.
    """
    if argv[0] == "once":
        return _run_kernel(json.loads(argv[1]))
    walls, desk = argv[1], argv[2]
    _change_user(int(argv[0]))
    if walls == "userns+landlock":
        from ffcourse.grade.sandbox import userns

        userns.enter(desk, os.environ.pop("FFCOURSE_HIDDEN", "").split(os.pathsep))
    talk = os.dup(1)
    os.dup2(2, 1)  # what imported modules print must not look like an answer
    nested = _can_nest(walls)  # first: forking is cheapest while little is imported
    _preload([*KERNEL_MODULES, *argv[3:]])
    _settle()
    _say(talk, {"ready": True, "nested": nested})
    kernels: dict[int, int] = {}
    signal.signal(signal.SIGCHLD, lambda *_: _tell_ended(kernels, talk))
    for line in sys.stdin:
        request = json.loads(line)
        number = int(request.get("id", 0))
        if request["op"] == "prepare":
            _preload(request["modules"])
            _warm_up(request["sources"])
            _settle()
        elif request["op"] == "start":
            kernels[number] = _fork(request, nested, walls, talk)
            _say(talk, {"started": number, "pid": kernels[number]})
            _tell_ended(kernels, talk)
        elif request["op"] == "interrupt":
            _signal(kernels.get(number, 0), signal.SIGINT)
        else:
            _end(kernels.pop(number, 0), nested)
            if not nested:
                _end_orphans(kernels)
            _say(talk, {"killed": number})
            _bury(kernels, talk)
    for pid in list(kernels.values()):
        _end(pid, nested)
    return 0


def _change_user(user: int) -> None:
    if user:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    if sys.platform == "linux":
        from ffcourse.grade.sandbox import linux

        linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)  # orphans come to us, to be ended
        # Changing the user made /proc/self/uid_map belong to root; nesting needs it back.
        linux.prctl(linux.PR_SET_DUMPABLE, 1)


def _say(talk: int, message: dict[str, Any]) -> None:
    # One short write, so that a signal handler's message cannot fall into another one.
    os.write(talk, (json.dumps(message) + "\n").encode())


def _tell_ended(kernels: dict[int, int], talk: int) -> None:
    """Report the kernels that have ended by themselves."""
    for number, pid in list(kernels.items()):
        with contextlib.suppress(ChildProcessError):
            if pid and os.waitpid(pid, os.WNOHANG)[0] == pid:
                kernels[number] = 0
                _say(talk, {"ended": number})


def _bury(kernels: dict[int, int], talk: int) -> None:
    """Take in what has ended here, so that the dead do not count as processes."""
    with contextlib.suppress(ChildProcessError):
        while pid := os.waitpid(-1, os.WNOHANG)[0]:
            for number in [n for n, own in kernels.items() if own == pid]:
                kernels[number] = 0
                _say(talk, {"ended": number})


def _settle() -> None:
    """Make the shell that all kernels begin with; then let them share the memory."""
    from ffcourse.grade.sandbox import shell

    shell.make_shell()
    gc.collect()
    gc.freeze()  # a collector that looks at an object makes a copy of its page


def _preload(modules: list[str]) -> None:
    for name in modules:
        # A module that cannot be imported fails later, in the cell that asks for it.
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _warm_up(sources: list[str]) -> None:
    """Run given cells, which authors wrote, so that kernels find modules and caches ready."""
    import threading

    started = threading.active_count()
    names: dict[str, Any] = {"__name__": "warm_up"}
    for source in sources:
        with contextlib.suppress(Exception, SystemExit):
            exec(compile(source, "<given>", "exec"), names)
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
    if threading.active_count() > started:
        # Forking beside threads is unsafe. The trusted side begins anew, and does without.
        os._exit(3)


def _end_orphans(kernels: dict[int, int]) -> None:
    """Kill what a kernel without a process namespace of its own has left behind."""
    import psutil

    for process in psutil.Process().children(recursive=True):
        if process.pid not in kernels.values():
            with contextlib.suppress(psutil.Error):
                process.kill()


def _signal(pid: int, number: int) -> None:
    if pid > 0:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _end(pid: int, nested: bool) -> None:
    """Kill a kernel and all below it, and wait until they are gone.

    A guardian is asked to: it then takes in what its kernel has used, so that this counts.
    """
    if pid <= 0:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError, ChildProcessError):
        if nested:
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                if os.waitpid(pid, os.WNOHANG)[0]:
                    return
                time.sleep(0.001)
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _can_nest(walls: str) -> bool:
    """Whether a forked kernel can have process, mount and user namespaces of its own."""
    if sys.platform != "linux" or walls == "limits":
        return False
    pid = os.fork()
    if pid == 0:
        try:
            _enter_namespaces()
            inner = os.fork()
            if inner == 0:
                _own_view(None, walls)
                os._exit(0)
            os._exit(0 if os.waitpid(inner, 0)[1] == 0 else 1)
        except BaseException:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def _enter_namespaces() -> None:
    from ffcourse.grade.sandbox import linux

    uid, gid = os.getuid(), os.getgid()
    linux.unshare(
        linux.CLONE_NEWUSER
        | linux.CLONE_NEWPID
        | linux.CLONE_NEWNS
        | linux.CLONE_NEWIPC
        | linux.CLONE_NEWNET  # not even the loopback of other kernels
    )
    linux.map_ids(uid, gid)


def _own_view(folder: str | None, walls: str) -> None:
    """Keep a kernel from the folders of the others."""
    if walls == "bubblewrap":
        _private_mounts(folder)
    elif folder is not None:
        from ffcourse.grade.sandbox import userns

        userns.narrow(folder)


def _private_mounts(folder: str | None) -> None:
    """Give the kernel an empty home, and hide the folders of other kernels."""
    from ffcourse.grade.sandbox import linux

    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    flags = linux.MS_NOSUID | linux.MS_NODEV
    for place in (HOME, "/tmp", "/dev/shm"):
        if place == "/tmp" and _course_is_below(place):
            linux.mount(place, place, None, linux.MS_BIND | linux.MS_REC)
            read_only = linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY
            linux.mount("none", place, None, flags | read_only)
        elif os.path.isdir(place):
            linux.mount("tmpfs", place, "tmpfs", flags, "size=67108864,nr_inodes=20000,mode=0700")
    if folder is not None:
        linux.mount(folder, DESK, None, linux.MS_BIND)
        # Its socket can be called all the same; but no file can be laid on the host's disk.
        read_only = linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY
        with contextlib.suppress(OSError):
            linux.mount("none", DESK, None, flags | read_only | linux.mount_flags(DESK))
    linux.mount("tmpfs", "/k", "tmpfs", flags | linux.MS_RDONLY, "size=4096")
    # Refused where parts of /proc are masked; the old one shows other ids, but opens nothing.
    with contextlib.suppress(OSError):
        linux.mount("proc", "/proc", "proc", flags)


def _course_is_below(place: str) -> bool:
    """Whether an empty folder mounted there would hide this Python or this package."""
    return any(os.path.realpath(p).startswith(f"{place}/") for p in (sys.prefix, __file__))


def _fork(request: dict[str, Any], nested: bool, walls: str, talk: int) -> int:
    """Start the guardian process of a kernel; return its process id."""
    pid = os.fork()
    if pid:
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        return pid
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)
        _forget_pipes(talk)
        status = _guard(request, walls) if nested else _run_kernel(request)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(2, f"kernel: {error!r}\n".encode())
    finally:
        os._exit(status)


def _forget_pipes(talk: int) -> None:
    """Close the pipes to the trusted side: a learner must not be able to speak on them."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    if not os.environ.get("FFCOURSE_SANDBOX_DEBUG"):
        os.dup2(null, 2)
    os.dup2(null, talk)


def _guard(request: dict[str, Any], walls: str) -> int:
    from ffcourse.grade.sandbox import linux

    linux.die_with_parent()
    _enter_namespaces()
    first = os.fork()
    if first:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda n, _: os.kill(first, n))
        return os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]) & 0xFF
    # The first process of the namespace: when it ends, everything in it is killed.
    linux.die_with_parent()
    ending: list[bool] = []

    def end(*_: Any) -> None:
        ending.append(True)
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)

    signal.signal(signal.SIGTERM, end)
    _own_view(request["folder"], walls)
    kernel = os.fork()
    if kernel == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        linux.drop_capabilities()
        os._exit(_run_kernel(request))
    signal.signal(signal.SIGINT, lambda *_: _signal(kernel, signal.SIGINT))
    while True:
        try:
            pid, status = os.wait()  # also takes in orphans
        except ChildProcessError:
            os._exit(0)
        if pid == kernel and not ending:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _run_kernel(request: dict[str, Any]) -> int:
    from ffcourse.grade.sandbox.rlimits import apply_limits

    with contextlib.suppress(OSError, AttributeError):
        os.setsid()
    home = request["home"]
    os.makedirs(home, exist_ok=True)
    os.chdir(home)
    os.environ["HOME"] = os.environ["TMPDIR"] = home
    os.environ["MPLCONFIGDIR"] = os.path.join(home, ".matplotlib")
    os.environ["IPYTHONDIR"] = os.path.join(home, ".ipython")
    os.environ["FFCOURSE_SEED"] = str(request.get("seed") or 0)
    apply_limits(request.get("limits") or {})
    from ffcourse.grade.sandbox import shell, wire

    shell.serve(wire.connect(request["address"]), request["key"])
    return 0


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))  # nothing is left to tidy
