"""The protocols by name, and the choice of one for a model."""

from collections.abc import Callable

from reasoner.engine.capabilities import require_capabilities
from reasoner.engine.interface import Engine, Vocabulary
from reasoner.errors import UnknownName
from reasoner.protocol.plain import PlainProtocol
from reasoner.protocol.protocol import StepProtocol
from reasoner.protocol.steiner import TOKEN_NAMES, SteinerProtocol
from reasoner.protocol.think import THINK_END, THINK_START, ThinkProtocol

__all__ = ["PROTOCOLS", "choose_protocol"]

PROTOCOLS: dict[str, Callable[[Vocabulary], StepProtocol]] = {
    "plain": PlainProtocol,
    "think": ThinkProtocol,
    "steiner": SteinerProtocol,
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
    marked = all(engine.token_id(f"<|{name}|>") is not None for name in TOKEN_NAMES)
    if marked and engine.capabilities.constrain:
        return "steiner"
    tags = engine.token_id(THINK_START) is not None and engine.token_id(THINK_END) is not None
    return "think" if tags or THINK_START in template else "plain"
