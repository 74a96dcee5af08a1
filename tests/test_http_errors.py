"""HTTP failures as the program's own errors."""

import httpx2
import pytest

from reasoner.errors import EngineError, ReasonerError, ServerGone, UsageError
from reasoner.http_errors import (
    error_message,
    error_reason,
    is_request_fault,
    translate_http_errors,
)

ADDRESS = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (httpx2.InvalidURL("no host"), UsageError, "is no address of a server: no host"),
        (httpx2.ConnectError("refused"), ServerGone, "cannot use the server at .*: refused"),
        (httpx2.ReadTimeout(""), EngineError, "cannot use the server at .*: ReadTimeout"),
    ],
)
def test_each_failure_has_one_error(error: Exception, kind: type[ReasonerError], text: str) -> None:
    with pytest.raises(kind, match=text) as caught, translate_http_errors(ADDRESS):
        raise error
    assert type(caught.value) is kind


def test_hints_follow_the_message() -> None:
    with (
        pytest.raises(ServerGone, match="refused; is it running"),
        translate_http_errors(ADDRESS, connection_hint="; is it running?"),
    ):
        raise httpx2.ConnectError("refused")


def test_statuses_and_bodies() -> None:
    assert [is_request_fault(status) for status in (400, 404, 408, 429, 500)] == [
        *(True, True),
        *(False, False, False),
    ]
    assert error_message(b'{"error": {"message": "no"}}') == "no"
    assert error_message(b"<html>") is None
    assert error_reason(ValueError("one\ntwo")) == "one"
    assert error_reason(ValueError()) == "ValueError"
