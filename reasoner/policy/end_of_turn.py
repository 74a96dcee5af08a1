"""The token with which a chat template ends the assistant's turns; the file may name another."""

from reasoner.engine.interface import Engine
from reasoner.errors import BadModelFile
from reasoner.policy.chat_template import render_prompt
from reasoner.types.problem import Message

__all__ = ["adopt_end_of_turn", "find_end_of_turn"]

REPLY = "what the assistant said"
CONVERSATION = (
    Message(role="user", content="a question"),
    Message(role="assistant", content=REPLY),
    Message(role="user", content="another question"),
)
MESSAGE_END, REPLY_END = "<|end|>", "<|return|>"
"""In gpt-oss's format the first ends a message, of which a reply has several."""


def adopt_end_of_turn(engine: Engine) -> None:
    """Let the engine's replies end where its model's chat template ends the assistant's turns."""
    token = find_end_of_turn(engine)
    if token is not None:
        engine.end_replies_at(token)


def find_end_of_turn(engine: Engine) -> int | None:
    """The token that the chat template writes right after the assistant's message, before the next
    one; None where it writes plain text there, or fails."""
    template = engine.chat_template or ""
    bos, eos = (
        "" if token is None else engine.detokenize([token], special=True)
        for token in (engine.bos, engine.eos)
    )
    try:
        text = render_prompt(template, CONVERSATION, bos=bos, eos=eos)
    except BadModelFile:
        return None
    _, reply, after = text.rpartition(REPLY)
    tokens = engine.tokenize(after.lstrip()) if reply and after.strip() else []
    name = engine.detokenize(tokens[:1], special=True)
    is_mark = after.lstrip().startswith(name) and len(engine.split_marks(name)) > 1
    ends_message_only = name == MESSAGE_END and REPLY_END in template
    return tokens[0] if is_mark and not ends_message_only else None
