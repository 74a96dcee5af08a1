"""Vocabularies of all kinds: typed marks, ends and beginnings that a file names or leaves out."""

from pathlib import Path
from typing import Any

import pytest

from reasoner.engine.constraints import Ban
from reasoner.engine.local.vocabulary import NativeVocabulary
from reasoner.engine.sampling import GREEDY
from reasoner.engine.token import Finish
from tests.protocol.writing import open_engine
from tests.scripted_gguf import write_scripted_gguf
from tests.tiny_gguf import CHATML
from tests.vocabulary_gguf import (
    open_vocabulary,
    write_bpe_vocabulary,
    write_sentencepiece_vocabulary,
)

MARKS = ("<plan>", "</plan>", "◁muse▷", "<|stage|>")


def names(vocabulary: NativeVocabulary, tokens: list[int]) -> list[str]:
    return [vocabulary.detokenize([token], special=True) for token in tokens]


@pytest.mark.parametrize("kind", ["control", "user_defined"])
def test_a_mark_that_is_text_gives_no_token_and_stays_as_typed(tmp_path: Path, kind: str) -> None:
    marks: dict[str, Any] = {kind: MARKS}
    text = "Is <plan>◁muse▷</plan> or <<plan>> or <|stage|> a tag?"
    with open_vocabulary(write_bpe_vocabulary(tmp_path / "v.gguf", **marks)) as vocabulary:
        assert set(MARKS) <= set(names(vocabulary, vocabulary.tokenize(text)))
        for tokens in (
            vocabulary.tokenize(text, special=False),
            vocabulary.tokenize_prompt(vocabulary.split_marks(text)),
        ):
            assert not set(MARKS) & set(names(vocabulary, tokens))
            assert vocabulary.detokenize(tokens) == text


def test_marks_that_overlap_are_all_broken(tmp_path: Path) -> None:
    marks = ("<a|b>", "|b><c>", "<c>", "<<c>x>")
    path = write_bpe_vocabulary(tmp_path / "v.gguf", user_defined=marks)
    with open_vocabulary(path) as vocabulary:
        for text in ("<a|b><c>", "<<c>x><c>", "<a<a|b>|b><c>" * 50):
            parts = vocabulary.split_marks(text)
            assert "".join(parts) == text
            assert not any(mark in part for mark in marks for part in parts)
            tokens = vocabulary.tokenize(text, special=False)
            assert not set(marks) & set(names(vocabulary, tokens))
            assert vocabulary.detokenize(tokens) == text


def test_ordinary_text_stays_the_tokens_that_the_vocabulary_has_for_it(tmp_path: Path) -> None:
    ordinary = ("\n\n", "    ", "Question", "<td>", "...")
    path = write_bpe_vocabulary(tmp_path / "v.gguf", user_defined=(*ordinary, "<plan>"))
    with open_vocabulary(path) as vocabulary:
        for text in ordinary:
            assert len(vocabulary.tokenize(text, special=False)) == 1
            assert vocabulary.split_marks(f"a{text}b") == [f"a{text}b"]


def test_typed_names_of_the_templates_marks_are_text(tmp_path: Path) -> None:
    path = write_bpe_vocabulary(
        tmp_path / "v.gguf",
        user_defined=("@pupil", "@other"),
        chat_template="{% for m in messages %}@pupil {{ m.content }}{% endfor %}",
    )
    with open_vocabulary(path) as vocabulary:
        assert len(vocabulary.tokenize("@pupil")) == 1
        assert len(vocabulary.tokenize("@pupil", special=False)) > 1
        assert len(vocabulary.tokenize("@other", special=False)) == 1


def test_without_keys_no_token_begins_or_ends_a_text(tmp_path: Path) -> None:
    with open_vocabulary(
        write_bpe_vocabulary(
            tmp_path / "v.gguf",
            first=[*"abcdefghijk", ";"],
            control=("<|eot_id|>", "<|end_of_text|>", "<|other|>"),
            add_metadata=lambda writer: writer.add_add_bos_token(True),
        )
    ) as vocabulary:
        semicolon = vocabulary.token_id(";")
        assert semicolon == 11
        assert not vocabulary.is_eog(semicolon)
        assert (vocabulary.bos, vocabulary.eos) == (None, None)
        assert vocabulary.tokenize_prompt(["hi;"]) == vocabulary.tokenize("hi;")
        assert set(names(vocabulary, list(vocabulary.end_tokens))) == {
            "<|eot_id|>",
            "<|end_of_text|>",
        }


def test_a_key_may_name_any_token(tmp_path: Path) -> None:
    path = write_bpe_vocabulary(
        tmp_path / "v.gguf",
        first=[*"abcdefghijk", ";"],
        add_metadata=lambda writer: writer.add_eos_token_id(11),
    )
    with open_vocabulary(path) as vocabulary:
        assert vocabulary.eos == 11
        assert vocabulary.is_eog(11)
        assert vocabulary.end_tokens == (11,)


def test_ends_of_all_sources_are_known(tmp_path: Path) -> None:
    control = ("<bos>", "<eos>", "<stop-1>", "<stop-2>", "<end_of_turn>")

    def add_metadata(writer: Any) -> None:
        writer.add_eos_token_id(first + 1)
        writer.add_eot_token_id(first + 2)

    first = 257
    path = write_bpe_vocabulary(tmp_path / "v.gguf", control=control, add_metadata=add_metadata)
    with open_vocabulary(path) as vocabulary:
        assert names(vocabulary, list(vocabulary.end_tokens[:1])) == ["<eos>"]
        ends = {"<eos>", "<stop-1>", "<end_of_turn>"}
        assert set(names(vocabulary, list(vocabulary.end_tokens))) == ends
        vocabulary.end_replies_at(first + 3)
        assert vocabulary.is_eog(first + 3)
        assert set(names(vocabulary, list(vocabulary.end_tokens))) == ends | {"<stop-2>"}


@pytest.mark.parametrize("add_bos", [True, False])
def test_a_prompt_begins_with_one_bos_where_the_file_asks_for_it(
    tmp_path: Path, add_bos: bool
) -> None:
    def add_metadata(writer: Any) -> None:
        writer.add_bos_token_id(257)
        writer.add_add_bos_token(add_bos)

    path = write_bpe_vocabulary(tmp_path / "v.gguf", control=("<go>",), add_metadata=add_metadata)
    with open_vocabulary(path) as vocabulary:
        assert vocabulary.tokenize_prompt(["Hi"]).count(257) == add_bos
        for written in ("<go>Hi", "\n<go>Hi"):
            assert vocabulary.tokenize_prompt([written]).count(257) == 1
        assert 257 not in vocabulary.tokenize("Hi")


@pytest.mark.parametrize(
    "text", ["\n</plan>\n\n", "Hence", "</plan>", " a", "<plan>x</plan>y", "ü\n", ""]
)
def test_text_within_a_sentencepiece_text_has_no_blank_before_it(tmp_path: Path, text: str) -> None:
    path = write_sentencepiece_vocabulary(
        tmp_path / "v.gguf", words=("He", "▁He", "▁a"), user_defined=("<plan>", "</plan>")
    )
    with open_vocabulary(path) as vocabulary:
        for special in (True, False):
            tokens = vocabulary.tokenize(text, special)
            assert vocabulary.detokenize(tokens, special=True) == text
        assert ("<plan>" in names(vocabulary, vocabulary.tokenize(text))) is ("<plan>" in text)
        assert "<plan>" not in names(vocabulary, vocabulary.tokenize(text, special=False))


def test_a_sentencepiece_prompt_begins_as_llama_cpp_has_it(tmp_path: Path) -> None:
    path = write_sentencepiece_vocabulary(
        tmp_path / "v.gguf", words=("He", "▁He"), user_defined=("<plan>",)
    )
    with open_vocabulary(path) as vocabulary:
        begun = vocabulary.tokenize_prompt(["He said"])
        assert names(vocabulary, begun)[:2] == ["<s>", " He"]
        parts = vocabulary.split_marks("He <plan> He")
        cut = vocabulary.tokenize_prompt(parts)
        assert names(vocabulary, cut)[:2] == ["<s>", " He"]
        assert vocabulary.detokenize(cut[1:]) == " He <plan> He"
        assert "<plan>" not in names(vocabulary, cut)
        assert vocabulary.token_id("He") == vocabulary.tokenize("He")[0] != begun[1]


async def test_ends_that_are_ignored_end_nothing(tmp_path: Path) -> None:
    path = write_scripted_gguf(
        tmp_path / "s.gguf",
        ["One.", "<|eot_id|>", " Two.", "<|im_end|>"],
        control=("<|eot_id|>",),
    )
    engine = await open_engine(path)
    prompt = engine.tokenize("Hi")
    ignored = engine.token_id("<|eot_id|>")
    assert ignored is not None
    texts = []
    for ends in ((), (ignored,)):
        generation = engine.generate(prompt, GREEDY, None, 20, ignored_ends=ends)
        texts.append(engine.detokenize([token.id async for token in generation]))
        assert generation.finish is Finish.STOP
    assert texts == ["One.", "One. Two."]
    await engine.close()


async def test_every_end_can_be_banned_at_once(tmp_path: Path) -> None:
    path = write_scripted_gguf(tmp_path / "s.gguf", ["<|im_end|>"], chat_template=CHATML)
    engine = await open_engine(path)

    class NoEnd:
        def constrain(self) -> Ban:
            return Ban(engine.end_tokens)

        def accept(self, token: int) -> None:
            assert not engine.is_eog(token)

    generation = engine.generate(engine.tokenize("Hi"), GREEDY, NoEnd(), 12)
    assert len([token async for token in generation]) == 12
    await engine.close()
