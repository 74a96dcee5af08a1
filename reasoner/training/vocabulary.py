"""The vocabulary of small policies, a byte-level BPE that llama.cpp reads.

It has bytes, whole numbers up to `MAX_INTERMEDIATE_NUMBER`, words of the data, and the control
tokens of ChatML and Steiner. A number is one token, with or without a blank before it, so that
arithmetic needs no carrying of digits. Larger numbers are several tokens.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from reasoner.datagen.puzzles.puzzle import MAX_INTERMEDIATE_NUMBER
from reasoner.protocol.steiner import TOKEN_NAMES

__all__ = ["CHAT_TEMPLATE", "CONTROL_TOKENS", "build_vocabulary", "write_vocabulary"]

CONTROL_TOKENS = (
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    *(f"<|{name}|>" for name in TOKEN_NAMES),
)
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WORD_MERGES = 500
_WORD_PATTERN = re.compile(r" ?[^\W\d_]+| [-+*/=:(]")
_MARK_PATTERN = re.compile(r"<\|\w+\|>")

Merge = tuple[str, str]


def build_vocabulary(
    texts: Iterable[str], merges: int = WORD_MERGES
) -> tuple[list[str], list[Merge]]:
    """Return the plain tokens in order of their ids, and the merges in order of rank.

    The merges of numbers are fixed; `merges` merges of words are learnt from `texts`.
    """
    ranked_merges = [*_number_merges(), *_word_merges(texts, merges)]
    merged_tokens = (left + right for left, right in ranked_merges)
    return list(dict.fromkeys([*_byte_tokens(), *merged_tokens])), ranked_merges


def write_vocabulary(writer: Any, plain: list[str], merges: list[Merge]) -> None:
    """Add the tokeniser's metadata to a `gguf.GGUFWriter`."""
    import gguf

    tokens = [*plain, *CONTROL_TOKENS]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    token_types = [gguf.TokenType.NORMAL] * len(plain) + [gguf.TokenType.CONTROL] * len(
        CONTROL_TOKENS
    )
    writer.add_token_types(token_types)
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_pad_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _byte_tokens() -> list[str]:
    """Return GPT-2's printable characters for the 256 bytes, in byte order."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    shifted = iter(range(256, 512))
    return [chr(byte if byte in printable else next(shifted)) for byte in range(256)]


def _number_merges() -> Iterator[Merge]:
    """Yield merges that make every number up to `MAX_INTERMEDIATE_NUMBER` one token, from the left,
    those with a blank first."""
    numbers = [str(number) for number in range(10, MAX_INTERMEDIATE_NUMBER + 1)]
    yield from (("Ġ", str(digit)) for digit in range(10))
    yield from ((f"Ġ{text[:-1]}", text[-1]) for text in numbers)
    yield from ((text[:-1], text[-1]) for text in numbers)
    yield from ((text[0], text[1:]) for text in numbers if len(text) == 3 and text[1] != "0")


def _word_merges(texts: Iterable[str], count: int) -> Iterator[Merge]:
    """Yield merges of byte-pair encoding (Sennrich et al. 2016) over the words of the texts; of
    equally frequent pairs the alphabetically last is first."""
    counts = Counter(
        word.replace(" ", "Ġ")
        for text in texts
        for word in _WORD_PATTERN.findall(_MARK_PATTERN.sub("\n", text))
    )
    words = {word: list(word) for word in counts}
    for _ in range(count):
        pairs = Counter[Merge]()
        for word, pieces in words.items():
            for pair in pairwise(pieces):
                pairs[pair] += counts[word]
        if not pairs:
            return
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        yield best
        words = {word: _merged(pieces, best) for word, pieces in words.items()}


def _merged(pieces: list[str], pair: Merge) -> list[str]:
    """Return the pieces with every occurrence of the pair merged."""
    merged_pieces: list[str] = []
    for piece in pieces:
        if merged_pieces and (merged_pieces[-1], piece) == pair:
            merged_pieces[-1] += piece
        else:
            merged_pieces.append(piece)
    return merged_pieces
