"""The worker thread that owns the native context."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

from reasoner.engine.local.context import LlamaContext
from reasoner.engine.local.mailbox import OutputQueue
from reasoner.engine.local.prompt_cache import PromptCacheStore
from reasoner.engine.local.request import Request
from reasoner.engine.local.scheduler import Scheduler
from reasoner.engine.token import Finish
from reasoner.errors import EngineError

__all__ = ["EngineWorker"]


class EngineWorker(threading.Thread):
    """Runs the scheduler while there is work and sleeps while there is none."""

    def __init__(self, context: LlamaContext, prompt_store: PromptCacheStore | None = None) -> None:
        super().__init__(name="reasoner-engine", daemon=True)
        self.context = context
        self.scheduler = Scheduler(context, prompt_store)
        self.output_queue = OutputQueue()
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._open, self._stopping = True, False

    def submit(self, request: Request) -> None:
        """Queue the request. Raises EngineError after `stop`."""
        if self._stopping:
            raise EngineError("the model is closed; open it again to use it")
        self._inbox.put(lambda: self.scheduler.submit(request))

    def cancel(self, request: Request) -> None:
        """Cancel a request; a decode that serves only cancelled requests is aborted."""
        request.cancelled = True
        if all(other.cancelled for other in self.scheduler.in_flight):
            self.context.abort()
        self._inbox.put(lambda: None)

    def call(self, work: Callable[[Scheduler], None]) -> None:
        """Run `work` with the scheduler on the worker thread between two steps."""
        self._inbox.put(lambda: work(self.scheduler))

    def stop(self) -> None:
        """Cancel everything, free the context and end the thread; returns at once."""
        self._stopping = True
        self._inbox.put(self._close_inbox)
        self.context.abort()

    def _close_inbox(self) -> None:
        self._open = False

    def run(self) -> None:
        while self._open:
            self._process_inbox()
            if self._open and self.scheduler.busy:
                self._step()
        self.scheduler.prompt_cache.store_prompts()
        self.scheduler.abort_all(Finish.CANCELLED)
        self.output_queue.flush()
        self.context.close()

    def _process_inbox(self) -> None:
        """Process the inbox; block on it only when no request is waiting or running."""
        if not self.scheduler.busy:
            self._inbox.get()()
        while not self._inbox.empty():
            self._inbox.get()()

    def _step(self) -> None:
        try:
            self.scheduler.step()
        except Exception as error:
            self.scheduler.abort_all(EngineError(f"engine: {type(error).__name__}: {error}"))
        self.output_queue.flush()
