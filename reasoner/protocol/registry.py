"""Protocols by name, and which one a model speaks."""

from collections.abc import Callable

from reasoner.engine.engine import Vocabulary
from reasoner.errors import UnknownName
from reasoner.protocol.plain import Plain
from reasoner.protocol.protocol import StepProtocol
from reasoner.protocol.steiner import NAMES, Steiner
from reasoner.protocol.think import CLOSE, OPEN, Think

__all__ = ["PROTOCOLS", "choose_protocol"]

PROTOCOLS: dict[str, Callable[[Vocabulary], StepProtocol]] = {
    "plain": Plain,
    "think": Think,
    "steiner": Steiner,
}


def choose_protocol(vocabulary: Vocabulary, template: str, named: str | None) -> StepProtocol:
    """The protocol called `named`, else the one that the vocabulary or the template shows.

    Raises UnknownName, or BadModelFile when the model cannot speak the named one.
    """
    name = named or _detect(vocabulary, template)
    if name not in PROTOCOLS:
        raise UnknownName("protocol", name, PROTOCOLS)
    return PROTOCOLS[name](vocabulary)


def _detect(vocabulary: Vocabulary, template: str) -> str:
    if all(vocabulary.token_id(f"<|{name}|>") is not None for name in NAMES):
        return "steiner"
    tags = vocabulary.token_id(OPEN) is not None and vocabulary.token_id(CLOSE) is not None
    return "think" if tags or OPEN in template else "plain"
