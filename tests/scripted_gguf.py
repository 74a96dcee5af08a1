"""A GGUF file whose model recites a script, with the marks, token types and template of a family.

The model is one layer that maps each token to its successor. One attention head reports whether a
token of `switch` stands in the context; from then on the model recites `after` instead.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.tiny_gguf import CHATML, CONTROL_TOKENS, byte_tokens

__all__ = ["Piece", "split_pieces", "write_scripted_gguf"]

Piece = str | bytes
"""The text of one token; bytes where it is a part of a character."""

HEAD = 32
LOGIT_SCALE = 6.0
SWITCH_SCALE = 500.0
"""The attention averages over the context, so that the switch must be strong to be seen in it."""
BYTE_CHARACTERS = byte_tokens()


def split_pieces(text: str, special: Sequence[str] = ()) -> list[str]:
    """Return the text in words with their spaces, special tokens whole, every piece once.

    A word that occurred before is joined to the next, so that each piece has one successor. Raises
    ValueError where the text ends in a repetition.
    """
    pattern = "|".join(map(re.escape, sorted({*special, *CONTROL_TOKENS}, key=len, reverse=True)))
    pieces: list[str] = []
    joined = ""
    for word in re.findall(rf"{pattern}|(?:(?!{pattern})\s)*(?:(?!{pattern})\S)+\s*|\s+", text):
        joined += word
        if joined not in pieces:
            pieces.append(joined)
            joined = ""
    if joined:
        raise ValueError(f"the script ends in a repetition: {joined!r}")
    return pieces


def write_scripted_gguf(
    path: Path,
    script: Sequence[Piece],
    after: Sequence[Piece] = (),
    *,
    switch: Sequence[str] = (),
    control: Sequence[str] = (),
    user_defined: Sequence[str] = (),
    chat_template: str | None = CHATML,
    bos: str | None = "<|endoftext|>",
    eos: str | None = "<|im_end|>",
    add_bos: bool = False,
    n_ctx_train: int = 4096,
    loop: bool = False,
    add_metadata: Callable[[Any], None] = lambda writer: None,
) -> Path:
    """Write the model to `path` and return it.

    Greedy sampling writes `script` piece by piece after any other text, and `after` once a token
    of `switch` stands in the context. Without a switch, `after` follows the end of `script`, or
    with `loop` the script begins again. Each piece becomes a normal token that no tokenised text
    contains; the pieces in `control` and `user_defined` become tokens of those types. Raises
    ValueError for a piece that occurs twice in a part.
    """
    import gguf

    special = [*CONTROL_TOKENS, *control, *user_defined]
    vocabulary = _Vocabulary([*BYTE_CHARACTERS, "Ġt", *special], set(special))
    first, second = ([vocabulary.add(piece) for piece in part] for part in (script, after))
    for part, pieces in ((first, script), (second, after)):
        if len(set(part)) < len(part):
            raise ValueError(f"a piece occurs twice in {list(pieces)}")
    plain = len(BYTE_CHARACTERS) + 1
    types = [gguf.TokenType.NORMAL] * len(vocabulary.tokens)
    types[plain : plain + len(special)] = [gguf.TokenType.CONTROL] * len(special)
    for name in user_defined:
        types[vocabulary.ids[name]] = gguf.TokenType.USER_DEFINED
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("scripted")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(types)
    writer.add_token_merges(["Ġ t"])
    if bos is not None:
        writer.add_bos_token_id(vocabulary.ids[bos])
    if eos is not None:
        writer.add_eos_token_id(vocabulary.ids[eos])
    writer.add_add_bos_token(add_bos)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    add_metadata(writer)
    switches = [vocabulary.add(name) for name in switch]
    _add_network(
        writer,
        _successors(len(vocabulary.tokens), first, second, loop, bool(switch)),
        n_ctx_train,
        {
            "after": second,
            "script": first,
            "switches": switches,
        },
    )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@dataclass
class _Vocabulary:
    """The tokens in the order of their ids."""

    tokens: list[str]
    special: set[str]

    def __post_init__(self) -> None:
        self.ids = {token: number for number, token in enumerate(self.tokens)}

    def add(self, piece: Piece) -> int:
        """The id of the piece's token, which is added if it is new."""
        if isinstance(piece, str) and piece in self.special:
            return self.ids[piece]
        data = piece if isinstance(piece, bytes) else piece.encode()
        spelled = "".join(BYTE_CHARACTERS[byte] for byte in data)
        if spelled not in self.ids:
            self.ids[spelled] = len(self.tokens)
            self.tokens.append(spelled)
        return self.ids[spelled]


def _successors(
    size: int, script: Sequence[int], after: Sequence[int], loop: bool, has_switch: bool
) -> Any:
    """The score of each token (row) after each other (column), shape (size, size).

    A token's successor in the script scores 1, the one after the switch 0.9.
    """
    import numpy as np

    before = dict.fromkeys(range(size), script[0]) | dict(pairwise(script))
    for last in (script[-1], *(after if not has_switch or script[0] in after else [])):
        if not loop and last not in script[:-1]:
            before.pop(last, None)
    scores = np.zeros((size, size), np.float32)
    if after:
        switched = dict.fromkeys(range(size), after[0]) | dict(pairwise(after))
        scores[list(switched.values()), list(switched)] = 0.9
    scores[list(before.values()), list(before)] = 1.0
    return scores


def _add_network(
    writer: Any, successors: Any, n_ctx_train: int, parts: Mapping[str, Sequence[int]]
) -> None:
    """Add the shape and the weights: one-hot embeddings, one of whose dimensions is the switch."""
    import numpy as np

    size = len(successors)
    width = -(-(size + 1) // HEAD) * HEAD
    scores = np.zeros((size, width), np.float32)
    scores[:, :size] = successors
    only_script = sorted({*parts["script"]} - {*parts["after"]})
    scores[:, -1] = 1.0
    scores[only_script, -1] = 0.0
    value, output = np.zeros((HEAD, width)), np.zeros((width, width))
    value[0, list(parts["switches"])] = 1.0
    output[-1, 0] = SWITCH_SCALE / np.sqrt(width)
    writer.add_context_length(n_ctx_train)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(HEAD)
    writer.add_head_count(width // HEAD)
    writer.add_head_count_kv(1)
    writer.add_rope_dimension_count(HEAD)
    writer.add_layer_norm_rms_eps(1e-5)
    for name, weights in {
        "token_embd": np.eye(size, width),
        "output": scores * LOGIT_SCALE,
        "blk.0.attn_q": np.zeros((width, width)),
        "blk.0.attn_k": np.zeros((HEAD, width)),
        "blk.0.attn_v": value,
        "blk.0.attn_output": output,
        "blk.0.ffn_gate": np.zeros((HEAD, width)),
        "blk.0.ffn_up": np.zeros((HEAD, width)),
        "blk.0.ffn_down": np.zeros((width, HEAD)),
    }.items():
        writer.add_tensor(f"{name}.weight", weights.astype(np.float16))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(width, np.float32))
