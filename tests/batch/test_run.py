"""A batch whose server ends: nothing that came of its end is kept as an answer."""

import asyncio
from pathlib import Path

import pytest

from reasoner import Problem, Settings
from reasoner.batch.item import BatchItem
from reasoner.batch.run import run_batch
from reasoner.errors import ServerGone
from reasoner.solver.served import ServedSolver

HEALTH = b'{"context": 512}'
DYING = 0.2
"""Seconds for which a server still takes connections that nobody will answer."""


async def test_a_server_that_dies_slowly_fails_no_item(own_directories: Path) -> None:
    """It breaks off every connection for a while before it refuses them."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readline()
        if b"/health" in asked:
            length = b"content-length: %d" % len(HEALTH)
            writer.write(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n" + HEALTH)
            await writer.drain()
        else:
            asyncio.get_running_loop().call_later(DYING, server.close)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    items = [BatchItem(str(n), n, 1, Problem(question=f"{n} + 1?")) for n in range(1, 7)]
    records = []

    async def ask_all() -> None:
        async with ServedSolver(Settings.load(server=f"http://127.0.0.1:{port}")) as solver:
            async for record in run_batch(items, solver.solve, max_concurrency=3):
                records.append(record)

    with pytest.raises(ServerGone):
        await ask_all()
    assert not records
