"""Many at once: in order or as finished, bounded, stoppable."""

import asyncio
from collections.abc import Iterator

import pytest

from reasoner.concurrency.bounded_map import WINDOW_FACTOR, bounded_map


async def test_order_and_number_at_work() -> None:
    at_work, most = 0, 0
    gates = [asyncio.Event() for _ in range(12)]

    async def work(number: int) -> int:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await gates[number].wait()
        at_work -= 1
        return number

    async def open_backwards() -> None:
        for gate in reversed(gates):
            await asyncio.sleep(0.005)
            gate.set()

    opener = asyncio.create_task(open_backwards())
    assert [n async for n in bounded_map(range(12), work, 4)] == [*range(12)]
    await opener
    assert most == 4


async def test_as_finished() -> None:
    last = asyncio.Event()

    async def work(number: int) -> int:
        if number == 0:
            await last.wait()
        if number == 2:
            last.set()
        return number

    found = [n async for n in bounded_map(range(3), work, 3, in_order=False)]
    assert sorted(found) == [0, 1, 2]
    assert found[-1] == 0


async def test_no_more_is_taken_in_than_is_fetched() -> None:
    taken = 0

    def endless() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    async def work(number: int) -> int:
        return number

    flow = bounded_map(endless(), work, 2)
    async for number in flow:
        await asyncio.sleep(0.002)
        assert taken <= number + 2 * WINDOW_FACTOR + 1
        if number == 50:
            break
    await flow.aclose()


@pytest.mark.parametrize("in_order", [True, False])
async def test_stopping_waits_for_what_is_at_work(in_order: bool) -> None:
    stop = asyncio.Event()

    def endless() -> Iterator[int]:
        number = 0
        while True:
            yield (number := number + 1)

    async def work(number: int) -> int:
        await asyncio.sleep(0.001)
        if number == 20:
            stop.set()
            await asyncio.sleep(0.02)
        return number

    found = [n async for n in bounded_map(endless(), work, 3, in_order=in_order, stop=stop)]
    assert {*range(1, 21)} <= {*found}
    assert len(found) <= 20 + 3 * WINDOW_FACTOR
    assert (found == sorted(found)) or not in_order


async def test_errors_of_source_and_work_come_out() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("unplugged")

    async def work(number: int) -> int:
        return 6 // number

    with pytest.raises(OSError, match="unplugged"):
        _ = [n async for n in bounded_map(broken(), work, 2)]
    with pytest.raises(ZeroDivisionError):
        _ = [n async for n in bounded_map([1, 0, 2], work, 2)]
