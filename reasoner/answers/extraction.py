"""Extraction of the short final answer and of the code blocks from a model's reply.

The text may be hostile: every pattern takes linear time, and every result is bounded.
"""

import re
from collections import deque
from collections.abc import Iterator

from reasoner.answers.fences import find_fences
from reasoner.answers.spans import last_span, whole_answer

__all__ = [
    "MAX_ANSWER_CHARACTERS",
    "code_blocks",
    "extract_final_answer",
    "extract_marked_answer",
    "extract_unambiguous_answer",
    "fenced_blocks",
    "without_code",
]

MAX_ANSWER_CHARACTERS = 1000
"""The largest number of characters of a final answer."""

_BOXED = re.compile(r"\\f?boxed\s{0,3}\{")
_NAME_BEFORE = re.compile(r"[A-Za-z](?:_\{?\w{1,3}\}?)? ?= ?$")
_PUNCTUATION = re.compile(r"[\s$.,;:&\\()\[\]{}]+|[-+=*]{3,}")
_LAYOUT = {"text", "quad", "qquad"}
_MAX_GAP = 60
_MARKER = re.compile(r"(?i)\bfinal answer\b")
_PHRASE = re.compile(
    r"(?i)\b(?:the|my|our) (?:correct )?(?:answer|result|solution) (?:is|=)|\banswer ?:"
)
_HASHES = re.compile(r"(?m)^#{4}[ \t]*(\S[^\n]*)$")
_LEAD = re.compile(r"^(?:[\s:=*_>#\-–—]|\bis\b|\bwould be\b)+", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?](?=\s+[A-Z])")
_NUMBER = re.compile(r"(?<![\w.])[-−]?[$€£]?\d(?:[\d,]*\d)?(?:\.\d+)?(?:/\d+)?%?")
_EQUATION_END = re.compile(r"=[ \t$]{0,3}([-−]?\d{1,30}(?:\.\d{1,30})?)[ \t$.*]{0,5}$")
_MATH = re.compile(r"[\d\\$]")
_SPAN = re.compile(r"\$[^$]+\$|\\\([^()]+\\\)")
_TURN = re.compile(r"<\|(?:im_start|im_end|endoftext|eot_id|end_of_text)\|>")
_WRAPPERS = (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("**", "**"), ("__", "__"))
_CODE = re.compile(
    r"(?m)^(?:>>> |(?:def|class|import|from|for|while|if|with|print|return|assert|async)\b|@\w|"
    r"[A-Za-z_]\w{0,40} ?[-+*/]?= ?\S)"
)
_PROGRAM = re.compile(
    r"\s{0,99}(?:from [\w.]{1,80} import |import \w[\w., ]{0,80}\n|(?:async )?def \w{1,80}\(|"
    r"class \w{1,80}[(:]|@\w[^\n]{0,80}\n|#!/)"
)
_PYTHON = frozenset({"python", "py", "python3", "python2", "pycon"})
_PROSE_WORDS = 4
_MAX_LINE_CHARACTERS = 2000


def extract_final_answer(text: str) -> str | None:
    r"""Return the short final answer of a reply, or None.

    It is the first of these that the reply contains: the last ``\boxed{}`` (unless a "final
    answer" line follows it), a "final answer" line or header, ``#### x``, "the answer is x", a
    lone line in a code fence, the whole text when it consists of mathematics only, the last number
    or piece of mathematics.
    """
    text = _TURN.split(text, maxsplit=1)[0]
    prose = without_code(text)
    math_answer = whole_answer(prose)
    return (
        extract_marked_answer(text)
        or _lone_fenced_line(text)
        or (_clean(math_answer) if math_answer else None)
        or _last_number(prose)
    )


def extract_marked_answer(text: str) -> str | None:
    """Return the final answer that a reply marks as such, by a box or in words, or None."""
    prose = without_code(_TURN.split(text, maxsplit=1)[0])
    for marked_text in _marked_texts(prose):
        if marked_text and (answer := _clean(marked_text)):
            return answer
    return None


def extract_unambiguous_answer(text: str) -> str | None:
    """Return the final answer of a reply only where it is certain which it is, or None.

    It is marked as such, the whole reply, or the right side of an equation in the last line. Only
    such an answer may be refuted.
    """
    prose = without_code(_TURN.split(text, maxsplit=1)[0])
    math_answer = whole_answer(prose)
    equation = _EQUATION_END.search(prose.rstrip()[-_MAX_LINE_CHARACTERS:])
    right_side = equation[1] if equation else None
    return (
        extract_marked_answer(text) or right_side or (_clean(math_answer) if math_answer else None)
    )


def code_blocks(text: str) -> tuple[str, ...]:
    """Return the fenced Python blocks in order.

    They include an unclosed block, and a block without a language that looks like Python. A text
    without fences that begins as a program is one block.
    """
    blocks = list(find_fences(text))
    if not blocks and _PROGRAM.match(text):
        return (text,)
    return tuple(
        body
        for language, body, _ in blocks
        if body.strip() and (language in _PYTHON or (not language and _CODE.search(body)))
    )


def fenced_blocks(text: str) -> tuple[str, ...]:
    """Return the bodies of all fenced blocks in order, whatever their language."""
    return tuple(body for _, body, _ in find_fences(text))


def without_code(text: str) -> str:
    """Return the text without its fenced blocks."""
    pieces, last_end = [], 0
    for _, _, (start, end) in find_fences(text):
        pieces.append(text[last_end:start])
        last_end = end
    return "\n".join([*pieces, text[last_end:]])


def _marked_texts(text: str) -> Iterator[str | None]:
    boxed, end = _last_boxed(text)
    marker = _last(_MARKER, text)
    if marker is not None and marker.end() > end:
        yield _after(text, marker.end())
    yield boxed
    if marker is not None:
        yield _after(text, marker.end())
    yield _hashes(text)
    if (phrase := _last(_PHRASE, text)) is not None:
        yield _after(text, phrase.end())


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    last_match = deque(pattern.finditer(text), maxlen=1)
    return last_match[0] if last_match else None


def _last_boxed(text: str) -> tuple[str | None, int]:
    """Return the content of the last box and the index of its end; adjacent boxes form one list."""
    boxes: list[str] = []
    end = -1
    for match in deque(_BOXED.finditer(text), maxlen=64):
        if match.start() < end:  # nested: part of the outer box
            continue
        if (close := _closing(text, match.end())) is None:
            continue
        gap = text[end : match.start()]
        if end < 0 or not _joins(gap):
            boxes = []
        boxes = [*boxes[-9:], text[match.end() : close]]
        end = close + 1
    return (", ".join(boxes) if boxes else None), end


def _joins(gap: str) -> bool:
    """Return whether the text between two boxes joins them: "and", a comma, "papers and"."""
    if len(gap) > _MAX_GAP or "\n\n" in gap:
        return False
    rest = _PUNCTUATION.sub(" ", _NAME_BEFORE.sub("", gap)).split()
    words = [word for word in rest if word not in _LAYOUT]
    if not all(word.isascii() and word.islower() and word.isalpha() for word in words):
        return False
    return not words or (len(words) <= 2 and words[-1] in ("and", "or"))


def _closing(text: str, start: int) -> int | None:
    """Return the index of the brace that closes the one before `start`, within
    `MAX_ANSWER_CHARACTERS`."""
    depth = 1
    position, stop = start, min(len(text), start + MAX_ANSWER_CHARACTERS)
    while position < stop:
        character = text[position]
        if character == "\\":
            position += 1
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return position
        position += 1
    return None


def _after(text: str, start: int) -> str | None:
    """Return the text after a marker ending at `start`: the rest of its line or the next line."""
    for line in text[start : start + _MAX_LINE_CHARACTERS].split("\n")[:6]:
        rest = _LEAD.sub("", line).strip()
        if rest.strip("*_$#:.-=\\[]() "):
            return _short(rest)
    return None


def _short(sentence: str) -> str:
    """Return the answer that a sentence contains."""
    head = _SENTENCE.split(sentence, maxsplit=1)[0]
    if len(head.split()) < _PROSE_WORDS or not re.search(r"[A-Za-z]{2}", head):
        return head
    for word in (" is ", " are ", " = ", " was "):
        before, separator, after = head.rpartition(word)
        fits = before.count("$") % 2 == 0 and len(after.split()) < _PROSE_WORDS
        if separator and fits and (_MATH.search(after) or not _MATH.search(head)):
            return after
    spans = _SPAN.findall(head)
    return spans[-1] if spans else _last_number(head) or head


def _hashes(text: str) -> str | None:
    """Return the answer in GSM8K's form `#### 72`; a Markdown header of that level is none."""
    match = _last(_HASHES, text)
    if match is None:
        return None
    rest = match[1].strip()
    return (
        rest
        if rest[:1] in "$€£-−\\." or rest[:1].isdigit() or not text[match.end() :].strip()
        else None
    )


def _lone_fenced_line(text: str) -> str | None:
    for language, body, _ in reversed(list(find_fences(text))):
        lines = body.strip().splitlines()
        if language in ("", "text", "plaintext", "answer") and len(lines) == 1:
            return _clean(lines[0]) or None
    return None


def _last_number(text: str) -> str | None:
    for line in reversed(text.splitlines()):
        line = line[-_MAX_LINE_CHARACTERS:]
        match = _last(_NUMBER, line)
        span = last_span(line)
        if span is not None and (match is None or match.end() <= span[1]):
            return _clean(span[0]) or None
        if match is not None and len(match[0]) <= MAX_ANSWER_CHARACTERS:
            return _clean(match[0])
    return None


def _clean(answer: str) -> str:
    """Strip math delimiters, emphasis and the sentence's full stop from an answer."""
    text = answer.strip()
    if len(text) > MAX_ANSWER_CHARACTERS:
        return ""
    for _ in range(6):
        before = text
        text = text.strip().rstrip(",;:").strip('`"“”')
        text = text[:-1] if text.endswith(".") else text
        for left, right in _WRAPPERS:
            if len(text) > len(left + right) and text.startswith(left) and text.endswith(right):
                text = text[len(left) : -len(right)]
        if (box := _BOXED.match(text)) and _closing(text, box.end()) == len(text) - 1:
            text = text[box.end() : -1]
        if text.count("$") == 1 and text.endswith("$") and not text.endswith("\\$"):
            text = text[:-1]
        text = text.removeprefix("**").removesuffix("**")
        if text == before:
            break
    return text.replace("\\$", "$").strip()
