from pathlib import Path

import pytest

from tests.plugins.fuzzing import PAYLOADS, fuzz, strings


@pytest.mark.slow
def test_fuzzed_answers_execute_nothing_even_unconfined(tmp_path: Path) -> None:
    found = fuzz(150, 1, tmp_path, 5.0)  # ten thousand: python -m bench.fuzz
    assert found.file_untouched
    assert found.variable_untouched
    assert not found.strangers
    assert found.read + len(found.late) == 150


@pytest.mark.slow
def test_the_payloads_do_harm_where_text_is_executed(tmp_path: Path) -> None:
    found = fuzz(0, 0, tmp_path, 5.0, execute=True)
    assert not found.file_untouched
    assert not found.variable_untouched


def test_the_strings_are_seeded_and_varied() -> None:
    assert strings(50, 3) == strings(50, 3) != strings(50, 4)
    many = strings(2000, 1)
    assert len(set(many)) > 1500
    assert all(any(payload in text for text in many) for payload in PAYLOADS)
    assert any("\uff49\uff4d\uff50\uff4f\uff52\uff54" in text for text in many)
