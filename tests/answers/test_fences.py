"""Fenced blocks in lists and quotations, with fences inside their code."""

import pytest

from reasoner.answers.fences import find_fences

F = "def f(x):\n    return x\n"
BLOCKS = [
    (f"```python\n{F}```", [("python", F)]),
    ("1. Code:\n\n   ```python\n   def f(x):\n       return x\n   ```\n", [("python", F)]),
    ("- ```py\n  def f(x):\n      return x\n  ```\n", [("py", F)]),
    ("> ```python\n> def f(x):\n>     return x\n> ```\n", [("python", F)]),
    (f"~~~python\n{F}~~~\n", [("python", F)]),
    (f"````python\n'''\n```\n'''\n{F}````", [("python", f"'''\n```\n'''\n{F}")]),
    (
        f'```python\n"""\n```\nf(2)\n```\n"""\n{F}```',
        [("python", f'"""\n```\nf(2)\n```\n"""\n{F}')],
    ),
    ('```python\ndef f():\n    """\n    ```\n    f()\n    ```\n    """\n```', None),
    (f"```python\n{F}", [("python", F)]),
    (f"```python\n{F}     ```\nThat is all.", [("python", F)]),
    (f"```\na\n```\n\n```python\n{F}```", [("", "a\n"), ("python", F)]),
    ("no fence", []),
]


@pytest.mark.parametrize(("text", "blocks"), BLOCKS)
def test_blocks_are_found_as_people_see_them(text: str, blocks: list[tuple[str, str]]) -> None:
    found = [(language, body) for language, body, _ in find_fences(text)]
    if blocks is None:
        assert len(found) == 1
        compile(found[0][1], "block", "exec")
    else:
        assert [(language, body.rstrip()) for language, body in found] == [
            (language, body.rstrip()) for language, body in blocks
        ]


def test_a_span_covers_its_fences() -> None:
    text = "before\n```\na\n```\nafter"
    ((_, _, (start, end)),) = find_fences(text)
    assert text[:start] + text[end:] == "before\n\nafter"


def test_many_fences_take_linear_time() -> None:
    assert len(list(find_fences("```\n" * 20_000))) == 10_000
    assert len(list(find_fences("```py\n" + '"""\n```\n' * 2000))) >= 1
