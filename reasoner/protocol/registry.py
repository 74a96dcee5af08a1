"""The protocols by name, and the choice of one for a model."""

from collections.abc import Callable

from reasoner.engine.capabilities import require_capabilities
from reasoner.engine.engine import Engine, Vocabulary
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


def choose_protocol(engine: Engine, template: str, named: str | None) -> StepProtocol:
    """Return the protocol called `named`, or the one that the model was trained for.

    Without a name it is `steiner` for a vocabulary with all of Steiner's tokens on an engine that
    can restrict sampling to a few tokens, `think` for a vocabulary or a chat template with the
    tag `<think>`, and `plain` for any other. `template` is the chat template as Jinja source.

    Raises UnknownName for an unknown name, BadModelFile when the vocabulary lacks the tokens of
    the named protocol, and EngineError when the engine lacks an ability that it needs.
    """
    name = named or _detect_protocol(engine, template)
    if name not in PROTOCOLS:
        raise UnknownName("protocol", name, PROTOCOLS)
    protocol = PROTOCOLS[name](engine)
    require_capabilities(engine.capabilities, *protocol.required_capabilities)
    return protocol


def _detect_protocol(engine: Engine, template: str) -> str:
    marked = all(engine.token_id(f"<|{name}|>") is not None for name in NAMES)
    if marked and engine.capabilities.constrain:
        return "steiner"
    tags = engine.token_id(OPEN) is not None and engine.token_id(CLOSE) is not None
    return "think" if tags or OPEN in template else "plain"
