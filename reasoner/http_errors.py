"""One mapping from HTTP failures to the program's own errors, for every HTTP client in it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from reasoner.errors import EngineError, ServerGone, UsageError

__all__ = ["error_message", "error_reason", "is_request_fault", "translate_http_errors"]

RETRYABLE_CLIENT_STATUSES = (408, 429)
"""Timeout and too many requests: of the 4xx statuses, those that do not fault the request."""


@contextmanager
def translate_http_errors(
    address: str, *, address_hint: str | None = None, connection_hint: str = ""
) -> Iterator[None]:
    """Translate httpx2's exceptions while a server at `address` is used.

    `address_hint` follows the message about a malformed address and replaces the library's own
    reason; `connection_hint` follows the message about a failed connection. Raises UsageError for
    an address that is not one, ServerGone when nothing accepts the connection, and EngineError for
    every other failure of the transfer.
    """
    import httpx2

    try:
        yield
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
        hint = f": {error}" if address_hint is None else address_hint
        raise UsageError(f"'{address}' is no address of a server{hint}") from error
    except httpx2.HTTPError as error:
        is_unreachable = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
        kind = ServerGone if is_unreachable else EngineError
        reason = str(error) or type(error).__name__
        raise kind(f"cannot use the server at {address}: {reason}{connection_hint}") from error


def is_request_fault(status: int) -> bool:
    """Whether an HTTP status says that the request itself is wrong, so that the same request would
    fail again."""
    return 400 <= status < 500 and status not in RETRYABLE_CLIENT_STATUSES


def error_message(body: bytes) -> str | None:
    """The message of an error reply in OpenAI's format (`{"error": {"message": …}}`), or None for
    a body that is not one."""
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def error_reason(error: Exception) -> str:
    """The first line of an exception's text, else the name of its class; at most 200 characters."""
    reason = str(error).strip().split("\n")[0] or type(error).__name__
    return reason[:200]
