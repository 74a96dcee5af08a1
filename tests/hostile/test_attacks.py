"""Every attack in every layer that works here: what gets through is exactly the layer's gaps."""

import pytest

from python_sandbox import probe
from python_sandbox.execution import MAX_MEMORY_BYTES, ProgramRun, run_in_layer
from python_sandbox.layers import LAYERS, Layer
from tests.hostile import files, kernel, language, network, processes, resources
from tests.hostile.attack import Attack
from tests.hostile.world import Heard, World

ATTACKS = tuple(
    attack
    for room in (files, network, processes, kernel, resources, language)
    for attack in room.ATTACKS
)
WORKING = [layer for layer in LAYERS if layer.possible and probe.attack_layer(layer) is None]
BULK = 2000
"""MiB that an attack tries to write or print; limits stop it long before."""


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
@pytest.mark.parametrize("layer", WORKING, ids=lambda layer: layer.name)
def test_what_gets_through_is_the_layers_gaps(
    layer: Layer, attack: Attack, world: World, marker: str
) -> None:
    run = _run(layer, world.program(attack, BULK), attack.seconds)
    output = "\n".join((run.stdout, run.stderr, run.error or "", run.kind or ""))
    heard = Heard(output, run.seconds, run.exit_code)
    effects = world.effects(attack, heard, marker)
    assert run.outcome != "refused", run.error
    assert bool(effects) == (attack.name in layer.gaps), (effects, run)


@pytest.mark.parametrize(
    ("code", "outcomes"),
    [
        ("def f(): f()\nf()", {"error"}),
        ("ctypes.string_at(0)", {"signal"}),
        ("os.abort()", {"signal"}),
        ("import faulthandler; faulthandler._sigsegv()", {"signal"}),
        ("os._exit(0)", {"exit"}),
    ],
)
@pytest.mark.parametrize("layer", WORKING, ids=lambda layer: layer.name)
def test_what_a_program_does_to_itself_ends_in_a_verdict(
    layer: Layer, code: str, outcomes: set[str], world: World, marker: str
) -> None:
    attack = Attack("itself", code)
    run = _run(layer, world.program(attack, BULK), attack.seconds)
    assert run.outcome in outcomes, run
    heard = Heard(run.stdout + run.stderr, run.seconds, run.exit_code)
    assert world.effects(attack, heard, marker) == set()


def _run(layer: Layer, code: str, seconds: float) -> ProgramRun:
    """Once more when a busy machine did not get a jail started in time."""
    for _ in range(3):
        run = run_in_layer(layer, code, stdin="", seconds=seconds, memory=MAX_MEMORY_BYTES)
        if run.outcome != "refused":
            break
    return run


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_a_layers_gaps_are_attacks(layer: Layer) -> None:
    if layer.outer == "sandbox-exec":
        assert layer.gaps  # nothing of it has been tried on a Mac
    else:
        assert set(layer.gaps) <= {attack.name for attack in ATTACKS}


def test_attacks_have_names_of_their_own() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) > 90
