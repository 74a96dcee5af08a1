"""A server under load: many streaming clients, with nonsense and oversized requests in between.

    python -m bench.serve MODEL [--clients 32] [--seconds 180]

Starts `reasoner serve` on MODEL and says what came back, how long answers and the silences within
them took, and what memory it held after each third of the time.
"""

import argparse
import asyncio
import json
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from statistics import median, quantiles
from time import monotonic
from typing import Any

import httpx2

CHAT = "/v1/chat/completions"
LIMITS = ("--budget", "24", "--max-tokens", "48")
PLAIN = {"content-type": "application/json"}
NONSENSE: tuple[tuple[bytes, dict[str, str]], ...] = (
    (b"{", PLAIN),
    (b"\xff\x00", PLAIN),
    (b'{"messages": []}', PLAIN),
    (b'{"messages": [{"role": "user", "content": "x"}], "model": "other"}', PLAIN),
    (json.dumps({"messages": [{"role": "user", "content": "long " * 20_000}]}).encode(), PLAIN),
    (b"{}", {"content-type": "text/plain"}),
    (b"x" * (5 * 2**20), PLAIN),
)


class Load:
    """Clients that ask again and again until the time is up; every fourth request is nonsense,
    every eighth is left in the middle."""

    def __init__(self, address: str, seconds: float) -> None:
        self._address, self._end = address, monotonic() + seconds
        self._chance = random.Random(0)
        self.answered = self.left = 0
        self.statuses: Counter[int] = Counter()
        self.failures: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.silence = 0.0

    async def run(self, clients: int) -> None:
        limits = httpx2.Limits(max_connections=None)
        async with httpx2.AsyncClient(
            base_url=self._address, timeout=300, limits=limits, trust_env=False
        ) as client:
            await asyncio.gather(*(self._client(client) for _ in range(clients)))

    async def _client(self, client: httpx2.AsyncClient) -> None:
        while monotonic() < self._end:
            try:
                if self._chance.random() < 0.25:
                    body, headers = self._chance.choice(NONSENSE)
                    response = await client.post(CHAT, content=body, headers=headers)
                    self.statuses[response.status_code] += 1
                else:
                    await self._ask(client, leave=self._chance.random() < 0.17)
            except Exception as error:
                self.failures[f"{type(error).__name__}: {error}"] += 1

    async def _ask(self, client: httpx2.AsyncClient, *, leave: bool) -> None:
        question = f"What is {self._chance.randrange(100)} + {self._chance.randrange(100)}?"
        body = {"messages": [{"role": "user", "content": question}], "stream": True}
        begun = last = monotonic()
        async with client.stream("POST", CHAT, json=body) as response:
            self.statuses[response.status_code] += 1
            async for line in response.aiter_lines():
                self.silence, last = max(self.silence, monotonic() - last), monotonic()
                if leave and '"finish_reason": null' in line:
                    self.left += 1
                    return
                if line == "data: [DONE]":
                    self.answered += 1
                    self.seconds.append(monotonic() - begun)
                    return
        self.failures["a stream without an end"] += 1


def memory(process: "subprocess.Popen[Any]") -> float:
    """Resident MiB."""
    return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * 4096 / 2**20


async def measure(
    process: "subprocess.Popen[Any]", address: str, clients: int, seconds: int
) -> None:
    load = Load(address, seconds)
    held = [memory(process)]
    running = asyncio.ensure_future(load.run(clients))
    for _ in range(3):
        await asyncio.sleep(seconds / 3)
        held.append(memory(process))
    await running
    slow = quantiles(load.seconds, n=20)[-1] if len(load.seconds) > 1 else 0.0
    print(
        f"{load.answered} answered, {load.left} left, statuses {dict(load.statuses)}, "
        f"failures {dict(load.failures)}; {median(load.seconds):.1f} s median, {slow:.1f} s 95th "
        f"percentile, longest silence {load.silence:.1f} s; "
        f"memory {', '.join(f'{size:.0f}' for size in held)} MiB; "
        f"{'alive' if process.poll() is None else 'DEAD'}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=int, default=180)
    options = parser.parse_args()
    command = [sys.executable, "-m", "reasoner", "serve", "--port", "0", "-m", options.model]
    with subprocess.Popen([*command, *LIMITS], stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        found = re.search(r"http://\S+?(?=/v1)", process.stderr.readline().decode())
        if found is None:
            raise SystemExit("the server does not start")
        try:
            asyncio.run(measure(process, found[0], options.clients, options.seconds))
        finally:
            process.terminate()
        print(f"exit {process.wait(60)}")


if __name__ == "__main__":
    main()
