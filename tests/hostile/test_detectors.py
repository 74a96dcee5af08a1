"""The same attacks without a sandbox: each succeeds, so each that fails inside was stopped."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hostile.attack import Attack
from tests.hostile.test_attacks import ATTACKS
from tests.hostile.world import Heard, World, running

BULK = 2
"""MiB; unconfined, a little has to do."""


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_it_succeeds_where_nothing_stops_it(attack: Attack, world: World, tmp_path: Path) -> None:
    if attack.as_root and os.geteuid() != 0:
        pytest.skip("outside a sandbox, too, only root can do this")
    program = tmp_path / "program.py"
    program.write_text(world.program(attack, BULK))
    heard = _unconfined(program, attack.seconds)
    effects = world.effects(attack, heard, marker=str(program))
    _end(str(program))
    if "no such call" in heard.output or heard.ended == -signal.SIGSEGV:
        pytest.skip("this kernel does not have what it attacks")
    assert effects, heard


def test_an_honest_program_has_none_of_the_effects(world: World, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    honest = Attack("honest", "print(sum(range(10))); open('note', 'w').write('mine')")
    program.write_text(world.program(honest, BULK))
    heard = _unconfined(program, 20)
    assert heard.output == "45\n"
    assert world.effects(honest, heard, marker=str(program)) == set()


def _unconfined(program: Path, seconds: float) -> Heard:
    """Run it with everything we have ourselves, and end whatever it started."""
    began, said = time.monotonic(), program.with_suffix(".out")
    with (
        said.open("wb") as file,
        subprocess.Popen(
            [sys.executable, str(program)],
            cwd=program.parent,
            close_fds=False,
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=file,
            env=os.environ | {"PYTHONPATH": str(program.parent)},
            start_new_session=True,
        ) as process,
    ):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        ended = process.poll()
        process.kill()
    output, seconds = said.read_bytes(), time.monotonic() - began
    text = output.decode(errors="replace")
    return Heard(text, seconds, ended, readable=output == text.encode())


def _end(marker: str) -> None:
    for pid in running(marker):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
