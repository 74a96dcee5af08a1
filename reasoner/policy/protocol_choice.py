"""The choice of a step protocol for a model, from its vocabulary and what its template shows."""

from reasoner.engine.capabilities import require_capabilities
from reasoner.engine.interface import Engine
from reasoner.errors import UnknownName
from reasoner.policy.template_evidence import find_marks
from reasoner.protocol.marks import THINK_MARKS
from reasoner.protocol.plain import PlainProtocol
from reasoner.protocol.protocol import StepProtocol
from reasoner.protocol.steiner import TOKEN_NAMES, SteinerProtocol
from reasoner.protocol.think import ThinkProtocol
from reasoner.types.reasoning_marks import ReasoningMarks

__all__ = ["PROTOCOL_NAMES", "choose_protocol"]

PROTOCOL_NAMES = ("plain", "think", "steiner")


def choose_protocol(
    engine: Engine, template: str, named: str | None, marks: ReasoningMarks | None = None
) -> StepProtocol:
    """Return the protocol called `named`, or the one that the model was trained for.

    Without a name it is `steiner` for a vocabulary with all of Steiner's tokens on an engine that
    can restrict sampling to a few tokens, `think` where `marks` are given or the chat template
    shows that the model writes blocks of reasoning, and `plain` for any other; a vocabulary that
    merely holds the tags proves nothing. `template` is the chat template as Jinja source.

    Raises UnknownName for an unknown name, BadModelFile when the vocabulary lacks the tokens of
    the named protocol, and EngineError when the engine lacks an ability that it needs.
    """
    if named is not None and named not in PROTOCOL_NAMES:
        raise UnknownName("protocol", named, PROTOCOL_NAMES)
    if named is None and _has_steiner_tokens(engine):
        named = "steiner"
    protocol: StepProtocol
    if named == "steiner":
        protocol = SteinerProtocol(engine)
    elif named == "plain":
        protocol = PlainProtocol(engine)
    else:
        evidence = find_marks(template) if marks is None else None
        found = marks or (evidence.marks if evidence else None)
        if found is None and named == "think":
            found = THINK_MARKS
        protocol = ThinkProtocol(engine, found) if found else PlainProtocol(engine)
    require_capabilities(engine.capabilities, *protocol.required_capabilities)
    return protocol


def _has_steiner_tokens(engine: Engine) -> bool:
    marked = all(engine.token_id(f"<|{name}|>") is not None for name in TOKEN_NAMES)
    return marked and engine.capabilities.constrain
