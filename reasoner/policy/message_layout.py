"""Layouts of a conversation for chat templates that do not take every role or order of messages."""

from collections.abc import Iterator, Sequence
from typing import Any

from reasoner.types.problem import Message

__all__ = ["Turns", "conversation_layouts"]

Turns = list[dict[str, Any]]
"""Messages as a chat template gets them: mappings with a role and a content."""

OPENING_TURN = "(You speak first.)"
"""Stands for the user where a conversation begins with the assistant and may not."""


def conversation_layouts(messages: Sequence[Message]) -> Iterator[Turns]:
    """Yield the ways to hand over a conversation, the most faithful first.

    As it is; with contents as lists of parts; with system messages merged into the next message of
    the user, the later ones first; with roles that alternate and begin with the user; and these
    together.
    """
    structures = [
        list(messages),
        _merge_system(messages, keep_first=True),
        _merge_system(messages, keep_first=False),
        _alternate(_merge_system(messages, keep_first=True)),
        _alternate(_merge_system(messages, keep_first=False)),
    ]
    last = structures.pop()  # even if it came before: an error in it is not about the layout
    distinct = [
        structure for n, structure in enumerate(structures) if structure not in structures[:n]
    ]
    distinct += [last] if len(messages) > 1 else []
    yield _plain(distinct[0])
    yield _in_parts(distinct[0])
    yield from map(_plain, distinct[1:])
    yield from map(_in_parts, distinct[1:])


def _plain(messages: Sequence[Message]) -> Turns:
    return [{"role": message.role, "content": message.content} for message in messages]


def _in_parts(messages: Sequence[Message]) -> Turns:
    return [
        {"role": message.role, "content": [{"type": "text", "text": message.content}]}
        for message in messages
    ]


def _merge_system(messages: Sequence[Message], *, keep_first: bool) -> list[Message]:
    """The messages with the system's as the beginning of the next user message; where the
    assistant's comes first, they are a user message of their own. With `keep_first` a system
    message at the beginning stays one."""
    merged = list(messages[:1]) if keep_first and messages[0].role == "system" else []
    pending: list[str] = []
    for message in messages[len(merged) :]:
        if message.role == "system":
            pending.append(message.content)
            continue
        if message.role == "user":
            message = _user([*pending, message.content])
        elif pending:
            merged.append(_user(pending))
        pending = []
        merged.append(message)
    return [*merged, _user(pending)] if pending else merged


def _alternate(messages: Sequence[Message]) -> list[Message]:
    """The messages with neighbours of the same role joined, and the first one the user's."""
    joined: list[Message] = []
    for message in messages:
        if not joined and message.role == "assistant":
            joined.append(_user([OPENING_TURN]))
        if joined and joined[-1].role == "system" and message.role == "assistant":
            joined.append(_user([OPENING_TURN]))
        if joined and joined[-1].role == message.role:
            both = _joined([joined[-1].content, message.content])
            joined[-1] = message.model_copy(update={"content": both})
        else:
            joined.append(message)
    return joined


def _user(texts: Sequence[str]) -> Message:
    return Message(role="user", content=_joined(texts))


def _joined(texts: Sequence[str]) -> str:
    return "\n\n".join(text for text in texts if text.strip())
