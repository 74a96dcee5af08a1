"""Files with the marks, token types and templates of the families: recognised, hidden, held to
their limits, whatever type the tokens of the marks have."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from reasoner.engine.local.engine import LocalEngine
from reasoner.policy.protocol_choice import choose_protocol
from reasoner.policy.tool_calling import ToolCallConfig
from reasoner.protocol.fenced_calls import FencedStyle
from reasoner.protocol.marks import KNOWN_MARKS
from reasoner.settings import Limits
from reasoner.types.problem import Message, Problem
from reasoner.types.reasoning_marks import ReasoningMarks
from reasoner.types.tool_call import Tool, ToolCall
from reasoner.types.trajectory import FinishReason, Trajectory
from tests.protocol.writing import GREEDY, open_engine, write
from tests.scripted_gguf import split_pieces, write_scripted_gguf
from tests.tiny_gguf import CHATML

QUESTION = Problem(question="How many legs have two spiders?")
THOUGHT = "Eight legs each.\n\nA draft says \\boxed{15}, which is wrong.\n\nTwice eight is 16."
ANSWER = "They have \\boxed{16} legs."
LONG_THOUGHT = [f"Spider {n} brings me to {8 * n} legs.\n\n" for n in range(1, 60)]
REPEATED = "Once more: a spider has eight legs, as everybody knows."
TOKEN_KINDS = (
    "user_defined",
    pytest.param("control", marks=pytest.mark.slow),
    pytest.param("spelled", marks=pytest.mark.slow),
)


def mark_tokens(marks: ReasoningMarks) -> list[str]:
    """The tokens that a vocabulary has for the marks: those in brackets, such as `<|channel|>`."""
    text = " ".join((*marks.all, marks.text_to_close))
    found = re.findall(r"<\|[^ |<>]+\|>|<[^ |<>]+>|\[[^ \[\]]+\]|◁[^ ◁▷]+▷", text)
    return sorted(
        {
            *found,
            *(
                mark
                for mark in (marks.opening, marks.closing)
                if "|" in mark and "<" in mark and mark.count("|") == 1
            ),
        }
    )


def template(marks: ReasoningMarks) -> str:
    """A template that writes the marks around earlier replies, as harmony's does."""
    return CHATML.replace(
        "{{ message['content'] }}",
        "{% if message['role'] == 'assistant' %}"
        + marks.text_of_empty_block.replace("\n", "\\n").join(("{{ '", "' }}"))
        + "{% endif %}{{ message['content'] }}",
    )


async def open_family(
    folder: Path,
    marks: ReasoningMarks,
    kind: str,
    *,
    endless: Sequence[str] = (),
    announced: bool = True,
    opens: bool = False,
) -> LocalEngine:
    """A model that thinks and closes its block by itself, then answers.

    `endless`: it writes these pieces over and over instead, until its block is closed by tokens;
    `announced`: its template shows the marks; `opens`: it opens its block by itself.
    """
    tokens = mark_tokens(marks) if kind != "spelled" else []
    opening = pieces_of(marks.text_to_open, tokens, 1) if opens else []
    closing = pieces_of(marks.text_to_close, tokens, 2)
    switch = [token for token in closing if token in tokens and token not in marks.text_to_open]
    cut = closing.index(switch[0]) + 1 if switch else len(closing)
    thought = [*opening, *split_pieces(THOUGHT), *closing[:cut]]
    path = write_scripted_gguf(
        folder / "family.gguf",
        list(endless) or thought,
        [*closing[cut:], *split_pieces(ANSWER), "<|im_end|>"],
        switch=switch[:1] if endless or switch else closing[-1:],
        control=tokens if kind == "control" else (),
        user_defined=tokens if kind == "user_defined" else (),
        chat_template=template(marks) if announced else CHATML,
        loop=bool(endless),
    )
    return await open_engine(path, context=4096)


def pieces_of(text: str, tokens: Sequence[str], count: int) -> list[str]:
    """The text of marks cut at the tokens that the vocabulary has for them, or into `count`."""
    text = text.strip()
    if any(token in text for token in tokens):
        return split_pieces(text, tokens)
    cut = len(text) // count if count > 1 else 0
    return [piece for piece in (text[:cut], text[cut:]) if piece]


def assert_hidden(trajectory: Trajectory, marks: ReasoningMarks) -> None:
    shown = [trajectory.answer, *(step.text for step in trajectory.steps)]
    for mark in (*marks.all, "<|end|>", "<|start|>"):
        assert not any(mark in text for text in shown), mark


every_family = pytest.mark.parametrize("marks", KNOWN_MARKS, ids=lambda marks: marks.name)
every_kind = pytest.mark.parametrize("kind", TOKEN_KINDS)


@every_kind
@every_family
async def test_a_family_is_recognised_and_its_thought_hidden(
    tmp_path: Path, marks: ReasoningMarks, kind: str
) -> None:
    engine = await open_family(tmp_path, marks, kind)
    assert choose_protocol(engine, engine.chat_template or "", None).name == "think"
    trajectory = await write(engine, Limits(), sampling=GREEDY, problem=QUESTION)
    await engine.close()
    assert trajectory.answer == ANSWER
    assert [step.text for step in trajectory.steps] == THOUGHT.split("\n\n")
    assert trajectory.finish_reason is FinishReason.STOP
    assert_hidden(trajectory, marks)


@every_kind
@every_family
@pytest.mark.parametrize(
    ("limits", "thought", "reason"),
    [
        (Limits(budget=20, max_tokens=400), LONG_THOUGHT, FinishReason.BUDGET),
        (Limits(max_steps=2, max_tokens=400), LONG_THOUGHT, FinishReason.BUDGET),
        (Limits(max_tokens=400), [f"{REPEATED}\n\n"], FinishReason.STOP),
    ],
    ids=["budget", "max_steps", "repetition"],
)
async def test_what_the_program_closes_is_hidden(
    tmp_path: Path,
    marks: ReasoningMarks,
    kind: str,
    limits: Limits,
    thought: list[str],
    reason: FinishReason,
) -> None:
    engine = await open_family(tmp_path, marks, kind, endless=thought)
    trajectory = await write(engine, limits, sampling=GREEDY, problem=QUESTION)
    written = engine.detokenize(trajectory.tokens, special=True)
    await engine.close()
    assert marks.text_to_close.strip() in written
    assert trajectory.steps
    assert all(f"{step.text}\n\n" in thought for step in trajectory.steps)
    assert_hidden(trajectory, marks)
    if mark_tokens(marks) and kind != "spelled":  # the scripted model sees single tokens only
        assert (trajectory.answer, trajectory.finish_reason) == (ANSWER, reason)


@every_kind
@every_family
async def test_without_thinking_the_block_is_empty(
    tmp_path: Path, marks: ReasoningMarks, kind: str
) -> None:
    engine = await open_family(tmp_path, marks, kind)
    trajectory = await write(engine, Limits(think=False, max_tokens=200), problem=QUESTION)
    prompt = engine.detokenize(trajectory.prompt, special=True)
    await engine.close()
    assert prompt.endswith(marks.text_of_empty_block)
    assert trajectory.steps == ()


@every_kind
@every_family
async def test_a_block_that_nothing_announces_is_noticed(
    tmp_path: Path, marks: ReasoningMarks, kind: str
) -> None:
    engine = await open_family(tmp_path, marks, kind, announced=False, opens=True)
    assert choose_protocol(engine, engine.chat_template or "", None).name == "plain"
    shown: list[tuple[str, str]] = []
    trajectory = await write(
        engine,
        Limits(),
        sampling=GREEDY,
        problem=QUESTION,
        on_text=lambda channel, text: shown.append((channel, text)),
    )
    await engine.close()
    assert trajectory.answer == ANSWER
    assert [step.text for step in trajectory.steps] == THOUGHT.split("\n\n")
    assert "".join(text for channel, text in shown if channel == "answer").strip() == ANSWER
    assert_hidden(trajectory, marks)


@every_kind
@every_family
async def test_a_second_turn_is_answered_like_the_first(
    tmp_path: Path, marks: ReasoningMarks, kind: str
) -> None:
    engine = await open_family(tmp_path, marks, kind)
    first = await write(engine, Limits(), sampling=GREEDY, problem=QUESTION)
    turns = (
        Message(role="user", content=QUESTION.question),
        Message(role="assistant", content=first.answer),
    )
    later = Problem(question="And how many have three?", history=turns)
    second = await write(engine, Limits(max_tokens=200), sampling=GREEDY, problem=later)
    prompt = engine.detokenize(second.prompt, special=True)
    await engine.close()
    assert f"{marks.text_of_empty_block}{ANSWER}<|im_end|>" in prompt
    assert second.answer == ANSWER
    assert_hidden(second, marks)


CALL = "Let me multiply.\n```python\nprint(2 * 8)\n```"


async def call_tool(tool: str, _earlier: tuple[str, ...], text: str, _seconds: float) -> ToolCall:
    output = "16" if text == "print(2 * 8)\n" else f"not the call: {text}"
    return ToolCall(tool=tool, text=text, output=output, ok=True, kept=True, seconds=0.0)


@every_kind
@every_family
async def test_a_tool_is_called_inside_the_block(
    tmp_path: Path, marks: ReasoningMarks, kind: str
) -> None:
    tokens = mark_tokens(marks) if kind != "spelled" else []
    path = write_scripted_gguf(
        tmp_path / "family.gguf",
        [CALL],
        [
            "So it is 16.",
            *pieces_of(marks.text_to_close, tokens, 2),
            *split_pieces(ANSWER),
            "<|im_end|>",
        ],
        switch=[CALL],
        control=tokens if kind == "control" else (),
        user_defined=tokens if kind == "user_defined" else (),
        chat_template=template(marks),
    )
    engine = await open_engine(path, context=4096)
    tool = Tool(name="python", description="Runs.", parameter="code", fence_language="python")
    calling = ToolCallConfig(FencedStyle([tool]), call_tool)
    trajectory = await write(engine, Limits(), sampling=GREEDY, problem=QUESTION, calling=calling)
    await engine.close()
    assert [step.call.output for step in trajectory.steps if step.call] == ["16"]
    assert trajectory.steps[-1].text == "So it is 16."
    assert trajectory.answer == ANSWER
    assert_hidden(trajectory, marks)


async def test_without_thinking_a_closing_alone_still_ends_a_thought(tmp_path: Path) -> None:
    path = write_scripted_gguf(
        tmp_path / "m.gguf",
        ["Twice ", "eight.", "[/THINK]"],
        [*split_pieces(ANSWER), "<|im_end|>"],
        switch=["[/THINK]"],
        user_defined=["[THINK]", "[/THINK]"],
    )
    engine = await open_engine(path)
    limits = Limits(think=False)
    trajectory = await write(engine, limits, sampling=GREEDY, problem=QUESTION)
    await engine.close()
    assert trajectory.answer == ANSWER
    assert [step.text for step in trajectory.steps] == ["Twice eight."]
