"""llama_cpp, loaded once for the process, and what it logs."""

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from reasoner.engine.threads import set_wait_policy
from reasoner.errors import EngineError

__all__ = ["clear_errors", "first_error", "library", "supports_gpu"]

ERROR_LEVEL = 4
LONGEST_SAID = 300
"""Characters of what llama.cpp says before it aborts; some of it may be the file's own words."""

_errors: list[str] = []
_log_callback: Any = None


def library() -> Any:
    """llama_cpp, loaded once, with its log kept for error messages instead of printed."""
    global _log_callback
    set_wait_policy()
    import llama_cpp as lc

    if _log_callback is None:
        _log_callback = lc.llama_log_callback(_keep_error)
        lc.llama_log_set(_log_callback, ctypes.c_void_p(0))
        with suppress(AttributeError):  # a build of another age
            lc.llama_cpp._lib.ggml_set_abort_callback(_abort_callback)
        lc.llama_backend_init()
    return lc


def _give_up(message: bytes) -> None:
    """llama.cpp met what it takes for impossible, such as a file that claims a million layers, and
    is about to abort, after a look at us through a debugger: leave with a line instead."""
    file, _, what = message.decode(errors="replace").partition(":")
    said = "".join(filter(str.isprintable, f"{Path(file).name}:{what}"))[:LONGEST_SAID]
    line = f"reasoner: llama.cpp gave up ({said}); the model file may be damaged: fetch it again"
    with suppress(OSError):
        os.write(2, f"{line}, or choose another\n".encode())
    os._exit(EngineError.exit_code)


_abort_callback = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(_give_up)


def _keep_error(level: int, text: bytes, _data: Any) -> None:
    if level == ERROR_LEVEL:
        _errors.append(text.decode(errors="replace").strip())
        del _errors[:-8]


def supports_gpu() -> bool:
    return bool(library().llama_supports_gpu_offload())


def first_error() -> str:
    """The first thing llama.cpp complained about; later lines repeat it in other words."""
    return _errors[0] if _errors else "no reason given"


def clear_errors() -> None:
    """Drop the logged errors, so that `first_error` returns the next one."""
    _errors.clear()
