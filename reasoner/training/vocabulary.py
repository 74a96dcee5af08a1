"""The tokens of our own models: bytes, whole numbers up to `MAX_INTERMEDIATE_NUMBER`, the words of
the data, and Steiner's fourteen; written as a byte-level BPE that llama.cpp reads.

A number is one token, with or without a blank before it, so that a sum is a matter of three
tokens and not of carrying digits. Larger numbers fall into pieces.
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
    """The plain tokens in their order of ids, and the merges in their order of rank, learnt from
    `texts` for words and laid down for numbers."""
    ranked = [*_number_merges(), *_word_merges(texts, merges)]
    joined = (left + right for left, right in ranked)
    return list(dict.fromkeys([*_byte_tokens(), *joined])), ranked


def write_vocabulary(writer: Any, plain: list[str], merges: list[Merge]) -> None:
    """Put the tokeniser into a GGUF that is being written."""
    import gguf

    tokens = [*plain, *CONTROL_TOKENS]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    kinds = [gguf.TokenType.NORMAL] * len(plain) + [gguf.TokenType.CONTROL] * len(CONTROL_TOKENS)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_pad_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _byte_tokens() -> list[str]:
    """GPT-2's printable stand-ins for the 256 bytes, in byte order."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    shifted = iter(range(256, 512))
    return [chr(byte if byte in printable else next(shifted)) for byte in range(256)]


def _number_merges() -> Iterator[Merge]:
    """Merges that make every number up to `MAX_INTERMEDIATE_NUMBER` one token, from the left, blank
    first."""
    long = [str(number) for number in range(10, MAX_INTERMEDIATE_NUMBER + 1)]
    yield from (("Ġ", str(digit)) for digit in range(10))
    yield from ((f"Ġ{text[:-1]}", text[-1]) for text in long)
    yield from ((text[:-1], text[-1]) for text in long)
    yield from ((text[0], text[1:]) for text in long if len(text) == 3 and text[1] != "0")


def _word_merges(texts: Iterable[str], count: int) -> Iterator[Merge]:
    """Byte-pair encoding (Sennrich et al. 2016) over the words; ties fall to the alphabet."""
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
    found: list[str] = []
    for piece in pieces:
        if found and (found[-1], piece) == pair:
            found[-1] += piece
        else:
            found.append(piece)
    return found
