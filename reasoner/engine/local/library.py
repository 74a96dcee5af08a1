"""llama_cpp, loaded once for the process, and what it logs."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reasoner.engine.local.threads import set_wait_policy
from reasoner.errors import EngineError

__all__ = ["captured_log", "clear_errors", "first_error", "load_llama_cpp", "supports_gpu"]

GGML_LOG_LEVEL_ERROR = 4
MAX_ABORT_MESSAGE_CHARS = 300
"""Maximum length of llama.cpp's abort message in an error; parts of it may come from the model
file."""

MAX_CAPTURED_LINES = 10_000

_errors: list[str] = []
_captured: list[str] | None = None
_log_callback: Any = None


def load_llama_cpp() -> Any:
    """Return the module `llama_cpp`, loaded once; its log goes to error messages, not to stderr."""
    global _log_callback
    set_wait_policy()
    import llama_cpp as lc

    if _log_callback is None:
        _log_callback = lc.llama_log_callback(_record_error)
        lc.llama_log_set(_log_callback, ctypes.c_void_p(0))
        with suppress(AttributeError):  # another version of the library
            lc.llama_cpp._lib.ggml_set_abort_callback(_abort_callback)
        lc.llama_backend_init()
    return lc


def _exit_on_abort(message: bytes) -> None:
    """Exit with one line on stderr when llama.cpp is about to abort the process, for example for a
    file that claims a million layers; its own handler would start a debugger first."""
    file, _, reason = message.decode(errors="replace").partition(":")
    detail = "".join(filter(str.isprintable, f"{Path(file).name}:{reason}"))[
        :MAX_ABORT_MESSAGE_CHARS
    ]
    line = f"reasoner: llama.cpp gave up ({detail}); the model file may be damaged: fetch it again"
    with suppress(OSError):
        os.write(2, f"{line}, or choose another\n".encode())
    os._exit(EngineError.exit_code)


_abort_callback = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(_exit_on_abort)


def _record_error(level: int, text: bytes, _data: Any) -> None:
    if level == GGML_LOG_LEVEL_ERROR:
        _errors.append(text.decode(errors="replace").strip())
        del _errors[:-8]
    if _captured is not None and len(_captured) < MAX_CAPTURED_LINES:
        _captured.append(text.decode(errors="replace"))


@contextmanager
def captured_log() -> Iterator[list[str]]:
    """A context that collects what llama.cpp logs, in pieces of lines, at every level."""
    global _captured
    pieces: list[str] = []
    _captured = pieces
    try:
        yield pieces
    finally:
        _captured = None


def supports_gpu() -> bool:
    """Whether this build of llama.cpp can offload layers to a GPU."""
    return bool(load_llama_cpp().llama_supports_gpu_offload())


def first_error() -> str:
    """Return the first logged error since `clear_errors`; later lines repeat it."""
    return _errors[0] if _errors else "no reason given"


def clear_errors() -> None:
    """Drop the logged errors, so that `first_error` returns the next one."""
    _errors.clear()
