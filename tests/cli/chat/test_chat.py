"""`reasoner chat`: in a pseudo-terminal as a person uses it, and line by line in a script."""

import time
from pathlib import Path

import pytest

from tests.cli.command import run
from tests.cli.terminal import Terminal

BRIEF = ("--budget", "8", "--max-tokens", "40", "--seed", "1", "--no-verify")
PROMPT = "›"
WORTH = "answered, not checked"


@pytest.fixture
def arguments(smollm2: Path) -> list[str | Path]:
    return ["chat", "-m", smollm2, *BRIEF]


@pytest.mark.slow
def test_two_turns_help_and_leaving(arguments: list[str | Path], tmp_path: Path) -> None:
    with Terminal(tmp_path, arguments) as terminal:
        terminal.expect(PROMPT)
        terminal.send("What is 1 + 1?\r")
        terminal.expect(WORTH)
        terminal.expect(PROMPT)
        terminal.send("And 2 + 2?\r")
        terminal.expect(WORTH)
        terminal.expect(PROMPT)
        terminal.send("/help\r")
        terminal.expect("/clear")
        terminal.expect("begin with /")
        terminal.expect(PROMPT)
        terminal.send("\x04")
        assert terminal.wait() == 0
        assert terminal.restored()
    assert "+And 2 + 2?" in (tmp_path / "data" / "chat_history").read_text()


def test_ctrl_c_stops_the_answer_and_not_the_chat(smollm2: Path, tmp_path: Path) -> None:
    endless = ["--min-steps", "500", "--budget", "6000", "--max-tokens", "7000", "--no-verify"]
    with Terminal(tmp_path, ["chat", "-m", smollm2, *endless]) as terminal:
        terminal.expect(PROMPT)
        terminal.send("Tell me a long story.\r")
        terminal.expect("\x1b[2m")
        time.sleep(1)
        terminal.send("\x03")
        terminal.expect("interrupted")
        terminal.expect(PROMPT)
        terminal.send("half a line\x03")
        terminal.expect(PROMPT)
        terminal.send("/exit\r")
        assert terminal.wait() == 0
        assert terminal.restored()


def test_a_script_gets_one_answer_a_line(arguments: list[str | Path], tmp_path: Path) -> None:
    done = run(tmp_path, *arguments, stdin=b"What is 1 + 1?\n\nAnd 2?\n")
    assert done.returncode == 0
    assert done.stderr.decode().count(WORTH) == 2
    assert len(done.stdout.splitlines()) >= 2
    assert WORTH.encode() not in done.stdout


def test_errors_end_the_turn_and_not_the_chat(arguments: list[str | Path], tmp_path: Path) -> None:
    lines = ["/hlep", "/model no-such-model", "/set bugdet 3", "/set top_p 7", "/set", "/model"]
    lines += ["word " * 20_000, "/set think", "/set top_p 0.5", "/clear", "What is 1 + 1?"]
    done = run(tmp_path, *arguments, stdin="\n".join(lines).encode())
    error = done.stderr.decode()
    assert done.returncode == 0
    assert "did you mean /help" in error
    assert "no model named 'no-such-model'" in error
    assert "did you mean budget" in error
    assert "sampling option top_p" in error
    assert "tokens, the context holds" in error
    assert "/set takes a key and a value" in error
    assert "top_p 0.5" in error
    assert error.count(WORTH) == 1
    assert "Traceback" not in error


def test_the_model_can_be_changed(
    arguments: list[str | Path], tiny_gguf: Path, tmp_path: Path
) -> None:
    lines = f"/model {tiny_gguf}\nhi\n/model /nowhere.gguf\n/model\n"
    done = run(tmp_path, *arguments, stdin=lines.encode())
    error = done.stderr.decode()
    assert done.returncode == 0
    assert error.count(f"model {tiny_gguf}") == 2
    assert "/nowhere.gguf" in error
    assert done.stdout.strip()


def test_the_conversation_is_remembered_without_its_reasoning(
    arguments: list[str | Path], tmp_path: Path
) -> None:
    turns = b"My name is Zebedee.\nWhat is my name?\n"
    counted = run(tmp_path, *arguments, "-u", stdin=turns).stderr.decode()
    prompts = [int(line.split()[1]) for line in counted.splitlines() if line.startswith("prompt ")]
    assert len(prompts) == 2
    assert prompts[1] > prompts[0]


def test_binary_input_is_one_line(arguments: list[str | Path], tmp_path: Path) -> None:
    done = run(tmp_path, *arguments, stdin=b"\xff\xfe\x00\n")
    assert done.returncode == 2
    assert b"stdin is not UTF-8" in done.stderr
    assert b"Traceback" not in done.stderr


def test_the_bare_command_at_a_terminal_is_a_chat(tiny_gguf: Path, tmp_path: Path) -> None:
    with Terminal(tmp_path, [], REASONER_MODEL=str(tiny_gguf)) as terminal:
        terminal.expect("/help for commands")
        terminal.expect(PROMPT)
        terminal.send("\x04")
        assert terminal.wait() == 0
        assert terminal.restored()


@pytest.mark.slow
def test_several_lines_are_one_turn(tiny_gguf: Path, tmp_path: Path) -> None:
    arguments: list[str | Path] = ["chat", "-m", tiny_gguf, "-R", *BRIEF]
    with Terminal(tmp_path, arguments) as terminal:
        terminal.expect(PROMPT)
        terminal.send("one\x1b\rtwo\r")
        terminal.expect(WORTH)
        terminal.expect(PROMPT)
        terminal.send("\x1b[200~three\nfour\x1b[201~\r")  # a bracketed paste
        terminal.expect(WORTH)
        terminal.expect(PROMPT)
        terminal.send("\x04")
        assert terminal.wait() == 0
    history = (tmp_path / "data" / "chat_history").read_text()
    assert "+one\n+two\n" in history
    assert "+three\n+four\n" in history


@pytest.mark.slow
def test_what_is_typed_meanwhile_waits_for_its_turn(tiny_gguf: Path, tmp_path: Path) -> None:
    limits = ("--min-steps", "30", "--budget", "300", "--max-tokens", "320", "--no-verify")
    with Terminal(tmp_path, ["chat", "-m", tiny_gguf, *limits]) as terminal:
        terminal.expect(PROMPT)
        terminal.send("go\r")
        terminal.expect("  1 ")
        terminal.send("and then\r")
        assert "and then" not in terminal.expect(WORTH)
        terminal.expect("and then")
        terminal.expect(WORTH)
        terminal.expect(PROMPT)
        terminal.send("\x04")
        assert terminal.wait() == 0
        assert terminal.restored()


@pytest.mark.slow
def test_lines_break_between_words(tiny_gguf: Path, tmp_path: Path) -> None:
    with Terminal(tmp_path, ["chat", "-m", tiny_gguf], columns=40, NO_COLOR="1") as terminal:
        terminal.expect(PROMPT)
        terminal.send("/help\r")
        told = terminal.expect("space.")
        terminal.expect(PROMPT)
        terminal.send("\x04")
        assert terminal.wait() == 0
    lines = told[told.index("/help · show this") :].splitlines()
    assert max(map(len, lines)) <= 40
    assert "summaries" in " ".join(lines).split()


def test_a_value_model_that_cannot_judge_is_not_taken_on(
    arguments: list[str | Path], tmp_path: Path
) -> None:
    """Setting one opens it; a refusal keeps the chat as it was."""
    done = run(tmp_path, *arguments, stdin=b"/set value self\nWhat is 1 + 1?\n")
    assert "cannot tell right steps" in done.stderr.decode()
    assert done.stderr.decode().count(WORTH) == 1
