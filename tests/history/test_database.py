"""The history on real files: written by many at once, killed, damaged, and read again."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path as File

import pytest

from reasoner.errors import StoreError, UsageError
from reasoner.history.database import History, new_conversation_id
from reasoner.history.recorder import ConversationRecorder
from reasoner.history.records import turn_messages
from reasoner.types.problem import Problem
from reasoner.types.result import Result, Status
from reasoner.types.trajectory import FinishReason, Step

PROCESSES, WRITES = 8, 200
WRITER = """
import sys
from pathlib import Path
from tests.history.test_database import problem, result
from reasoner.history.database import History

file, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
for number in range(count):
    with History(file) as history:
        history.add_turn(f"{number % 7:012x}", problem(), result(f"{name} {number}"))
    print(number, flush=True)
"""


def problem(system: str | None = None) -> Problem:
    return Problem(question="unused here", system=system)


def result(question: str, answer: str = "an answer") -> Result:
    return Result(
        question=question,
        answer=answer,
        final="42",
        status=Status.ANSWERED,
        finish_reason=FinishReason.STOP,
        reasoning=(Step(text="a thought", tokens=2),),
        strategy="linear",
        model="tiny",
        seed=0,
    )


@pytest.fixture
def history(tmp_path: File) -> Iterator[History]:
    with History(tmp_path / "data" / "history.db") as history:
        yield history


def writer(file: File, name: str, count: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(file), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_turn_comes_back_as_it_was(history: History) -> None:
    talk = new_conversation_id()
    history.add_turn(talk, problem(system="be brief"), result("a \ud800 question"))
    (turn,) = history.turns(talk)
    assert (turn.question, turn.answer, turn.system) == ("a ? question", "an answer", "be brief")
    assert turn.result is not None
    assert turn.result.reasoning[0].text == "a thought"
    assert [m.content for m in turn_messages([turn])] == ["a ? question", "an answer"]
    (listed,) = history.conversations(5)
    assert (listed.id, listed.title, listed.turns) == (talk, "a ? question", 1)


def test_the_file_is_its_owners_alone(history: History) -> None:
    history.add_turn(new_conversation_id(), problem(), result("private"))
    for file in history.path.parent.glob("history.db*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_finding_by_prefix_and_the_last_one(history: History) -> None:
    with pytest.raises(UsageError, match="no conversation yet"):
        history.find_conversation(None)
    for talk in ("aaaa00000000", "aaab00000000", "bbbb00000000"):
        history.add_turn(talk, problem(), result(talk))
    assert history.find_conversation("aaab") == "aaab00000000"
    assert history.find_conversation(None) == "bbbb00000000"
    for prefix, says in (("aa", "several"), ("cc", "no conversation"), ("%", "no conversation")):
        with pytest.raises(UsageError, match=says):
            history.find_conversation(prefix)


def test_dropped_turns_leave_the_talk_and_stay_in_the_record(history: History) -> None:
    talk = new_conversation_id()
    history.add_turn(talk, problem(), result("one"))
    history.drop_turn(history.add_turn(talk, problem(), result("two")))
    assert [turn.question for turn in history.turns(talk)] == ["one"]
    assert [turn.question for turn in history.turns(talk, include_dropped=True)] == ["one", "two"]
    fork = history.fork_conversation(talk)
    history.add_turn(fork, problem(), result("three"))
    assert [turn.question for turn in history.turns(fork)] == ["one", "three"]
    assert [turn.question for turn in history.turns(talk)] == ["one"]


def test_search_with_and_without_an_index(history: History) -> None:
    talk = new_conversation_id()
    history.add_turn(talk, problem(), result("How many primes below 100?", "Twenty-five of them."))
    history.add_turn(talk, problem(), result('Say "OR" NOT (x*)', "A quote's answer"))

    def found(text: str) -> list[str]:
        return [turn.excerpt.split()[0] for turn in history.search_turns(text, 10)]

    for indexed in (True, False):
        assert found("prime twenty") == ["How"]
        assert found('"OR" NOT') == ["Say"]
        assert found("nothing-of-the-kind") == []
        with pytest.raises(UsageError):
            history.search_turns(" * ", 10)
        if indexed:
            with sqlite3.connect(history.path) as plain:
                for kind, name in (
                    ("TRIGGER", "added"),
                    ("TRIGGER", "removed"),
                    ("TABLE", "index"),
                ):
                    plain.execute(f"DROP {kind} turns_{name}")
            plain.close()


def test_what_is_removed_is_not_in_the_file(history: History) -> None:
    talk, kept = new_conversation_id(), new_conversation_id()
    history.add_turn(talk, problem(), result("the codeword is xyzzyplugh"))
    history.add_turn(kept, problem(), result("unrelated"))
    history.delete_conversations([talk])
    assert history.conversation_ids() == [kept]
    assert history.search_turns("xyzzyplugh", 5) == []
    data = b"".join(file.read_bytes() for file in history.path.parent.glob("history.db*"))
    assert b"the codeword is" not in data


@pytest.mark.slow
def test_many_processes_lose_no_row(tmp_path: File) -> None:
    file = tmp_path / "history.db"
    writers = [writer(file, f"w{number}", WRITES) for number in range(PROCESSES)]
    ends = [process.communicate(timeout=250) and process.returncode for process in writers]
    assert ends == [0] * PROCESSES
    with History(file) as history:
        said = [
            turn.question for talk in history.conversation_ids() for turn in history.turns(talk)
        ]
    assert sorted(said) == sorted(f"w{p} {n}" for p in range(PROCESSES) for n in range(WRITES))


@pytest.mark.slow
def test_kill_9_loses_nothing_that_was_written(tmp_path: File) -> None:
    file = tmp_path / "history.db"
    written = 0
    for number in range(5):
        process = writer(file, f"w{number}", 10_000)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05 * number)
        os.kill(process.pid, signal.SIGKILL)
        written += len(process.stdout.read().splitlines())
        process.stdout.close()
        process.wait()
    with History(file) as history:
        rows = sum(len(history.turns(talk)) for talk in history.conversation_ids())
    assert written <= rows <= written + 5  # a row may be in whose number was not printed yet
    with sqlite3.connect(file) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    plain.close()


def test_a_newer_programs_file_is_left_alone(history: History) -> None:
    history.add_turn(new_conversation_id(), problem(), result("kept"))
    with sqlite3.connect(history.path) as plain:
        plain.execute("PRAGMA user_version = 999")
    plain.close()
    with pytest.raises(StoreError, match="newer version"):
        History(history.path)


def test_a_damaged_result_costs_only_itself(history: History) -> None:
    talk = new_conversation_id()
    history.add_turn(talk, problem(), result("one"))
    with sqlite3.connect(history.path) as plain:
        plain.execute("UPDATE turns SET result = '{nonsense'")
    plain.close()
    (turn,) = history.turns(talk)
    assert turn.question == "one"
    assert turn.result is None


@pytest.mark.parametrize("damage", ["garbage", "directory"])
def test_a_history_that_cannot_be_used_costs_one_notice(own_directories: File, damage: str) -> None:
    file = own_directories / "data" / "history.db"
    file.parent.mkdir()
    if damage == "garbage":
        file.write_bytes(b"this is no database, however one looks at it" * 200)
    else:
        file.mkdir()
    notices: list[str] = []
    recorder = ConversationRecorder(notices.append)
    assert recorder.add_turn(problem(), result("one")) is None
    assert recorder.add_turn(problem(), result("two")) is None
    assert len(notices) == 1
    assert str(file) in notices[0]


def test_nothing_is_written_when_recording_is_off(own_directories: File) -> None:
    recorder = ConversationRecorder(pytest.fail, enabled=False)
    assert recorder.add_turn(problem(), result("one")) is None
    assert not (own_directories / "data").exists()
