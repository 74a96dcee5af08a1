"""Items from real files: JSON Lines and tables, the good, the malformed and the hostile."""

import json
import os
import time
from pathlib import Path

import pytest

from reasoner.batch.item import BatchItem
from reasoner.batch.source import BatchFormat, read_batch_items
from reasoner.errors import UsageError


def items(
    tmp_path: Path, data: bytes, form: BatchFormat = "jsonl", expect: str | None = None
) -> list[BatchItem]:
    file = tmp_path / "items"
    file.write_bytes(data)
    with file.open("rb") as stream:
        return list(read_batch_items(stream.fileno(), form, expect))


def question(item: BatchItem) -> str:
    assert item.problem is not None, item.error
    return item.problem.question


def test_fields_go_where_they_belong(tmp_path: Path) -> None:
    line = b'{"task_id": 7, "prompt": "def f():", "test": "assert f()", "entry_point": "f", "x": 1}'
    (item,) = items(tmp_path, line)
    assert item.id == 7
    assert item.problem is not None
    assert (item.problem.question, item.problem.tests) == ("def f():", "assert f()")
    assert item.problem.entry_point == "f"


def test_a_question_in_parts_is_text_and_a_picture_is_an_error(tmp_path: Path) -> None:
    data = (
        b'{"question": [{"type": "text", "text": "2+"}, {"type": "text", "text": "2?"}]}\n'
        b'{"question": [{"type": "image_url", "image_url": {"url": "x"}}]}\n'
    )
    first, second = items(tmp_path, data)
    assert question(first) == "2+2?"
    assert second.error == "line 2: image parts are not supported; this program reads text only"


def test_the_known_answer_is_taken_from_the_named_field(tmp_path: Path) -> None:
    data = b'{"question": "a", "solution": 3}\n{"question": "b", "expect": "4"}\n'
    first, second = items(tmp_path, data, expect="solution")
    assert first.problem is not None
    assert first.problem.expect == "3"
    assert second.error == "line 2: no field 'solution' with the known answer"


@pytest.mark.slow
def test_unusable_lines_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = [
        b'{"question": "fine"}',
        b"",
        b'{"question": "torn',
        b"[1, 2]",
        b'{"answer": "no question"}',
        b'{"question": "  "}',
        b'{"question": [1]}',
        b'{"question": "\xff"}',
        b"[" * 100_000,
        b'{"question": "' + b"x" * (17 * 2**20) + b'"}',
        b'{"id": "' + b"y" * 300 + b'", "question": "long id"}',
        b'{"question": "fine too"}',
    ]
    found = items(tmp_path, b"\n".join(lines))
    assert [item.line for item in found] == [1, *range(3, 13)]
    assert (question(found[0]), question(found[-1])) == ("fine", "fine too")
    for item in found[1:-1]:
        assert item.error is not None
        assert item.error.startswith(f"line {item.line}: ")
        assert len(item.error) < 200
    assert len({item.id for item in found}) == len(found)


def test_ids_depend_on_line_and_content_only(tmp_path: Path) -> None:
    data = b'{"question": "same"}\n{"question": "same"}\r\n'
    first, second = items(tmp_path, data)
    assert first.id != second.id
    assert [item.id for item in items(tmp_path, data + b'{"question": "more"}')][:2] == [
        first.id,
        second.id,
    ]


def test_an_id_can_be_had_once(tmp_path: Path) -> None:
    data = b'{"id": "a", "question": "1"}\n{"id": "a", "question": "2"}\n'
    first, second = items(tmp_path, data)
    assert (first.id, second.id) == ("a", "2-a")
    assert second.error == "line 2: its id is that of line 1"


def test_a_table(tmp_path: Path) -> None:
    data = '\ufeffid,question,answer\r\n1,"two\nlines, ""quoted""",5\r\n\r\n,plain,\r\n'.encode()
    first, second = items(tmp_path, data, "csv", "answer")
    assert (first.id, question(first)) == ("1", 'two\nlines, "quoted"')
    assert first.problem is not None
    assert first.problem.expect == "5"
    assert (second.line, second.error) == (5, "line 5: no field 'answer' with the known answer")


def test_tabs_and_bad_rows(tmp_path: Path) -> None:
    data = b'question\tnote\na\tb\nonly one\n"torn" x\ty\n\xff\tz\nc\td\n'
    found = items(tmp_path, data, "tsv")
    assert [item.error is None for item in found] == [True, False, False, False, True]
    assert [item.line for item in found] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("data", [b"", b"\n", b"a,b\n1,2\n", b'"question\n'])
def test_a_table_needs_a_header_with_a_question(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UsageError, match=r"question|header"):
        items(tmp_path, data, "csv")


def test_items_come_while_the_writer_is_still_writing() -> None:
    reader, writer = os.pipe()
    os.write(writer, b'{"question": "first"}\n{"quest')
    found = read_batch_items(reader, "jsonl")
    assert question(next(found)) == "first"
    os.write(writer, b'ion": "second"}')
    os.close(writer)
    assert [question(item) for item in found] == ["second"]
    os.close(reader)


@pytest.mark.parametrize(
    "data",
    [
        b'[\n {"question": "1"},\n {"question": "2"}\n]\n',
        b'[{"question":"1"},{"question":"2"}]',
        b'\xef\xbb\xbf  [ {"question": "1"}, {"question": "2"}, ]',
        b'{\n  "question": "1"\n}\n{\n  "question": "2"\n}\n',
        b'{"question": "1"}\r{"question": "2"}\r',
        b'{"question": "1"}\r\n{"question": "2"}\r\n',
        '[{"question": "1"}, {"question": "2"}]'.encode("utf-16"),
        '{"question": "1"}\n{"question": "2"}'.encode("utf-16-be"),
        '{"question": "1"}\n{"question": "2"}'.encode("utf-32"),
    ],
)
def test_the_neighbours_formats(tmp_path: Path, data: bytes) -> None:
    if data.startswith(b"\0{"):
        data = b"\xfe\xff" + data
    assert [question(item) for item in items(tmp_path, data)] == ["1", "2"]


@pytest.mark.parametrize(
    ("data", "count", "told"),
    [
        (b'[{"question": "1"}, {"question": }]', 2, "line 1: not JSON"),
        (b'[\n{"question": "1"},\n3\n]', 2, "line 3: a int, not an object"),
        (b'[{"question": "1"}\n', 2, "line 2: the array has no end"),
        (b"[" * 200_000, 1, "line 1: nested too deeply"),
    ],
)
def test_a_broken_document_is_one_error(tmp_path: Path, data: bytes, count: int, told: str) -> None:
    found = items(tmp_path, data)
    assert len(found) == count
    assert found[-1].error is not None
    assert found[-1].error.startswith(told)


def test_members_of_one_line_have_ids_of_their_own(tmp_path: Path) -> None:
    first = b'{"question": "1"}, {"question": "1"}'
    data = b"[" + first + b', {"id": 3, "question": "a"}, {"id": 3, "question": "b"}]'
    found = items(tmp_path, data)
    assert len({item.key for item in found}) == 4
    assert [item.error is None for item in found] == [True, True, True, False]


@pytest.mark.parametrize("name", ["7", "7.5", '"7"', "true", "[1, 2]", '{"a": null}', "-0.0"])
def test_an_id_stays_what_it_is(tmp_path: Path, name: str) -> None:
    (item,) = items(tmp_path, f'{{"id": {name}, "question": "a"}}'.encode())
    assert item.error is None
    assert repr(item.id) == repr(json.loads(name))


@pytest.mark.parametrize("name", ["NaN", "Infinity", "1e999", "[" * 900 + "]" * 900, "9" * 300])
def test_an_id_that_cannot_be_kept_is_an_error(tmp_path: Path, name: str) -> None:
    (item,) = items(tmp_path, f'{{"id": {name}, "question": "a"}}'.encode())
    assert item.error is not None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_tables_of_excel(tmp_path: Path, encoding: str, line_end: str, delimiter: str) -> None:
    rows = [["id", "question"], ["1", "wie groß?"], ["2", "two"]]
    data = line_end.join(delimiter.join(row) for row in rows).encode(encoding)
    found = items(tmp_path, data, "csv")
    assert [(item.id, question(item)) for item in found] == [("1", "wie groß?"), ("2", "two")]


def test_a_line_that_names_the_separator(tmp_path: Path) -> None:
    (item,) = items(tmp_path, b"sep=;\nid;question\n1;a,b\n", "csv")
    assert question(item) == "a,b"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"PK\x03\x04....", "Excel workbook"),
        (b"PAR1....", "Parquet"),
        (b"\x1f\x8b\x08..", "zcat"),
        ("id,question".encode("utf-16-le"), "UTF-16"),
        (b"\x00\x01\x02\x03", "binary"),
    ],
)
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_other_files_are_named_in_one_line(
    tmp_path: Path, data: bytes, told: str, form: BatchFormat
) -> None:
    with pytest.raises(UsageError, match=told):
        items(tmp_path, data, form)


@pytest.mark.slow
def test_long_lines_take_time_in_proportion(tmp_path: Path) -> None:
    seconds = []
    for megabytes in (8, 64):
        start = time.process_time()
        (item,) = items(tmp_path, b'{"question": "' + b"a" * (megabytes * 2**20) + b'"}')
        seconds.append(time.process_time() - start)
        assert (item.error is None) == (megabytes == 8)
    assert seconds[1] < 16 * seconds[0]
