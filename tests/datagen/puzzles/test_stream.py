"""Data files: in the grammar, without what is excluded, the same however often cut off."""

import json
import re
from pathlib import Path

import pytest

from reasoner.datagen.puzzles.record import KINDS, PathRecord
from reasoner.datagen.puzzles.stream import PathDataRecipe, excluded_keys, write_path_records
from reasoner.errors import UsageError
from reasoner.protocol.steiner import FIELDS, TOKEN_NAMES
from tests.cli.command import run

RECIPE = PathDataRecipe(problems=12, paths=3, seed=4, mix=dict.fromkeys(KINDS, 1.0))


def grammar() -> re.Pattern[str]:
    """Steiner's grammar as one expression."""
    fields = "".join(
        rf"<\|reasoning_step_{f}_start\|>[^<]*<\|reasoning_step_{f}_end\|>" for f in FIELDS
    )
    step = rf"<\|reasoning_step_start\|>{fields}<\|reasoning_step_end\|>"
    decision = r"<\|reasoning_(?:proceed|backtrack)\|>"
    return re.compile(rf"<\|reasoning_start\|>{step}(?:{decision}{step})*<\|reasoning_end\|>[^|]+")


def lines(path: Path) -> list[PathRecord]:
    return [PathRecord.model_validate_json(line) for line in path.read_text("utf-8").splitlines()]


def test_every_reply_is_in_the_grammar_with_all_fourteen_tokens(tmp_path: Path) -> None:
    out = tmp_path / "paths.jsonl"
    assert write_path_records(out, RECIPE) == 12
    found = lines(out)
    assert len(found) == 36
    form = grammar()
    assert all(form.fullmatch(line.reply) for line in found)
    assert all(line.reply.count("_step_start|>") == len(line.steps) for line in found)
    used = set(re.findall(r"<\|(\w+)\|>", "".join(line.reply for line in found)))
    assert used == set(TOKEN_NAMES)
    assert len({line.kind for line in found}) == len(KINDS)


@pytest.mark.parametrize("kept", [0, 1, 100, 5000, 20_000])
def test_a_file_that_was_cut_off_becomes_the_same(tmp_path: Path, kept: int) -> None:
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    write_path_records(whole, RECIPE)
    write_path_records(cut, RECIPE.model_copy(update={"problems": 5}))
    cut.write_bytes(cut.read_bytes()[:kept])
    write_path_records(cut, RECIPE)
    assert cut.read_bytes() == whole.read_bytes()


def test_another_recipe_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "paths.jsonl"
    write_path_records(out, RECIPE.model_copy(update={"problems": 1}))
    with pytest.raises(UsageError, match="another recipe"):
        write_path_records(out, RECIPE.model_copy(update={"seed": 5}))


def test_excluded_problems_stay_out(tmp_path: Path) -> None:
    mix = {"countdown3": 1.0}
    recipe = PathDataRecipe(problems=8, paths=1, mix=mix)
    write_path_records(tmp_path / "all.jsonl", recipe)
    rows = []
    for line in lines(tmp_path / "all.jsonl"):
        numbers, target = line.key.split(" = ")
        rows.append({"numbers": [int(n) for n in numbers.split()][::-1], "target": int(target)})
    listed = tmp_path / "dev.jsonl"
    listed.write_text("".join(json.dumps(row) + "\n" for row in rows))
    keys = excluded_keys([listed])
    write_path_records(tmp_path / "rest.jsonl", recipe, keys)
    assert not keys & {line.key for line in lines(tmp_path / "rest.jsonl")}
    assert len(keys) == 8


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    out = tmp_path / "paths.jsonl"
    done = run(tmp_path, "data", "paths", "--out", out, "--problems", "3", "--paths", "2")
    assert done.returncode == 0
    assert b"6 paths of 3 problems" in done.stderr
    assert done.stdout == b""
    assert len(lines(out)) == 6
    again = run(tmp_path, "data", "paths", "--out", out, "--problems", "3", "--paths", "3")
    assert again.returncode == 2
    assert again.stderr.count(b"\n") == 1
    wrong = run(tmp_path, "data", "paths", "--out", out, "--mix", "countdwn3=1")
    assert wrong.returncode == 2
    assert b"did you mean countdown3" in wrong.stderr
    (tmp_path / "bad.jsonl").write_text('{"numbers": 3}\n')
    bad = run(tmp_path, "data", "paths", "--out", out, "--exclude", tmp_path / "bad.jsonl")
    assert bad.returncode == 2
    assert b"bad.jsonl:1" in bad.stderr
