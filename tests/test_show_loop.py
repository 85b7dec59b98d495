"""The drawing loop: newest wins, none of the stale ones, the last never dropped."""

from __future__ import annotations

import asyncio

from ffcourse.show.loop import Loop


class Worker:
    def __init__(self, frames: int = 1) -> None:
        self.value = 0
        self.seen: list[int] = []
        self.frames = frames

    def __call__(self):
        for _ in range(self.frames):
            self.seen.append(self.value)
            yield


def test_without_an_event_loop_it_draws_at_once():
    work = Worker()
    loop = Loop(work)
    for work.value in (1, 2, 3):
        loop.ask()
    assert work.seen == [1, 2, 3]


def test_values_that_come_together_are_drawn_once():
    work = Worker()
    loop = Loop(work)

    async def run():
        for work.value in range(1, 101):
            loop.ask()
        await loop.idle()

    asyncio.run(run())
    assert work.seen == [100]


def test_messages_already_waiting_are_taken_before_drawing():
    """Each message is delivered one turn after the other, as a kernel's socket does."""
    work = Worker()
    loop = Loop(work)

    async def deliver():
        for work.value in range(1, 11):
            loop.ask()
            await asyncio.sleep(0)

    async def run():
        await deliver()
        await loop.idle()

    asyncio.run(run())
    assert work.seen == [10]


def test_a_steady_stream_cannot_starve_the_picture():
    work = Worker()
    loop = Loop(work)

    async def run():
        for work.value in range(1, 501):
            loop.ask()
            await asyncio.sleep(0)
        await loop.idle()

    asyncio.run(run())
    assert 5 <= len(work.seen) <= 50
    assert work.seen[-1] == 500


def test_a_value_that_comes_while_drawing_is_drawn_next():
    work = Worker()

    def late():
        yield from work()
        if work.value == 1:
            work.value = 2
            loop.ask()

    loop = Loop(late)

    async def run():
        work.value = 1
        loop.ask()
        await loop.idle()

    asyncio.run(run())
    assert work.seen == [1, 2]


def test_a_long_run_stops_for_a_newer_value_and_lets_others_in():
    work, other = Worker(frames=1000), Worker()
    loop, second = Loop(work), Loop(other)

    async def run():
        work.value = 1
        loop.ask()
        while len(work.seen) < 10:
            await asyncio.sleep(0)
        other.value = 7
        second.ask()
        await second.idle()
        assert work.seen.count(1) < 1000
        work.value = 2
        loop.ask()
        await loop.idle()

    asyncio.run(run())
    assert other.seen == [7]
    assert 0 < work.seen.count(1) < 1000
    assert work.seen.count(2) == 1000


def test_quick_work_is_done_at_once():
    work = Worker()
    loop = Loop(work, quick=lambda: work.value < 3)

    async def run():
        for work.value in (1, 2, 3, 4):
            loop.ask()
        assert work.seen == [1, 2]
        await loop.idle()

    asyncio.run(run())
    assert work.seen == [1, 2, 4]


def test_closed_loops_do_nothing():
    work = Worker()
    loop = Loop(work)

    async def run():
        loop.ask()
        loop.close()
        await asyncio.sleep(0.01)
        loop.ask()
        await asyncio.sleep(0.01)

    asyncio.run(run())
    assert work.seen == []
