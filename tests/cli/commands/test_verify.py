"""`reasoner verify`, as a shell runs it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import COMMAND, environment, run

ADD = "def add(a, b):\n    return a + b\n"


def rows(done: "subprocess.CompletedProcess[bytes]") -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["1/2", "--expect", "\\frac{2}{4}"], 0, "pass sympy_check the answer equals"),
        (["1/3", "--expect", "\\frac{2}{4}"], 3, "fail sympy_check the answer differs"),
        (["-3", "--expect", "-3.0"], 0, "pass sympy_check"),
        (["2 + 2 = 5, so \\boxed{5}"], 3, "fail sympy_check 1 of 1 equations are wrong"),
        (["who knows"], 4, "unknown"),
    ],
)
def test_one_answer_one_line_one_code(
    tmp_path: Path, arguments: list[str], code: int, line: str
) -> None:
    done = run(tmp_path, "verify", *arguments)
    assert done.returncode == code, done.stderr
    assert " ".join(done.stdout.decode().split()).startswith(line)


@pytest.mark.slow
def test_answers_come_from_stdin_and_files_too(tmp_path: Path) -> None:
    (tmp_path / "reply.txt").write_text("Long story.\n\nThe answer is \\boxed{0.5}.\n")
    for arguments, stdin in (
        (["-f", str(tmp_path / "reply.txt")], b""),
        ([], b"0.5"),
        (["-"], b"1/2"),
    ):
        done = run(tmp_path, "verify", *arguments, "--expect", "1/2", "--json", stdin=stdin)
        assert (done.returncode, json.loads(done.stdout)["outcome"]) == (0, "pass")


@pytest.mark.slow
def test_programs_are_run_on_tests_and_on_the_questions_examples(tmp_path: Path) -> None:
    (tmp_path / "sum.py").write_text(ADD)
    (tmp_path / "tests.py").write_text("def test_it():\n    assert add(2, 2) == 5\n")
    done = run(tmp_path, "verify", "-f", tmp_path / "sum.py", "--tests", tmp_path / "tests.py")
    assert done.returncode == 3
    assert b"1 of 1 tests fail: add(2, 2) == 5: got 4" in done.stdout
    reply = f"Sure:\n```python\n{ADD}```\n".encode()
    question = "Write add, such that add(1, 2) == 3."
    done = run(tmp_path, "verify", "--question", question, stdin=reply)
    assert done.returncode == 0
    assert b"1 of 1 examples pass" in done.stdout


LINES = [
    b'{"id": "a", "answer": "1/2", "expect": "0.5", "kept": [1, {"x": null}]}',
    b"no json",
    b"",
    b"[1]",
    b'{"id": "b"}',
    b'\xff{"answer": "1"}',
    b'{"id": "c", "pred": 3, "gold": 4}',
    b'{"id": "d", "answer": "def f(x):\\n    return x", "tests": "assert f(1) == 1"}',
    b'{"id": "e", "answer": "who knows"}',
]


@pytest.mark.slow
def test_many_answers_one_object_a_line_in_order(tmp_path: Path) -> None:
    done = run(tmp_path, "verify", "--jsonl", "-", stdin=b"\n".join(LINES))
    found = rows(done)
    assert done.returncode == 3
    wanted = ["pass", "error", "error", "error", "error", "fail", "pass", "unknown"]
    assert [row["outcome"] for row in found] == wanted
    assert found[0]["kept"] == [1, {"x": None}]
    assert [row.get("id") for row in found] == ["a", None, None, "b", None, "c", "d", "e"]
    assert "line 2: not JSON" in found[1]["error"]
    assert found[0]["verdicts"][0]["verifier"] == "sympy_check"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lines", "code"), [([0], 0), ([0, 8], 4), ([0, 1], 4), ([0, 6, 8], 3), ([1, 3], 2), ([], 2)]
)
def test_the_exit_code_sums_the_lines_up(tmp_path: Path, lines: list[int], code: int) -> None:
    given = tmp_path / "in.jsonl"
    given.write_bytes(b"\n".join(LINES[number] for number in lines))
    assert run(tmp_path, "verify", "--jsonl", given).returncode == code


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [""],
        ["-f", "/no/such/file"],
        ["1", "-f", "x"],
        ["1", "--tests", "/no/such/file"],
        ["--no-such-option"],
        ["1", "--no-such-option"],
        ["--jsonl", "/no/such/file"],
        ["1", "--jsonl", "-"],
        ["1", "--timeout", "0"],
    ],
)
def test_wrong_requests_are_one_line_and_code_2(tmp_path: Path, arguments: list[str]) -> None:
    done = run(tmp_path, "verify", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_a_reader_that_leaves_and_a_writer_that_stays_open(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "verify", "--jsonl", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdin, process.stderr:
        process.stdin.write(LINES[0] + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["outcome"] == "pass"
        process.stdout.close()
        process.stdin.write(LINES[0] + b"\n")
        process.stdin.flush()
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == b""


def test_no_model_is_touched(tmp_path: Path) -> None:
    done = run(tmp_path, "verify", "1", "--expect", "1", PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines()}
    assert "reasoner.plugin_host.host" in imported
    assert not imported & {"llama_cpp", "reasoner.solver.interface", "sympy"}


@pytest.mark.slow
def test_the_same_answer_is_checked_once(tmp_path: Path) -> None:
    asked = ["verify", "1/2", "--expect", "0.5", "--json"]
    fresh, again, anew = (
        json.loads(run(tmp_path, *asked, *more).stdout)["verdicts"][0]
        for more in ([], [], ["--no-cache"])
    )
    assert [fresh["cached"], again["cached"], anew["cached"]] == [False, True, False]
    assert fresh["reason"] == again["reason"] == anew["reason"]
    assert again["seconds"] < min(fresh["seconds"], anew["seconds"])
