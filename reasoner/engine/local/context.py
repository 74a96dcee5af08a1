"""A model and a context of llama.cpp, used through its low-level functions.

Only one thread at a time may call it, except for the vocabulary and `abort`.
"""

import ctypes
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from reasoner.context_needs import DEFAULT_CONTEXT_TOKENS, ContextNeeds
from reasoner.engine.local.adapters import LoadedAdapters
from reasoner.engine.local.library import clear_errors, first_error, load_llama_cpp
from reasoner.engine.local.loading import FLASH_ATTENTION, GGML_TYPES, load_model
from reasoner.engine.local.output_row import FloatArray, row_view
from reasoner.engine.local.threads import default_threads
from reasoner.engine.local.vocabulary import NativeVocabulary
from reasoner.errors import BadModelFile, EngineError
from reasoner.settings import EngineSettings

__all__ = ["LlamaContext"]

MIN_RECURRENT_SEQUENCES = 2
"""Sequences of a recurrent model's first context: one that keeps the state at the end of a prompt
and one that continues it. llama.cpp sets memory for a whole state aside for each sequence."""


class LlamaContext:
    """A loaded model with a unified KV cache of `n_cells` cells that all sequences share; each
    sequence may have `n_ctx` tokens, and a batch `n_outputs` rows of output. `needs` are those of a
    context whose size is not set.

    Raises BadModelFile for a file that llama.cpp cannot load or continue text with, and
    EngineError when the context cannot be allocated.
    """

    def __init__(
        self,
        path: Path,
        settings: EngineSettings,
        notice: Callable[[str], None],
        needs: ContextNeeds | None = None,
    ) -> None:
        self._lc = load_llama_cpp()
        self._ctx: Any = None
        self._memory: Any = None
        self._model: Any = None
        self._abort = ctypes.create_string_buffer(2)
        self._settings, self._path = settings, path
        loaded = load_model(self._lc, path, settings, needs or ContextNeeds(), notice)
        self._loaded, self._model, self.on_gpu = loaded, loaded.handle, loaded.on_gpu
        self.vocabulary = NativeVocabulary(self._model)
        self.n_outputs = self.max_sequences = settings.sequences
        try:
            self._check_model()
            self._adapters = LoadedAdapters(self._lc, self._model, settings.lora)
            few = MIN_RECURRENT_SEQUENCES if self.is_recurrent else self.max_sequences
            self._open(min(few, self.max_sequences))
        except BaseException:
            self.close()
            self.free_model()
            raise

    # -- loading ---------------------------------------------------------------------------

    def _check_model(self) -> None:
        if self._lc.llama_model_has_encoder(self._model):
            raise BadModelFile(f"{self._path.name} is an encoder model, it cannot continue text")
        if self.vocabulary.size == 0 or not self._lc.llama_model_has_decoder(self._model):
            raise BadModelFile(f"{self._path.name} has no vocabulary, it cannot continue text")

    def _open(self, n_sequences: int) -> None:
        clear_errors()
        params = self._context_params(n_sequences)
        self._ctx = self._lc.llama_init_from_model(self._model, params)
        if not self._ctx:
            raise EngineError(
                f"cannot allocate a context of {params.n_ctx} tokens: {first_error()}; "
                "try a smaller --context"
            )
        self._memory = self._lc.llama_get_memory(self._ctx)
        self.n_sequences = n_sequences
        self.n_cells = int(self._lc.llama_n_ctx(self._ctx))
        longest = self.n_cells if self._settings.context else self.n_ctx_train
        self.n_ctx = min(longest, self.n_cells)
        self.n_batch = int(self._lc.llama_n_batch(self._ctx))
        self._embeddings_enabled = False
        self._prepare_batch()
        self._prepare_abort()
        self._adapters.apply(self._ctx)

    def _context_params(self, n_sequences: int) -> Any:
        settings = self._settings
        params = self._lc.llama_context_default_params()
        params.n_ctx = self._loaded.plan.tokens
        params.n_batch = min(settings.batch, params.n_ctx)
        params.n_ubatch = min(512, params.n_batch)
        params.n_seq_max = n_sequences
        params.n_outputs_max = self.n_outputs
        params.n_threads = params.n_threads_batch = settings.threads or default_threads()
        params.kv_unified = True
        params.pooling_type = 0
        params.flash_attn_type = FLASH_ATTENTION[settings.flash_attention]
        params.type_k = params.type_v = GGML_TYPES[self._loaded.plan.kv_type]
        return params

    def _prepare_batch(self) -> None:
        self._batch = self._lc.llama_batch_init(self.n_batch, 0, 1)
        for i in range(self.n_batch):
            self._batch.n_seq_id[i] = 1

    def _prepare_abort(self) -> None:
        """Let `abort` stop a running decode without entering Python from its worker threads.

        llama.cpp polls a C function that must return whether to stop. `strlen` of a two-byte
        buffer is such a function: 0 while the buffer is empty, 1 once `abort` has filled it.
        """
        strlen = ctypes.cast(ctypes.CDLL(None).strlen, self._lc.ggml_abort_callback)
        self._abort_callback = strlen
        self._lc.llama_set_abort_callback(
            self._ctx, strlen, ctypes.cast(self._abort, ctypes.c_void_p)
        )

    # -- facts -----------------------------------------------------------------------------

    @cached_property
    def n_ctx_train(self) -> int:
        return int(self._lc.llama_model_n_ctx_train(self._model)) or DEFAULT_CONTEXT_TOKENS

    @cached_property
    def n_embd(self) -> int:
        return int(self._lc.llama_model_n_embd(self._model))

    @cached_property
    def logits_buffer(self) -> FloatArray:
        """Scratch space for one row of logits, for the thread that decodes."""
        return np.empty(self.vocabulary.size, np.float32)

    @cached_property
    def has_cells(self) -> bool:
        """Whether any layer keeps a cell per token."""
        return not self._lc.llama_model_is_recurrent(self._model)

    @cached_property
    def is_recurrent(self) -> bool:
        """Whether layers keep one state per sequence, so that it only forks at its end."""
        return not self.has_cells or bool(self._lc.llama_model_is_hybrid(self._model))

    @cached_property
    def n_window(self) -> int:
        """Tokens that layers with a sliding window attend to, or 0 without such layers."""
        return int(self._lc.llama_model_n_swa(self._model))

    @property
    def can_fork(self) -> bool:
        """Whether a sequence can be copied; recurrent states need a second one for the copy."""
        return not self.is_recurrent or self.max_sequences > 1

    @cached_property
    def chat_template(self) -> str | None:
        text = self._lc.llama_model_chat_template(self._model, None)
        return text.decode(errors="replace") if text else None

    # -- decoding --------------------------------------------------------------------------

    def decode(self, entries: list[tuple[int, int, int, bool]], hidden: bool = False) -> int:
        """Decode (token, position, sequence id, needs output) entries as one batch.

        `hidden` requests hidden states instead of logits. Returns llama.cpp's code: 0 success, 1 no
        free cells (nothing changed), 2 aborted (entries may be in the cache), below 0 failure.
        """
        if self._ctx is None:
            return -1
        if hidden != self._embeddings_enabled:
            self._lc.llama_set_embeddings(self._ctx, hidden)
            self._embeddings_enabled = hidden
        batch = self._batch
        batch.n_tokens = len(entries)
        for i, (token, position, sequence, needs_output) in enumerate(entries):
            batch.token[i] = token
            batch.pos[i] = position
            batch.seq_id[i][0] = sequence
            batch.logits[i] = needs_output or hidden
        self._abort[0] = b"\0"
        return int(self._lc.llama_decode(self._ctx, batch))

    def logits(self, index: int) -> FloatArray:
        """Logits (n_vocab,) of batch entry `index`: a writable view until the next decode."""
        return row_view(self._lc.llama_get_logits_ith(self._ctx, index), self.vocabulary.size)

    def hidden(self, index: int) -> FloatArray:
        """Last hidden state (n_embd,) of batch entry `index`, after the final norm."""
        return row_view(self._lc.llama_get_embeddings_ith(self._ctx, index), self.n_embd)

    def sample(self, chain: Any, index: int) -> int:
        """Sample from batch entry `index` with a native chain, which counts the token."""
        return int(self._lc.llama_sampler_sample(chain, self._ctx, index))

    def abort(self) -> None:
        """Stop a decode in progress soon; may be called from any thread."""
        self._abort[0] = b"\1"

    # -- sequences -------------------------------------------------------------------------

    def copy(self, source: int, target: int, length: int) -> None:
        """Let `target` share the first `length` cells of `source`; costs no computation.

        For a recurrent model `length` must be that of `source`. Its state is copied when one of
        the two is decoded next.
        """
        end = -1 if self.is_recurrent else length
        self._lc.llama_memory_seq_cp(self._memory, source, target, 0, end)

    def has_window(self, sequence: int, length: int) -> bool:
        """Whether the cells that a token at position `length` attends to are still there. Those
        behind a sliding window are overwritten when other sequences need cells."""
        if self.n_window == 0 or self.is_recurrent:
            return True
        first = int(self._lc.llama_memory_seq_pos_min(self._memory, sequence))
        return 0 <= first <= max(0, length - self.n_window + 1)

    def truncate(self, sequence: int, length: int) -> bool:
        """Remove all cells from position `length` on; False where that would need an earlier
        state of a recurrent model."""
        return bool(self._lc.llama_memory_seq_rm(self._memory, sequence, length, -1))

    def resize(self, n_sequences: int) -> None:
        """Replace the context by one for `n_sequences` sequences, all of them empty.

        Raises EngineError when it cannot be allocated; there are then as many as before, empty too.
        """
        previous = self.n_sequences
        self.close()
        try:
            self._open(n_sequences)
        except EngineError:
            self._open(previous)
            raise

    def save(self, sequence: int) -> bytes:
        """Return the KV state of a sequence in llama.cpp's own format."""
        size = self._lc.llama_state_seq_get_size(self._ctx, sequence)
        buffer = (ctypes.c_uint8 * size)()
        written = self._lc.llama_state_seq_get_data(self._ctx, buffer, size, sequence)
        return ctypes.string_at(buffer, written)

    def restore(self, sequence: int, cells: bytes) -> bool:
        """Fill an empty sequence with a KV state from `save`; False, and still empty, when it does
        not fit this context. The bytes must come from `save`: llama.cpp trusts them."""
        pointer = ctypes.cast(ctypes.c_char_p(cells), ctypes.POINTER(ctypes.c_uint8))
        read = self._lc.llama_state_seq_set_data(self._ctx, pointer, len(cells), sequence)
        if read != len(cells):
            self.truncate(sequence, 0)
        return bool(read == len(cells))

    def close(self) -> None:
        """Free the context; the vocabulary may still be read."""
        if self._ctx:
            self._lc.llama_batch_free(self._batch)
            self._lc.llama_free(self._ctx)
            self._ctx = self._memory = None

    def free_model(self) -> None:
        """Free the model and its vocabulary; called after `close` by the thread that uses the
        vocabulary."""
        if self._model:
            self.vocabulary.close()
            self._lc.llama_model_free(self._model)
            self._model = None
