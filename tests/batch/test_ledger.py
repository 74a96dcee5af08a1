"""The output file: what it remembers, what it repairs, what it refuses to touch."""

from pathlib import Path

import pytest

from reasoner.batch.item import BatchItem, id_key
from reasoner.batch.ledger import BatchOutput
from reasoner.batch.record import BatchRecord
from reasoner.errors import UsageError
from reasoner.types.result import Result, Status
from reasoner.types.trajectory import FinishReason


def record(name: str) -> BatchRecord:
    result = Result(
        question="?\u2028é",
        answer="\x1b[31m5",
        final="5",
        status=Status.VERIFIED,
        finish_reason=FinishReason.STOP,
        strategy="linear",
        model="tiny",
        seed=0,
    )
    return BatchRecord(BatchItem(name, 1, 1), result)


def test_what_was_written_is_known(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with BatchOutput(out) as ledger:
        assert id_key("a") not in ledger
        ledger.append(record("a"))
        ledger.append(BatchRecord(BatchItem("é\n", 2, 1), error="line 2: odd"))
    with BatchOutput(out) as ledger:
        assert id_key("a") in ledger
        assert id_key("é\n") in ledger
        assert id_key("b") not in ledger
        assert ledger.tally.counts == {"verified": 1, "error": 1}


def test_a_torn_line_is_cut_wherever_it_was_torn(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    whole, torn = f"{record('a').to_json()}\n".encode(), record("b").to_json().encode()
    for length in range(1, len(torn) + 1):
        out.write_bytes(whole + torn[:length])
        with BatchOutput(out) as ledger:
            assert id_key("a") in ledger
            assert id_key("b") not in ledger
            ledger.append(record("b"))
        assert out.read_bytes() == whole + torn + b"\n"


@pytest.mark.parametrize(
    "data",
    [
        b"my notes",
        b"my notes\n",
        b'{"a": 1}\n',
        b'{"id": "x"}\n',
        b"\n",
        b'{"id":"x","status":3}\n',
    ],
)
def test_other_files_are_left_alone(tmp_path: Path, data: bytes) -> None:
    out = tmp_path / "notes.txt"
    out.write_bytes(data)
    with pytest.raises(UsageError, match="not written by reasoner batch"):
        BatchOutput(out)
    assert out.read_bytes() == data


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with BatchOutput(out), pytest.raises(UsageError, match="another batch"):
        BatchOutput(out)
    with BatchOutput(out):
        pass


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "no" / "such" / "place", Path("/dev/null")):
        with pytest.raises(UsageError):
            BatchOutput(place)


def test_a_number_is_another_id_than_its_digits(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    number = BatchRecord(BatchItem(7, 1, 1), error="line 1: odd")
    with BatchOutput(out) as ledger:
        ledger.append(number)
    with BatchOutput(out) as ledger:
        assert id_key(7) in ledger
        assert id_key("7") not in ledger
