"""Stop texts end the answer, are never shown in part, and leave the reasoning alone."""

from itertools import product
from pathlib import Path

import pytest

from reasoner.engine.sampling import GREEDY
from reasoner.policy.budget import Budget
from reasoner.policy.policy import Policy
from reasoner.policy.protocol_choice import choose_protocol
from reasoner.policy.stop_text import StopTextFilter, cut_answer
from reasoner.settings import Limits
from reasoner.types.events import Channel
from reasoner.types.trajectory import FinishReason, Trajectory
from tests.protocol.writing import QUESTION, open_engine
from tests.scripted_gguf import Piece, write_scripted_gguf
from tests.tiny_gguf import THINK_TOKENS


def passed_on(text: str, stops: tuple[str, ...], sizes: tuple[int, ...]) -> list[str]:
    """What a filter passes on of the text in portions of these sizes, with the rest at its end."""
    chosen = StopTextFilter(stops)
    portions, begin = [], 0
    for size in (*sizes, len(text)):
        portions.append(chosen.add(text[begin : begin + size]))
        begin += size
    return [*portions, chosen.rest()]


@pytest.mark.parametrize(
    ("text", "stops", "shown"),
    [
        ("abcSTOPdef", ("STOP",), "abc"),
        ("abSTOSTOP", ("STOP",), "abSTO"),
        ("abc STO", ("STOP",), "abc STO"),
        ("aab aac", ("aac", "b "), "aa"),
        ("one\n\ntwo", ("\n\n",), "one"),
        ("\n\n one\n\ntwo", ("\n\n",), "\n\n one"),
        ("nothing", (), "nothing"),
        ("naïve 🐙 end", ("🐙 e",), "naïve "),
    ],
)
def test_no_portion_shows_a_part_of_a_stop_text(
    text: str, stops: tuple[str, ...], shown: str
) -> None:
    for sizes in product((1, 2, 3), repeat=3):
        portions = passed_on(text, stops, sizes)
        assert "".join(portions) == shown
        for count in range(len(portions)):
            assert shown.startswith("".join(portions[:count]))


def test_a_cut_answer_was_ended_by_its_stop_text() -> None:
    done = Trajectory(prompt=(1,), answer="Six. ### More", finish_reason=FinishReason.LENGTH)
    cut = cut_answer(done, ("###", "More"))
    assert (cut.answer, cut.finish_reason) == ("Six.", FinishReason.STOP)
    assert cut_answer(done, ("Seven",)) == done


async def written(path: Path, **limits: object) -> tuple[Trajectory, dict[Channel, str]]:
    """The finished trajectory of a greedy policy and the text it showed of each channel."""
    engine = await open_engine(path)
    policy = Policy(
        engine,
        choose_protocol(engine, engine.chat_template or "", None),
        sampling=GREEDY,
        limits=Limits.model_validate({"max_tokens": 60, **limits}),
        budget=Budget(),
        seed=0,
    )
    shown: dict[Channel, str] = {"reasoning": "", "answer": ""}

    def on_text(channel: Channel, text: str) -> None:
        shown[channel] += text

    trajectory = policy.start_trajectory(QUESTION)
    while not trajectory.is_done:
        trajectory = await policy.extend(trajectory, on_text=on_text)
    await engine.close()
    return trajectory, shown


@pytest.mark.parametrize("stop", ["%%", "%%%", "s.%", "\n%%%\n"])
async def test_the_answer_ends_before_a_text_split_over_tokens(tmp_path: Path, stop: str) -> None:
    script: list[Piece] = ["It", " is Paris.", "\n%", "%%", "\n And", " more.", "<|im_end|>"]
    script[2] = "%" if stop == "s.%" else "\n%"
    path = write_scripted_gguf(tmp_path / "s.gguf", script)
    trajectory, shown = await written(path, think=False, stop=(stop,))
    expected = "It is Paris.%%%\n And more.".partition(stop)[0] if stop == "s.%" else "It is Paris."
    assert trajectory.answer == expected
    assert shown["answer"].strip() == expected
    assert trajectory.finish_reason is FinishReason.STOP
    assert len(trajectory.tokens) < len(script)


@pytest.mark.parametrize("kind", ["control", "user_defined"])
async def test_reasoning_may_contain_a_stop_text(tmp_path: Path, kind: str) -> None:
    path = write_scripted_gguf(
        tmp_path / "s.gguf",
        ["First, END of doubt.\n\n", "It must be Oslo.\n", "</think>"],
        ["\n\n", "It is Oslo.", " EN", "D of answer.", "<|im_end|>"],
        switch=["</think>"],
        control=THINK_TOKENS if kind == "control" else (),
        user_defined=THINK_TOKENS if kind == "user_defined" else (),
    )
    trajectory, shown = await written(path, stop=("END", "never"))
    assert trajectory.answer.removeprefix("</think>").strip() == "It is Oslo."
    assert "END of doubt." in shown["reasoning"]
    assert "EN" not in shown["answer"]
    assert trajectory.steps[0].text == "First, END of doubt."


async def test_without_a_stop_text_nothing_is_lost(tmp_path: Path) -> None:
    path = write_scripted_gguf(tmp_path / "s.gguf", ["It is Rome.", " ##", "<|im_end|>"])
    trajectory, shown = await written(path, think=False, stop=("###",))
    assert trajectory.answer == shown["answer"] == "It is Rome. ##"
