"""One world outside for the whole suite."""

import os
from collections.abc import Iterator

import pytest

from python_sandbox import folder, pool
from tests.hostile.world import World


@pytest.fixture(scope="session")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("w")) as world:
        yield world


@pytest.fixture(scope="session")
def marker() -> str:
    """What is in the command line of every jail of ours."""
    box = folder.create_temporary_folder()
    folder.remove_folder(box)
    return os.path.dirname(box)


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    pool.close()  # jails that wait would be taken for programs left running
    shared_world.restore()
    yield shared_world
    shared_world.restore()
