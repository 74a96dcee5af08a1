"""The error tree, and the one table from error to exit code.

ReasonerError                 1  something failed; the message says what to do next
├── UsageError                2  the request itself is wrong
│   ├── UnknownName           2  no such model, strategy, protocol or plugin
│   └── PromptTooLong         2  more prompt tokens than the context holds
├── ModelError                1  a model file cannot be had or used
│   ├── DownloadError         1  no source could deliver it
│   ├── ChecksumError         1  the file is not the one the registry names
│   └── BadModelFile          1  not a GGUF, truncated, or unsupported
├── EngineError               1  the engine cannot go on
│   ├── ContextFull           1  the KV cache is too small for the work asked for
│   └── ServerGone            1  nobody listens where a server was named
├── StoreError                1  the history or a cache cannot be used
├── BadTrace                  1  a file that is no trace, or only half of one
├── VerificationFailed        3  a check refuted the answer
├── NoAnswer                  4  the model gave none
└── Interrupted             130  Ctrl-C; 128 + n by another signal
"""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "BadModelFile",
    "BadTrace",
    "ChecksumError",
    "ContextFull",
    "DownloadError",
    "EngineError",
    "Interrupted",
    "ModelError",
    "NoAnswer",
    "PromptTooLong",
    "ReasonerError",
    "ServerGone",
    "StoreError",
    "UnknownName",
    "UsageError",
    "VerificationFailed",
]


class ReasonerError(Exception):
    """Root of every error meant for the user: one line, and what to do next."""

    exit_code = 1


class UsageError(ReasonerError):
    exit_code = 2


class UnknownName(UsageError):
    """A name that nothing answers to, with the nearest ones that exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        near = get_close_matches(name, list(known), n=3, cutoff=0.5)
        meant = f"; did you mean {', '.join(near)}?" if near else ""
        super().__init__(f"no {kind} named '{name}'{meant}{' ' + hint if hint else ''}")
        self.name, self.near = name, near


class PromptTooLong(UsageError):
    def __init__(self, prompt: int, context: int) -> None:
        super().__init__(
            f"the prompt has {prompt} tokens, the context holds {context}; "
            "shorten it or raise --context"
        )
        self.prompt, self.context = prompt, context


class ModelError(ReasonerError):
    pass


class DownloadError(ModelError):
    pass


class ChecksumError(ModelError):
    pass


class BadModelFile(ModelError):
    pass


class EngineError(ReasonerError):
    pass


class ContextFull(EngineError):
    def __init__(self, needed: int, available: int) -> None:
        super().__init__(
            f"the KV cache holds {available} tokens, this needs {needed}; raise --context"
        )
        self.needed, self.available = needed, available


class ServerGone(EngineError):
    pass


class StoreError(ReasonerError):
    pass


class BadTrace(ReasonerError):
    pass


class VerificationFailed(ReasonerError):
    exit_code = 3


class NoAnswer(ReasonerError):
    exit_code = 4


class Interrupted(ReasonerError):
    exit_code = 130
