"""A tiny model with the tokeniser and the template of a real one, which recites a script.

As in `tests.scripted_gguf`, a layer maps each token to its successor, and one attention head
reports a token of `switch`. Only the tokens of the script have a dimension of their own here; the
others share one, because the vocabulary is large.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.real_vocabulary.header import Header
from tests.tiny_gguf import byte_tokens

__all__ = ["spell", "write_reciting_gguf"]

HEAD = 32
LOGIT_SCALE = 6.0
SWITCH_SCALE = 500.0
FIRST_SCORE, SECOND_SCORE = 1.0, 0.9
LAYERS = {"gemma3": 6}
"""Gemma 3 has a layer without a sliding window after each five with one."""
BYTE_CHARACTERS = byte_tokens()


def spell(header: Header, piece: str) -> str:
    """How the vocabulary spells a piece of text that is one of its tokens. Raises KeyError."""
    if piece in header.token_ids:
        return piece
    if header.value("tokenizer.ggml.model") == "llama":
        spelled = piece.replace(" ", "▁")
    else:
        spelled = "".join(BYTE_CHARACTERS[byte] for byte in piece.encode())
    if spelled not in header.token_ids:
        raise KeyError(f"{piece!r} is not one token")
    return spelled


def write_reciting_gguf(
    path: Path,
    header: Header,
    script: Sequence[str],
    after: Sequence[str],
    *,
    switch: str,
    chat_template: str | None = None,
) -> Path:
    """Write the model to `path` and return it.

    Greedy sampling writes `script` after any text, and `after` once the token `switch` stands in
    the context. Pieces of text are tokens of the vocabulary and occur once in a part. The file has
    every `tokenizer.` key of the header; `chat_template` is for a header that has none.
    """
    import gguf

    ids = [[header.token_ids[spell(header, piece)] for piece in part] for part in (script, after)]
    assert all(len(set(part)) == len(part) for part in ids), "a piece occurs twice"
    architecture = header.value("general.architecture")
    writer = gguf.GGUFWriter(path, architecture)
    for key, (kind, element, value) in header.pairs.items():
        if key.startswith("tokenizer."):
            writer.add_key_value(
                key,
                value,
                gguf.GGUFValueType(kind),
                None if element is None else gguf.GGUFValueType(element),
            )
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    _add_network(writer, architecture, header, ids, header.token_ids[spell(header, switch)])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_network(
    writer: Any, architecture: str, header: Header, ids: list[list[int]], switch: int
) -> None:
    """Add shape and weights. Dimension 0 is every token that is not in the script, the last one
    says that the switch was seen."""
    import numpy as np

    (script, after), size = ids, len(header.token_ids)
    dims = {token: dim for dim, token in enumerate(dict.fromkeys([*script, *after, switch]), 1)}
    width = -(-(len(dims) + 2) // HEAD) * HEAD
    embeddings = np.zeros((size, width), np.float16)
    embeddings[:, 0] = 1
    embeddings[list(dims), 0] = 0
    embeddings[list(dims), list(dims.values())] = 1
    value, output = np.zeros((HEAD, width)), np.zeros((width, width))
    value[0, dims[switch]] = 1
    output[-1, 0] = SWITCH_SCALE / np.sqrt(width)
    layers = LAYERS.get(architecture, 1)
    _add_shape(writer, architecture, header, layers, width)
    writer.add_tensor("token_embd.weight", embeddings)
    scores = _scores(script, after, dims, (size, width)) * LOGIT_SCALE
    writer.add_tensor("output.weight", scores.astype(np.float16))
    writer.add_tensor("output_norm.weight", np.ones(width, np.float32))
    for layer in range(layers):
        _add_layer(
            writer, architecture, layer, width, (value, output if layer == 0 else 0 * output)
        )


def _scores(
    script: list[int], after: list[int], dims: dict[int, int], shape: tuple[int, int]
) -> Any:
    """The score of each token (row) after the token of each dimension (column)."""
    import numpy as np

    scores = np.zeros(shape, np.float32)
    scores[:, -1] = 1
    scores[sorted({*script} - {*after}), -1] = 0
    first = dict.fromkeys([0, *dims.values()], script[0])
    first |= {dims[token]: following for token, following in pairwise(script)}
    for last in {script[-1], *after} - {*script[:-1]}:
        del first[dims[last]]
    second = dict.fromkeys([0, *dims.values()], after[0])
    second |= {dims[token]: following for token, following in pairwise(after)}
    scores[list(second.values()), list(second)] = SECOND_SCORE
    scores[list(first.values()), list(first)] = FIRST_SCORE
    return scores


def _add_shape(writer: Any, architecture: str, header: Header, layers: int, width: int) -> None:
    writer.add_name("reciting")
    writer.add_context_length(header.value(f"{architecture}.context_length"))
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(HEAD)
    writer.add_head_count(width // HEAD)
    writer.add_head_count_kv(1)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_layer_norm_rms_eps(1e-6)
    if (window := f"{architecture}.attention.sliding_window") in header.pairs:
        writer.add_sliding_window(header.value(window))


def _add_layer(
    writer: Any, architecture: str, layer: int, width: int, attention: tuple[Any, Any]
) -> None:
    import numpy as np

    value, output = attention
    for name, weights in {
        "attn_q": np.zeros((width, width)),
        "attn_k": np.zeros((HEAD, width)),
        "attn_v": value,
        "attn_output": output,
        "ffn_gate": np.zeros((HEAD, width)),
        "ffn_up": np.zeros((HEAD, width)),
        "ffn_down": np.zeros((width, HEAD)),
    }.items():
        writer.add_tensor(f"blk.{layer}.{name}.weight", weights.astype(np.float16))
    norms = {"attn_norm": width, "ffn_norm": width}
    if architecture == "gemma3":
        norms |= {"attn_q_norm": HEAD, "attn_k_norm": HEAD}
        norms |= {"post_attention_norm": width, "post_ffw_norm": width}
    for name, size in norms.items():
        writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(size, np.float32))
    if architecture == "qwen2":
        for name, size in {"attn_q": width, "attn_k": HEAD, "attn_v": HEAD}.items():
            writer.add_tensor(f"blk.{layer}.{name}.bias", np.zeros(size, np.float32))
