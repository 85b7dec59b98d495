"""Grade on a Dask cluster: the same requests in, the same reports out.

Only this side, the trusted client, writes results. A worker that dies costs nothing: the
scheduler gives what it had to another one.
"""
# Dask is an extra: where it isn't installed, mypy sees Any instead of its classes.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import contextlib
import json
import logging
import sys
import uuid
from collections.abc import Generator, Iterable, Iterator
from itertools import islice
from typing import Any

from ffcourse import __version__
from ffcourse.grade.batch.local import GONE, Request
from ffcourse.grade.batch.shelf import Shelf
from ffcourse.grade.batch.station import GRADER_FAILED, GradingOptions
from ffcourse.grade.report import rejection

CONNECT_SECONDS = 20
AHEAD = 3


class ClusterError(RuntimeError):
    """There is no cluster at the address, or it is gone, or Dask isn't installed."""


def grade_on_cluster(
    requests: Iterable[Request], shelf: Shelf, options: GradingOptions, address: str
) -> Generator[tuple[Request, dict[str, Any]], None, None]:
    """Yield each request with its report, or with ``{"refused": why}``, as they get ready.

    Raises
    ------
    ClusterError
        When the scheduler cannot be reached, or is gone before the batch is done.
    """
    client = _connect(address)
    if not client.nthreads():
        print("The cluster has no workers yet; waiting for the first.", file=sys.stderr)
    name = f"ffcourse-{uuid.uuid4().hex[:12]}"
    try:
        from ffcourse.grade.batch.cluster_worker import Classroom

        client.register_plugin(Classroom(name, shelf.files, shelf.single, options), name=name)
        try:
            with _quiet():
                yield from _stream(client, name, iter(requests))
        except OSError:
            raise ClusterError(
                f"--cluster {address}: the scheduler is gone. What was graded is kept; when it "
                "runs again, the same command goes on from here."
            ) from None
        finally:
            with contextlib.suppress(Exception):
                client.unregister_worker_plugin(name)
    finally:
        with contextlib.suppress(Exception):
            client.close()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from printing tracebacks of what is said in a sentence."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _connect(address: str) -> Any:
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise ClusterError(
            "--cluster needs Dask: install the extra with `pip install 'ffcourse[cluster]'`."
        ) from None
    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ClusterError(f"--cluster {address}: no Dask scheduler answers ({first}).") from None


def _stream(
    client: Any, name: str, todo: Iterator[Request]
) -> Iterator[tuple[Request, dict[str, Any]]]:
    from distributed import as_completed

    pending: dict[str, Request] = {}
    finished = as_completed([], loop=client.loop)

    def fill() -> Iterator[tuple[Request, dict[str, Any]]]:
        room = AHEAD * max(1, sum(client.nthreads().values())) - len(pending)
        for request in islice(todo, max(0, room)):
            future = _submit(client, name, request)
            if future is None:
                yield request, {"refused": GONE}
            else:
                pending[future.key] = request
                finished.add(future)

    yield from fill()
    while pending:
        future = next(finished)
        request = pending.pop(future.key)
        yield request, _answer(future, request)
        yield from fill()


def _submit(client: Any, name: str, request: Request) -> Any:
    from ffcourse.grade.batch.cluster_worker import grade_bytes

    data = request.read()
    if data is None:
        return None
    key = f"{name}-{request.sha}"
    return client.submit(grade_bytes, name, request.label, data, key=key, pure=False, retries=2)


def _answer(future: Any, request: Request) -> dict[str, Any]:
    if future.status in ("cancelled", "lost"):
        raise ConnectionError("the scheduler is gone")
    try:
        answer = json.loads(future.result())
    except Exception as error:  # Dask gave up on it, for example after several dead workers
        words = f"{GRADER_FAILED} on this file (the cluster: {type(error).__name__})."
        return rejection(request.label, None, words, None)
    if answer["version"] != __version__:
        return {
            "refused": f"A worker of the cluster has ffcourse {answer['version']}, not "
            f"{__version__}; install the same version everywhere."
        }
    report: dict[str, Any] = answer["report"]
    return report
