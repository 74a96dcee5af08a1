"""Work side by side: the first error ends the rest, and closing cancels what runs."""

import asyncio
from contextlib import aclosing

import pytest

from reasoner.concurrency.gather import completed_on_demand, gather_all


async def test_the_first_error_cancels_the_others() -> None:
    ended = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async def breaks() -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await gather_all([slow(), breaks()])
    assert ended.is_set()


async def test_closing_a_draw_ends_what_still_runs() -> None:
    running: set[int] = set()
    started = iter(range(100))

    async def draw() -> int:
        number = next(started)
        running.add(number)
        try:
            await asyncio.sleep(0 if number == 1 else 60)
        finally:
            running.remove(number)
        return number

    draws = completed_on_demand(draw, lambda count: count < 3)
    async with aclosing(draws):
        async for number in draws:
            assert number == 1
            break
    assert running == set()
    assert next(started) == 3


async def test_all_results_come_in_order() -> None:
    async def after(delay: float) -> float:
        await asyncio.sleep(delay)
        return delay

    assert await gather_all(after(delay) for delay in (0.02, 0.0, 0.01)) == [0.02, 0.0, 0.01]
