"""The prefix cache of recurrent and hybrid models, whose layers keep one state per sequence.

A state cannot be taken back to an earlier token, so a prefix is reused only where a sequence ends
with it. States are kept where prompts branch, as in a radix tree (Marconi, Pan et al. 2024): before
the last token of a prompt, which each of its samples decodes for itself, and where the prompt of a
waiting request parts from one that is being prefilled. A sequence that keeps such a state is a
trunk. Each sequence has memory for a whole state, so the context starts with few sequences and is
replaced by a larger one when requests need more.
"""

from array import array
from bisect import insort
from collections.abc import Iterable

import numpy as np

from reasoner.engine.local.context import LlamaContext
from reasoner.engine.local.prefix_cache import PrefixCache, Sequence, TokenArray, common_prefix
from reasoner.engine.local.request import GenerateRequest, PrefillRequest, Request
from reasoner.errors import EngineError

__all__ = ["MIN_STATE_TOKENS", "StateCache"]

MIN_STATE_TOKENS = 16
"""A state is kept where it saves more prompt tokens than this."""


class StateCache(PrefixCache):
    """All sequences of a recurrent model. They fork at their ends and are never truncated."""

    states_move = True

    def __init__(self, context: LlamaContext) -> None:
        super().__init__(context)
        self._waiting: list[Request] = []
        self._max_sequences = context.max_sequences

    @property
    def full(self) -> bool:
        return self._context.n_sequences >= self._max_sequences and super().full

    def count_cells(self, sequences: Iterable[Sequence]) -> int:
        return super().count_cells(sequences) if self._context.has_cells else 0

    def prepare_step(self, waiting: Iterable[Request]) -> None:
        self._waiting = list(waiting)
        for sequence in self.running_sequences():
            if sequence.checkpoints and sequence.checkpoints[0] <= len(sequence.tokens):
                del sequence.checkpoints[0]
                self._keep_state(sequence)

    def _keep_state(self, sequence: Sequence) -> None:
        """Keep the state of a running sequence in a trunk, where there is none yet."""
        trunk = self._longest_trunk(sequence.token_array(), None)
        if trunk is None or len(trunk.tokens) < len(sequence.tokens):
            trunk = self._copy(sequence, None)
        if trunk is not None:
            trunk.is_trunk = True
            self.touch(trunk)

    # -- lookup ----------------------------------------------------------------------------

    def longest_prefix(self, request: Request, min_tokens: int = 0) -> tuple[Sequence | None, int]:
        """Return the longest sequence that the request begins with, and its length.

        At equal length an idle one that is no trunk is preferred, as it can be continued without
        a copy, and then a trunk.
        """
        ids = _cacheable_tokens(request)
        best = max(
            (
                s
                for s in self._sequences.values()
                if len(s.tokens) >= min_tokens and _begins(ids, s)
            ),
            key=lambda s: (len(s.tokens), s.request is None, not s.is_trunk),
            default=None,
        )
        return best, len(best.tokens) if best else 0

    def longest_pending_prefix(self, request: Request) -> int:
        """Longest prefix of the request that a running sequence will prefill. The sequence is made
        to pause there, so that its state is kept for the request."""
        ids = _cacheable_tokens(request)
        longest, owner = self.longest_prefix(request)[1] + MIN_STATE_TOKENS, None
        for sequence in self._sequences.values():
            if sequence.request is not None:
                shared = common_prefix(sequence.request.prompt, ids)
                if shared > max(longest, len(sequence.tokens)):
                    longest, owner = shared, sequence
        if owner is None:
            return 0
        if longest not in owner.checkpoints:
            insort(owner.checkpoints, longest)
        return longest

    def _longest_trunk(self, ids: TokenArray, new_trunk: Sequence | None) -> Sequence | None:
        trunks = (s for s in self._sequences.values() if s.is_trunk or s is new_trunk)
        return max(
            (s for s in trunks if _begins(ids, s)), key=lambda s: len(s.tokens), default=None
        )

    def _wanted_sequences(self, request: Request | None) -> set[Sequence]:
        """The sequences that waiting requests other than `request` begin with."""
        others = (other for other in self._waiting if other is not request)
        return {parent for other in others if (parent := self.longest_prefix(other)[0])}

    def _trunks_at_work(self, request: Request | None, new_trunk: Sequence | None) -> set[Sequence]:
        """The trunks of the running prompts and of `request`, of which more samples may follow.
        `new_trunk` is a sequence that is about to be kept in one."""
        active = [s.request for s in self._sequences.values()] + [request]
        prompts = (other.prompt for other in active if other is not None)
        return {trunk for ids in prompts if (trunk := self._longest_trunk(ids, new_trunk))}

    # -- allocation ------------------------------------------------------------------------

    def allocate(self, request: Request, parent: Sequence | None, shared: int) -> Sequence | None:
        """Assign the request a sequence with the state of `parent`: a copy where that state may be
        needed again, else the parent itself. Returns None when it has to wait."""
        others = [other for other in self._waiting if other is not request]
        is_wanted = any(parent and _begins(_cacheable_tokens(other), parent) for other in others)
        checkpoints = self._plan_checkpoints(request, parent)
        sequence = None
        if parent is None or is_wanted or self._is_worth_a_copy(parent, request, len(others)):
            sequence = self._copy(parent, request)
        is_idle = parent is not None and parent.request is None and self._holds(parent, shared)
        if sequence is None and is_idle:
            # what another request wants is left to it, unless nothing runs that would make space
            sequence = None if is_wanted and self.running_sequences() else parent
        if sequence is None:
            return None
        self._waiting = others
        self._assign(sequence, request)
        sequence.is_trunk, sequence.checkpoints = False, checkpoints
        return sequence

    def _is_worth_a_copy(self, parent: Sequence, request: Request, waiting: int) -> bool:
        """Whether the state may be needed again, or a copy costs no other request its place."""
        is_between_rounds = parent.round_end_time > 0 and isinstance(request, PrefillRequest)
        is_shared = parent.request is not None or parent.is_trunk or is_between_rounds
        return is_shared or len(self._free_ids) > waiting

    def _plan_checkpoints(self, request: Request, parent: Sequence | None) -> list[int]:
        """The lengths at which the states of a new prompt are to be kept: before its last token,
        for other samples, and where it parts from an earlier prompt."""
        is_next_round = parent is not None and not parent.is_trunk and parent.round_end_time > 0
        if is_next_round or not isinstance(request, GenerateRequest):
            return []
        ids, begin = _cacheable_tokens(request), len(parent.tokens) if parent else 0
        earlier = (common_prefix(s.token_array(), ids) for s in self._sequences.values())
        lengths = {max(earlier, default=0), len(ids)}
        return sorted(length for length in lengths if length > begin + MIN_STATE_TOKENS)

    def _copy(self, parent: Sequence | None, request: Request | None) -> Sequence | None:
        """Return a new sequence with the parent's state, or an empty one; None without space.

        `request` is the waiting one that it is for, None for a trunk.
        """
        size = len(parent.tokens) if parent else 0
        number = self._take_id(parent, request)
        if number is None:
            return None
        if parent is not None and not self._holds(parent, size):
            if request is None:
                self._free_ids.append(number)
                return None
            parent = None  # a larger context had no cells for its state: the prompt is read again
        sequence = self._sequences[number] = Sequence(number)
        if parent is not None:
            self.touch(parent)
            self._context.copy(parent.id, number, len(parent.tokens))
            sequence.tokens, sequence.cells = parent.tokens[:], parent.cells[:]
        return sequence

    def _holds(self, sequence: Sequence, size: int) -> bool:
        """Whether the sequence is still there with a state of `size` tokens."""
        return self._sequences.get(sequence.id) is sequence and len(sequence.tokens) == size

    def _take_id(self, parent: Sequence | None, request: Request | None) -> int | None:
        """Return a free id, or that of an idle sequence without use, or one of a larger context.

        Where that cannot be, a trunk is evicted, and while nothing runs any sequence but `parent`.
        """
        if not self._free_ids:
            idle = [s for s in self.idle_sequences() if s is not parent]
            wanted = self._wanted_sequences(request)
            needed = wanted | self._trunks_at_work(request, parent if request is None else None)
            victims = [s for s in idle if s not in needed]
            kept = sum(s.request is None for s in needed) + (request is None)
            if not victims and not self._grow(kept):
                victims = [s for s in idle if s not in wanted]
                victims = victims or ([] if self.running_sequences() else idle)
            if victims:
                self.evict(victims[0])
        return self._free_ids.pop() if self._free_ids else None

    def _drop_reply(self, sequence: Sequence, prompt_tokens: int) -> None:
        """Evict a reply and the states at the ends of its rounds, but not its prompt's trunk."""
        if len(sequence.tokens) > prompt_tokens:
            self.release_prefix(sequence.token_array().copy(), prompt_tokens - 1)

    # -- growth ----------------------------------------------------------------------------

    def _grow(self, kept: int) -> bool:
        """Replace the context by one for every request and `kept` idle states, and move the states
        into it. Returns False where no more sequences are allowed or fit into memory."""
        size = self._context.n_sequences
        needed = kept + len(self.running_sequences()) + len(self._waiting)
        target = min(self._max_sequences, max(needed, size + max(1, size // 2)))
        if target <= size:
            return False
        sequences = [*self.running_sequences(), *reversed(self.idle_sequences())]
        states = self._save_states(sequences)
        try:
            self._context.resize(target)
        except EngineError:
            self._max_sequences = target = size
        self._free_ids[:0] = range(target - 1, size - 1, -1)
        self._restore_states(sequences, states)
        return target > size

    def _save_states(self, sequences: Iterable[Sequence]) -> dict[bytes, bytes]:
        """The states of the sequences by their tokens; equal ones only once."""
        states: dict[bytes, bytes] = {}
        for sequence in sequences:
            key = sequence.tokens.tobytes()
            if key and key not in states:
                states[key] = self._context.save(sequence.id)
        return states

    def _restore_states(self, sequences: Iterable[Sequence], states: dict[bytes, bytes]) -> None:
        """Fill a new context. What does not fit is evicted, or prefilled again where it runs."""
        owners: dict[bytes, Sequence] = {}
        for sequence in sequences:
            key, size = sequence.tokens.tobytes(), len(sequence.tokens)
            state = states.pop(key, None)
            if owner := owners.get(key):
                self._context.copy(owner.id, sequence.id, size)
                sequence.cells = owner.cells[:]
            elif state is not None and self._context.restore(sequence.id, state):
                owners[key] = sequence
                sequence.cells = self._new_cells(size)
            elif sequence.request is None:
                self.evict(sequence)
            else:
                sequence.tokens, sequence.cells = array("i"), array("q")


def _cacheable_tokens(request: Request) -> TokenArray:
    return request.token_array[: request.max_cached_tokens]


def _begins(ids: TokenArray, sequence: Sequence) -> bool:
    """Whether `ids` begin with the tokens of a sequence that has any."""
    size = len(sequence.tokens)
    if not 0 < size <= len(ids) or sequence.tokens[-1] != ids[size - 1]:
        return False
    return bool(np.array_equal(sequence.token_array(), ids[:size]))
