"""The slash commands that act on the exchanges of a chat."""

from reasoner.cli.chat.asking import ask_question
from reasoner.cli.chat.overflow import compact_conversation
from reasoner.cli.chat.session import ChatSession
from reasoner.cli.output.sentences import usage_line
from reasoner.errors import UsageError

__all__ = ["clear", "compact", "fork", "regenerate", "show_tokens", "undo", "verify"]


async def regenerate(chat: ChatSession, _: str) -> None:
    """Answer the last question again with another seed. Raises UsageError when there is none."""
    exchange = chat.conversation.undo()
    await ask_question(chat, exchange.problem.question, exchange.attempt + 1)


async def undo(chat: ChatSession, _: str) -> None:
    """Remove the last exchange. Raises UsageError when there is none."""
    exchange = chat.conversation.undo()
    await chat.prefill_conversation()
    chat.say(f"taken back: {exchange.problem.question}")


async def fork(chat: ChatSession, _: str) -> None:
    """Continue in a copy of the conversation."""
    original_id = chat.conversation.fork()
    copy_id = chat.conversation.recorder.conversation
    chat.say(f"going on in {copy_id}; {original_id} stays as it is")


async def clear(chat: ChatSession, _: str) -> None:
    """Start a new, empty conversation."""
    chat.conversation.clear()
    await chat.prefill_conversation()
    chat.say("forgotten what was said so far")


async def compact(chat: ChatSession, method: str) -> None:
    """Shorten the older half, by `drop` or `summarise`. Raises UsageError for another word."""
    await compact_conversation(chat, method)


async def verify(chat: ChatSession, expect: str) -> None:
    """Check the last answer, against `expect` if it is given, and show the verdicts.

    Raises UsageError when there is no answer, or none whose result can still be read.
    """
    exchange = chat.conversation.last
    if exchange.result is None:
        raise UsageError("what is known about this answer can no longer be read")
    problem = exchange.problem.model_copy(update={"expect": expect} if expect else {})
    verdicts = await chat.solver.verify(problem, exchange.result)
    for verdict in verdicts:
        chat.say(f"{verdict.outcome:<8} {verdict.verifier}: {verdict.reason}")
    if not verdicts:
        chat.say("no check has anything to say about it")


async def show_tokens(chat: ChatSession, _: str) -> None:
    """Show how full the context is and what the last answer used."""
    used = chat.solver.count_prompt_tokens(chat.problem(""), chat.settings)
    size = chat.solver.n_ctx
    chat.say(f"the talk takes {used} of {size} tokens ({used / size:.0%})")
    exchanges = chat.conversation.exchanges
    if exchanges and (result := exchanges[-1].result) is not None:
        chat.say(f"the last answer: {usage_line(result)}")
