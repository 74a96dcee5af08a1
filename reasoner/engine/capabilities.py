"""What an engine can do, as data that is read before a protocol, value model or tool is chosen.

A local llama.cpp context can do everything. A completions server takes and returns text, so it
lacks the abilities that need logits, token ids or hidden states.
"""

from dataclasses import dataclass
from typing import Literal

from reasoner.errors import EngineError, UsageError

__all__ = ["Capabilities", "Capability", "missing_capability", "require_capabilities"]

Capability = Literal[
    "constrain", "grammar", "score", "whole_logits", "hidden_states", "token_ids", "fork"
]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The abilities of one engine. `owner` names it in error messages."""

    owner: str
    constrain: bool
    """`generate` follows an `Allow` constraint exactly."""
    grammar: bool
    """`generate` follows `Sampling.grammar`."""
    score: bool
    """`score` and `likeliest` return log-probabilities."""
    whole_logits: bool
    """The distribution over the whole vocabulary can be read, so `token_statistics` works."""
    hidden_states: bool
    """`hidden_states` returns the last layer's states."""
    token_ids: bool
    """Token ids are those of the model's own vocabulary."""
    fork: bool
    """Requests with a common prefix share its KV cells, or a copy of the recurrent state at its
    end, so that it is decoded once."""


def require_capabilities(capabilities: Capabilities, *names: Capability) -> None:
    """Check that an engine has all the named abilities.

    Raises UsageError when a grammar is requested of an engine that cannot follow one, and
    EngineError for any other missing ability; the message says what to do instead.
    """
    for name in names:
        if not getattr(capabilities, name):
            raise missing_capability(capabilities.owner, name)


def missing_capability(owner: str, name: Capability) -> EngineError | UsageError:
    """Return the error that reports a missing ability of the engine called `owner`."""
    if name == "grammar":
        return UsageError("a grammar needs a model on this machine; servers differ in them")
    return EngineError(_MESSAGES[name].format(owner=owner))


_MESSAGES: dict[Capability, str] = {
    "constrain": "a server cannot be held to a few tokens; use a model here for that",
    "score": "{owner} tells no log-probabilities, which scoring needs; "
    "start it so that it does, or use a model here",
    "whole_logits": "{owner} tells no whole distributions, which value heads read; "
    "use a model on this machine for that",
    "hidden_states": "{owner} gives no hidden states, which value heads read; "
    "use a model on this machine for that",
    "token_ids": "{owner} tells no token ids; use a model on this machine for that",
    "fork": "{owner} cannot share the cells of a common prefix",
}
