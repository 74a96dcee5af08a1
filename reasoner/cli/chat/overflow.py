"""Shortening a conversation that no longer fits the context.

The user decides what is removed; nothing is cut without notice.
"""

from typing import Any

from reasoner.cli.chat.session import ChatSession
from reasoner.cli.interrupt import Interrupt
from reasoner.errors import UsageError
from reasoner.types.problem import Message, Problem

__all__ = ["compact_conversation", "shorten_if_full"]

MIN_FREE_CONTEXT_DIVISOR = 4
"""The user is asked when less than this part of the context is free: one fourth."""
SUMMARY_REQUEST = (
    "Summarise our conversation so far in at most ten sentences. Keep names and numbers."
)
MAX_SUMMARY_TOKENS = 400
CHOICE = "drop the oldest turns (d), have them summarised (s), or go on as it is (g)? "


async def shorten_if_full(chat: ChatSession, problem: Problem) -> bool:
    """Ask what to do when little of the context is free; return whether turns were removed.

    In a script there is nobody to ask: what fits is answered, and what does not fit is refused
    with an error that names both numbers.
    """
    used, size = chat.solver.count_prompt_tokens(problem, chat.settings), chat.solver.n_ctx
    if size - used >= size // MIN_FREE_CONTEXT_DIVISOR or not chat.conversation.exchanges:
        return False
    chat.say(f"the talk takes {used} of {size} tokens")
    reply = (await chat.reader.choose(CHOICE) or "g").strip().lower()[:1]
    if reply not in ("d", "s"):
        return False
    await compact_conversation(chat, "drop" if reply == "d" else "summarise")
    return True


async def compact_conversation(chat: ChatSession, method: str) -> None:
    """Remove the older half of the exchanges, or replace it by the model's summary.

    `method` is `drop` or `summarise`. Raises UsageError for another method, when there are no
    exchanges, and when no summary came.
    """
    if method not in ("drop", "summarise"):
        raise UsageError("/compact drop, or /compact summarise")
    count = (len(chat.conversation.exchanges) + 1) // 2
    if count == 0:
        raise UsageError("nothing was said yet")
    summary = await _summarise(chat, count) if method == "summarise" else ()
    chat.conversation.shorten(count, summary)
    await chat.prefill_conversation()
    turns = "the first turn is" if count == 1 else f"the first {count} turns are"
    chat.say(f"{turns} out of the talk; reasoner history show has them")


async def _summarise(chat: ChatSession, count: int) -> tuple[Message, ...]:
    """Return a request and the model's summary of the first `count` exchanges as two messages."""
    older = chat.conversation.messages(chat.summaries, count)
    problem = Problem(question=SUMMARY_REQUEST, system=chat.system, history=older)
    flags: dict[str, Any] = {
        "think": False,
        "verify": False,
        "max_tokens": MAX_SUMMARY_TOKENS,
        "strategy": "linear",
        "strategy_options": {},
    }
    settings = chat.settings.model_copy(update=flags)
    with Interrupt(stays=True) as interrupt:
        interrupt.soft()
        result = await chat.solver.solve(problem, settings=settings, stop=interrupt.stop)
    if interrupt.happened or not result.answer.strip():
        raise UsageError("no summary came, so nothing was left out; /compact drop, or /clear")
    return (
        Message(role="user", content=SUMMARY_REQUEST),
        Message(role="assistant", content=result.answer.strip()),
    )
