"""Asking a question in a chat: make the conversation fit, answer, and record the exchange."""

from reasoner.cli.chat.overflow import shorten_if_full
from reasoner.cli.chat.session import ChatSession

__all__ = ["ask_question", "ask_with_attachments"]


async def ask_question(chat: ChatSession, question: str, attempt: int = 0) -> None:
    """Answer a question and record it; another `attempt` samples with another seed."""
    problem = chat.problem(question)
    if await shorten_if_full(chat, problem):
        problem = chat.problem(question)
    result = await chat.answer(problem, attempt)
    chat.conversation.add(problem, result, attempt)
    if not result.answer.strip():
        stopped = result.finish_reason == "interrupted"
        chat.say("interrupted before an answer" if stopped else "no answer came")
    await chat.prefill_conversation()


async def ask_with_attachments(chat: ChatSession, question: str) -> None:
    """Answer a question after the texts of the attached files, which are used up by it."""
    attached, chat.attached = chat.attached, []
    await ask_question(chat, "\n\n".join([*attached, question]))
