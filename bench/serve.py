"""A server under load: many streaming clients, with nonsense and oversized requests in between.

    python -m bench.serve MODEL [--clients 32] [--seconds 180]

Starts `reasoner serve` on MODEL, and prints the statuses, the seconds of the answers, the longest
silence within one, and the server's memory after each third of the time.
"""

import argparse
import asyncio
import json
import random
import subprocess
from collections import Counter
from pathlib import Path
from statistics import median, quantiles
from time import monotonic
from typing import Any

import httpx2

from bench.server_process import running_server

CHAT = "/v1/chat/completions"
LIMITS = ("--budget", "24", "--max-tokens", "48")
PLAIN = {"content-type": "application/json"}
BAD_REQUESTS: tuple[tuple[bytes, dict[str, str]], ...] = (
    (b"{", PLAIN),
    (b"\xff\x00", PLAIN),
    (b'{"messages": []}', PLAIN),
    (b'{"messages": [{"role": "user", "content": "x"}], "model": "other"}', PLAIN),
    (json.dumps({"messages": [{"role": "user", "content": "long " * 20_000}]}).encode(), PLAIN),
    (b"{}", {"content-type": "text/plain"}),
    (b"x" * (5 * 2**20), PLAIN),
)


class ServerLoad:
    """Clients that send requests until the time is up. Every fourth request is bad, every eighth is
    abandoned in the middle. The attributes count the outcomes."""

    def __init__(self, address: str, seconds: float) -> None:
        self._address, self._end = address, monotonic() + seconds
        self._random = random.Random(0)
        self.answered = self.abandoned = 0
        self.statuses: Counter[int] = Counter()
        self.failures: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.silence = 0.0

    async def run_clients(self, clients: int) -> None:
        """Run so many clients side by side until the time is up."""
        limits = httpx2.Limits(max_connections=None)
        async with httpx2.AsyncClient(
            base_url=self._address, timeout=300, limits=limits, trust_env=False
        ) as client:
            await asyncio.gather(*(self._client(client) for _ in range(clients)))

    async def _client(self, client: httpx2.AsyncClient) -> None:
        while monotonic() < self._end:
            try:
                if self._random.random() < 0.25:
                    body, headers = self._random.choice(BAD_REQUESTS)
                    response = await client.post(CHAT, content=body, headers=headers)
                    self.statuses[response.status_code] += 1
                else:
                    await self._ask(client, abandon=self._random.random() < 0.17)
            except Exception as error:
                self.failures[f"{type(error).__name__}: {error}"] += 1

    async def _ask(self, client: httpx2.AsyncClient, *, abandon: bool) -> None:
        question = f"What is {self._random.randrange(100)} + {self._random.randrange(100)}?"
        body = {"messages": [{"role": "user", "content": question}], "stream": True}
        start_time = last_line_time = monotonic()
        async with client.stream("POST", CHAT, json=body) as response:
            self.statuses[response.status_code] += 1
            async for line in response.aiter_lines():
                silence = monotonic() - last_line_time
                self.silence, last_line_time = max(self.silence, silence), monotonic()
                if abandon and '"finish_reason": null' in line:
                    self.abandoned += 1
                    return
                if line == "data: [DONE]":
                    self.answered += 1
                    self.seconds.append(monotonic() - start_time)
                    return
        self.failures["a stream without an end"] += 1


def resident_mib(process: "subprocess.Popen[Any]") -> float:
    """Return the resident memory of a process in MiB."""
    return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * 4096 / 2**20


async def measure_server(
    process: "subprocess.Popen[Any]", address: str, clients: int, seconds: int
) -> None:
    """Put the server under load, and print the outcomes."""
    load = ServerLoad(address, seconds)
    memory = [resident_mib(process)]
    running = asyncio.ensure_future(load.run_clients(clients))
    for _ in range(3):
        await asyncio.sleep(seconds / 3)
        memory.append(resident_mib(process))
    await running
    percentile = quantiles(load.seconds, n=20)[-1] if len(load.seconds) > 1 else 0.0
    print(
        f"{load.answered} answered, {load.abandoned} left, statuses {dict(load.statuses)}, "
        f"failures {dict(load.failures)}; {median(load.seconds):.1f} s median, "
        f"{percentile:.1f} s 95th percentile, longest silence {load.silence:.1f} s; "
        f"memory {', '.join(f'{size:.0f}' for size in memory)} MiB; "
        f"{'alive' if process.poll() is None else 'DEAD'}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=int, default=180)
    options = parser.parse_args()
    with running_server(options.model, LIMITS) as (process, address):
        asyncio.run(measure_server(process, address, options.clients, options.seconds))
        process.terminate()
        print(f"exit {process.wait(60)}")


if __name__ == "__main__":
    main()
