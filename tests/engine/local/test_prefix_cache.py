"""Prefix arithmetic and the thread policy."""

import numpy as np

from reasoner.engine.local.prefix_cache import common_prefix
from reasoner.engine.local.threads import default_threads, usable_cores


def test_common_prefix() -> None:
    one = np.array([1, 2, 3, 4], np.int32)
    assert common_prefix(one, one) == 4
    assert common_prefix(one, one[:2]) == 2
    assert common_prefix(one, np.array([1, 2, 9], np.int32)) == 2
    assert common_prefix(one, np.array([], np.int32)) == 0


def test_threads_fit_the_machine() -> None:
    assert 1 <= default_threads() <= usable_cores()
