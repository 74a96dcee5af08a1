"""`reasoner ask` with a real model: what goes where, and which exit code it earns."""

import json
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from reasoner.types.events import Event, ResultEvent
from reasoner.types.result import Result
from tests.cli.command import COMMAND, environment, run
from tests.cli.terminal import Terminal

QUESTION = "What is 2 + 3? Explain each step at length, in many sentences."
SHORT = ("--budget", "12", "--max-tokens", "60", "--seed", "1", "--no-verify")
ANSWERING = ("--no-think", "--protocol", "think", "--max-tokens", "6000", "--no-verify")
ENDLESS = ("--min-steps", "500", "--budget", "6000", "--max-tokens", "7000", "--no-verify")


@pytest.fixture(scope="module")
def answered(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The result of QUESTION, as --json prints it."""
    home = tmp_path_factory.mktemp("home")
    done = run(home, "ask", QUESTION, "-m", smollm2, *SHORT, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"\n") == 1
    return Result.model_validate_json(done.stdout)


def test_json_is_the_whole_result(answered: Result, smollm2: Path) -> None:
    assert answered.question == QUESTION
    assert answered.status == "answered"
    assert answered.answer.strip()
    assert answered.strategy == "linear"
    assert answered.seed == 1
    assert answered.usage.prompt_tokens > 0
    assert answered.usage.completion_tokens >= answered.usage.reasoning_tokens
    assert json.loads(answered.model_dump_json())["finish_reason"] in ("stop", "length", "budget")


def test_stdout_holds_the_answer_and_nothing_else(
    answered: Result, smollm2: Path, tmp_path: Path
) -> None:
    done = run(tmp_path, "ask", QUESTION, "-m", smollm2, *SHORT)
    assert done.returncode == 0
    assert done.stdout.decode() == answered.answer.strip() + "\n"
    assert b"answered, not checked" in done.stderr


def test_thinking_is_hidden_in_a_pipe_and_shown_on_request(
    answered: Result, smollm2: Path, tmp_path: Path
) -> None:
    thought = answered.reasoning[0].text.split("\n")[0].strip()[:20]
    assert thought
    hidden = run(tmp_path, "ask", QUESTION, "-m", smollm2, *SHORT)
    shown = run(tmp_path, "ask", QUESTION, "-m", smollm2, *SHORT, "--show-reasoning")
    assert thought not in hidden.stderr.decode()
    assert thought in shown.stderr.decode()
    assert shown.stdout == hidden.stdout


def test_ndjson_is_one_event_a_line(smollm2: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "ask", QUESTION, "-m", smollm2, *SHORT, "--ndjson")
    parse: TypeAdapter[Event] = TypeAdapter(Event)
    events = [parse.validate_json(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert {"text", "step", "result"} <= {event.kind for event in events}
    assert isinstance(events[-1], ResultEvent)


@pytest.mark.slow
def test_quiet_and_usage(tiny_gguf: Path, tmp_path: Path) -> None:
    asked = ("ask", QUESTION, "-m", tiny_gguf, *SHORT, "-q", "--no-cache")
    quiet = run(tmp_path, *asked)
    assert quiet.stderr == b""
    usage = run(tmp_path, *asked, "-u")
    assert b"tokens/s" in usage.stderr
    assert usage.stdout == quiet.stdout


def test_a_refuted_answer_is_printed_and_exits_3(smollm2: Path, tmp_path: Path) -> None:
    model = ("-m", smollm2, "--budget", "12", "--max-tokens", "60", "--seed", "1")
    done = run(tmp_path, "ask", QUESTION, *model, "--expect", "987654321")
    assert done.returncode == 3
    assert done.stdout.strip()
    assert b"refuted" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_no_code_block_exits_4(tiny_gguf: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "ask", "hi", "-m", tiny_gguf, *SHORT, "-x")
    assert done.returncode == 4
    assert done.stdout == b""
    assert done.stderr.rstrip().splitlines()[-1].startswith(b"reasoner: ")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "darwin", reason="its files have names that are text")
def test_a_model_file_whose_name_is_no_text(tiny_gguf: Path, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.gguf"))
    odd.symlink_to(tiny_gguf)
    done = run(tmp_path, "ask", "hi", "-m", odd, *SHORT, "--json", "--trace", tmp_path / "t.json")
    assert json.loads(done.stdout)["model"].endswith("/?.gguf"), done.stderr
    assert json.loads((tmp_path / "t.json").read_bytes())["settings"]["model"].endswith("/?.gguf")
    assert run(tmp_path, "history", "show").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("layers", [0, 1_000_000])
def test_a_model_file_that_llama_cpp_aborts_at(
    tiny_gguf: Path, tmp_path: Path, layers: int
) -> None:
    """It would take the process with it, and show a debugger's view of that."""
    data, key = bytearray(tiny_gguf.read_bytes()), b"llama.block_count"
    place = data.index(key) + len(key) + 4
    data[place : place + 4] = struct.pack("<I", layers)
    (tmp_path / "odd.gguf").write_bytes(data)
    done = run(tmp_path, "ask", "hi", "-m", tmp_path / "odd.gguf")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert b"llama.cpp gave up" in done.stderr
    assert b"fetch it again" in done.stderr


@pytest.mark.slow
def test_noise_never_sends_control_characters(tiny_gguf: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "ask", "hi", "-m", tiny_gguf, *SHORT, "--show-reasoning")
    for stream in (done.stdout, done.stderr):
        text = stream.decode()
        assert not [c for c in text if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["-m", "smollm2-135"], 2, "did you mean smollm2-135m"),
        (["-m", "/nowhere/model.gguf"], 2, "/nowhere/model.gguf"),
        (["--budget", "-3"], 2, "budget"),
        (["--min-steps", "5", "--max-steps", "2"], 2, "max_steps"),
        (["-o", "top_q=1"], 2, "top_p"),
        (["-o", "nonsense"], 2, "key=value"),
        (["--strategy", "linaer"], 2, "linear"),
        (["--json", "--final"], 2, "only one of"),
        (["--gpu-layers", "some"], 2, "gpu_layers"),
    ],
)
def test_bad_requests_are_one_line(
    tiny_gguf: Path, tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    given = arguments if "-m" in arguments else [*arguments, "-m", str(tiny_gguf)]
    done = run(tmp_path, "ask", "hi", *given)
    assert done.returncode == code
    assert done.stdout == b""
    assert says in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_a_file_that_is_no_model_exits_1(tmp_path: Path) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(b"not a model at all" * 100)
    done = run(tmp_path, "ask", "hi", "-m", file)
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_a_huge_question_is_refused_with_both_counts(tiny_gguf: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "ask", "-m", tiny_gguf, stdin=b"many words " * (10**7 // 11))
    assert done.returncode == 2
    assert done.stdout == b""
    line = done.stderr.decode()
    assert "tokens, the context holds" in line
    assert sum(word.strip(",;").isdigit() for word in line.split()) == 2


def test_bare_command_answers_stdin(smollm2: Path, tmp_path: Path) -> None:
    done = run(
        tmp_path,
        stdin=QUESTION.encode(),
        REASONER_MODEL=str(smollm2),
        REASONER_MAX_TOKENS="60",
        REASONER_BUDGET="30",
    )
    assert done.returncode == 0
    assert done.stdout.strip()


@pytest.mark.slow
def test_an_inherited_stdin_that_never_closes_does_not_block(
    tiny_gguf: Path, tmp_path: Path
) -> None:
    reader, writer = os.pipe()
    done = run(tmp_path, "ask", "hi", "-m", tiny_gguf, *SHORT, stdin=reader)
    os.close(reader)
    os.close(writer)
    assert done.returncode == 0
    assert b"left out" in done.stderr


def test_a_reader_that_leaves_is_no_error(smollm2: Path, tmp_path: Path) -> None:
    words = " ".join(f"'{word}'" for word in (*COMMAND, "ask", QUESTION, "-m", smollm2, *SHORT))
    script = f"{words} --ndjson < /dev/null | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, env=environment(tmp_path), check=True
    )
    first, *_, code = done.stdout.splitlines()
    assert json.loads(first)
    assert code == b"0"
    assert b"Broken" not in done.stderr


def _interrupted(home: Path, *arguments: Any) -> tuple[int, bytes, bytes]:
    """Start, wait for the first thought, send SIGINT; give code, stdout and stderr."""
    process = subprocess.Popen(
        [*COMMAND, "ask", *map(str, arguments), "--show-reasoning"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(home),
        bufsize=0,
    )
    assert process.stderr is not None
    seen = b""
    while len(seen) < 40:
        seen += process.stderr.read(1) or pytest.fail(f"ended: {seen!r}")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    out, error = process.communicate(timeout=120)
    assert time.monotonic() - began < 30  # usually a second or two
    return process.returncode, out, seen + error


def test_sigint_gives_130_and_one_line(smollm2: Path, tmp_path: Path) -> None:
    code, out, error = _interrupted(tmp_path, "Tell me a long story.", "-m", smollm2, *ENDLESS)
    assert code == 130
    assert b"Traceback" not in error
    assert error.rstrip().splitlines()[-1].startswith(b"reasoner: interrupted")
    assert b"\x1b" not in out


def test_a_second_sigint_ends_it_at_once(smollm2: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [
            *COMMAND,
            "ask",
            "Tell me a long story.",
            "-m",
            str(smollm2),
            *ENDLESS,
            "--show-reasoning",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
        bufsize=0,
    )
    assert process.stderr is not None
    seen = process.stderr.read(1)
    os.kill(process.pid, signal.SIGINT)
    os.kill(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130
    assert b"Traceback" not in seen + error


def test_sigint_in_the_answer_keeps_what_was_written(smollm2: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "ask", "Tell me a very long story.", "-m", str(smollm2), *ANSWERING],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
        bufsize=0,
    )
    assert process.stdout is not None
    seen = process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=120)
    assert process.returncode == 130
    assert seen
    assert (seen + out).endswith(b"\n")
    assert b"interrupted" in error


def test_at_a_terminal_thinking_is_dim_and_ctrl_c_restores_it(
    smollm2: Path, tmp_path: Path
) -> None:
    arguments: list[str | Path] = ["ask", "Tell me a long story.", "-m", smollm2, *ENDLESS]
    with Terminal(tmp_path, arguments) as terminal:
        terminal.expect("\x1b[2m")
        time.sleep(0.5)
        terminal.send("\x03")
        assert terminal.wait() == 130
        assert terminal.restored()
        assert b"reasoner: interrupted" in terminal.screen
        assert b"Traceback" not in terminal.screen


@pytest.mark.slow
@pytest.mark.parametrize("how", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}])
def test_no_escapes_where_none_are_wanted(
    tiny_gguf: Path, tmp_path: Path, how: dict[str, str]
) -> None:
    arguments: list[str | Path] = [
        "ask",
        QUESTION,
        "-m",
        tiny_gguf,
        *SHORT,
        *([] if how else ["--no-color"]),
    ]
    with Terminal(tmp_path, arguments, columns=30, **how) as terminal:
        assert terminal.wait() == 0
        assert b"\x1b" not in terminal.screen
        assert b"answered, not checked" in terminal.screen


@pytest.mark.slow
def test_markdown_is_rendered_at_a_terminal_unless_raw(tiny_gguf: Path, tmp_path: Path) -> None:
    arguments: list[str | Path] = ["ask", "hi", "-m", tiny_gguf, *SHORT, "-q"]
    with Terminal(tmp_path, arguments, columns=30) as terminal:
        assert terminal.wait() == 0
        assert all(len(line) <= 30 for line in terminal.screen.decode().splitlines())
    with Terminal(tmp_path, [*arguments, "--raw"]) as terminal:
        assert terminal.wait() == 0
        assert b"\x1b" not in terminal.screen


def test_a_value_model_that_cannot_judge_is_refused(smollm2: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "ask", "-m", smollm2, "--value", "self", "What is 1 + 1?")
    assert (done.returncode, done.stdout) == (1, b"")
    assert "cannot tell right steps" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
