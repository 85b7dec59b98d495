"""The drawing loop: the newest value wins, stale ones are never drawn, the last never dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

_QUIET_TURNS = 4
_MOST_TURNS = 50


class Loop:
    """Runs `work` for the newest request.

    Parameters
    ----------
    work : callable
        Does the work for whatever is newest when it is called; yields where it may be stopped.
    quick : callable, optional
        Tells whether the work is so short that it is done at once, within the message that asks
        for it. The page hears of it before it hears that the kernel is idle again, which saves
        a few milliseconds; and ipywidgets sends the next value only after that.
    """

    def __init__(
        self, work: Callable[[], Iterator[None]], quick: Callable[[], bool] = lambda: False
    ) -> None:
        self._work, self._quick = work, quick
        self._asked = 0
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def ask(self) -> None:
        """Ask for a frame: soon if an event loop runs, else at once."""
        if self._closed:
            return
        self._asked += 1
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        free = self._task is None or self._task.done()
        if loop is None or (free and self._quick()):
            for _ in self._work():
                pass
        elif free:
            # The reference keeps the task alive; asyncio itself holds tasks only weakly.
            self._task = loop.create_task(self._run())

    async def _run(self) -> None:
        drawn = -1
        while drawn != self._asked and not self._closed:
            await self._settle()
            drawn = self._asked
            for _ in self._work():
                # Between the frames of a long run others may draw, and newer values stop it.
                await asyncio.sleep(0)
                if drawn != self._asked or self._closed:
                    break

    async def _settle(self) -> None:
        """Give the event loop turns until it has delivered what had already arrived.

        Messages wait in the kernel's socket while a frame is drawn. Each turn delivers a part
        of them; drawing before that would show a value that the hand has left.
        """
        quiet, seen = 0, self._asked
        for _ in range(_MOST_TURNS):
            await asyncio.sleep(0)
            quiet = quiet + 1 if seen == self._asked else 0
            seen = self._asked
            if quiet >= _QUIET_TURNS:
                return

    async def idle(self) -> None:
        """Wait until the newest request has been drawn."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    def close(self) -> None:
        """Stop, and answer no further request."""
        self._closed = True
        if self._task is not None and not self._task.done():
            self._task.cancel()
