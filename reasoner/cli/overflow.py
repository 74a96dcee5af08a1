"""A talk that no longer fits: the user decides what goes; nothing is cut in silence."""

from typing import TYPE_CHECKING

from reasoner.errors import UsageError

if TYPE_CHECKING:
    from reasoner.cli.chat import Chat
    from reasoner.problem import Problem

__all__ = ["compact", "make_room"]

LEAST_ROOM = 4
"""A question is asked freely while one part in so many of the context is left."""
SUMMARY = "Summarise our conversation so far in at most ten sentences. Keep names and numbers."
SUMMARY_TOKENS = 400
QUESTION = "drop the oldest turns (d), have them summarised (s), or go on as it is (g)? "


async def make_room(chat: "Chat", problem: "Problem") -> bool:
    """Ask what to do when the talk leaves little room; whether it was shortened. In a script
    nobody is asked: what fits is answered, and what does not is refused with both numbers."""
    used, size = chat.solver.measure(problem, chat.settings), chat.solver.n_ctx
    if size - used >= size // LEAST_ROOM or not chat.talk.exchanges:
        return False
    chat.say(f"the talk takes {used} of {size} tokens")
    reply = (await chat.reader.choose(QUESTION) or "g").strip().lower()[:1]
    if reply not in ("d", "s"):
        return False
    await compact(chat, "drop" if reply == "d" else "summarise")
    return True


async def compact(chat: "Chat", how: str) -> None:
    """Leave the older half of the exchanges out, or put the model's summary in their place."""
    if how not in ("drop", "summarise"):
        raise UsageError("/compact drop, or /compact summarise")
    count = (len(chat.talk.exchanges) + 1) // 2
    if count == 0:
        raise UsageError("nothing was said yet")
    if how == "drop":
        chat.talk.shorten(count)
    else:
        await _summarise(chat, count)
    await chat.count()
    gone = "the first turn is" if count == 1 else f"the first {count} turns are"
    chat.say(f"{gone} out of the talk; reasoner history show has them")


async def _summarise(chat: "Chat", count: int) -> None:
    from reasoner.cli.interrupt import Interrupt
    from reasoner.problem import Message, Problem

    older = chat.talk.messages(chat.summaries, count)
    problem = Problem(question=SUMMARY, system=chat.system, history=older)
    flags = {"think": False, "verify": False, "max_tokens": SUMMARY_TOKENS, "strategy": "linear"}
    brief = chat.settings.model_copy(update=flags | {"strategy_options": {}})
    with Interrupt(stays=True) as interrupt:
        interrupt.soft()
        result = await chat.solver.solve(problem, settings=brief, stop=interrupt.stop)
    if interrupt.happened or not result.answer.strip():
        raise UsageError("no summary came, so nothing was left out; /compact drop, or /clear")
    said = (
        Message(role="user", content=SUMMARY),
        Message(role="assistant", content=result.answer.strip()),
    )
    chat.talk.shorten(count, said)
