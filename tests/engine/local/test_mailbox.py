"""Few wake-ups, nothing lost, nothing late."""

import asyncio

from reasoner.engine.local.mailbox import OutputQueue
from reasoner.engine.local.request import RequestOutput
from reasoner.engine.token import Finish, Token


async def test_tokens_wait_for_the_next_ones_but_an_end_does_not() -> None:
    mailbox, queue = OutputQueue(), asyncio.Queue[RequestOutput]()
    emit = mailbox.emitter(queue)
    emit(Token(1, 0.0))
    mailbox.flush()
    await asyncio.sleep(0)
    assert queue.qsize() == 1, "the first token goes out at once"
    for token in (2, 3):
        emit(Token(token, 0.0))
        mailbox.flush()
    await asyncio.sleep(0)
    assert queue.qsize() == 1
    emit(Finish.STOP)
    mailbox.flush()
    await asyncio.sleep(0)
    items = [queue.get_nowait() for _ in range(queue.qsize())]
    assert items == [Token(1, 0.0), Token(2, 0.0), Token(3, 0.0), Finish.STOP]


async def test_what_waited_goes_out_with_the_next_token_after_a_while() -> None:
    mailbox, queue = OutputQueue(), asyncio.Queue[RequestOutput]()
    emit = mailbox.emitter(queue)
    for token in range(40):
        emit(Token(token, 0.0))
        mailbox.flush()
        await asyncio.sleep(0.01)
    assert queue.qsize() > 20
