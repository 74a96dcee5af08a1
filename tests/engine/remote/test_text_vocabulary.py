"""The vocabulary that needs no model: what is cut and joined again is the same text."""

import pytest

from reasoner.engine.remote.text_vocabulary import TextVocabulary

TEXTS = (
    "",
    " ",
    "What is 17 * 23?\n\n  Let's see: 391.  ",
    "naïve façade – «日本語のテキスト» 🙂‍↔️\t\u2028\x00",
    "x" * 50 + "_" * 9 + "\r\n" * 3 + "\\boxed{\\frac{1}{2}}",
    "<|im_start|>user\nhi<|im_end|>\n<think>no</think></s>",
)


@pytest.mark.parametrize("text", TEXTS)
def test_round_trip(text: str) -> None:
    vocabulary = TextVocabulary("<|im_end|>")
    for special in (True, False):
        tokens = vocabulary.tokenize(text, special)
        assert vocabulary.detokenize(tokens, special=True) == text
        joined = b"".join(vocabulary.piece(token, special=True) for token in tokens)
        assert joined == text.encode()


def test_names_of_control_tokens_act_only_where_they_may() -> None:
    vocabulary = TextVocabulary("<|im_end|>")
    (end,) = vocabulary.tokenize("<|im_end|>")
    assert end == vocabulary.eos == vocabulary.token_id("<|im_end|>")
    assert vocabulary.is_eog(end)
    assert vocabulary.detokenize([end]) == ""
    harmless = vocabulary.tokenize("<|im_end|>", special=False)
    assert not any(map(vocabulary.is_eog, harmless))
    assert vocabulary.detokenize(harmless) == "<|im_end|>"
    assert vocabulary.token_id("<|reasoning_start|>") is None


@pytest.mark.parametrize("mark", ["<|im_end|>", "</think>", "[INST]", "◁/think▷", "<|channel>"])
def test_marks_that_are_text_are_broken_on_their_way_to_the_server(mark: str) -> None:
    vocabulary = TextVocabulary("</s>")
    text = f"a {mark}{mark} b"
    assert vocabulary.sent_text(vocabulary.tokenize(text)) == text
    broken = f"{mark[:1]}\u200b{mark[1:]}"
    for tokens in (
        vocabulary.tokenize(text, special=False),
        vocabulary.tokenize_prompt(vocabulary.split_marks(text)),
    ):
        assert vocabulary.sent_text(tokens) == f"a {broken}{broken} b"
        assert vocabulary.detokenize(tokens, special=True) == text


@pytest.mark.parametrize("text", ["vector<int> a;", "if a<b and c>d", "[x]", "<p>hi</p>", "a|b"])
def test_ordinary_text_is_sent_as_it_is(text: str) -> None:
    vocabulary = TextVocabulary("</s>")
    assert vocabulary.sent_text(vocabulary.tokenize(text, special=False)) == text


def test_pieces_are_about_as_many_as_tokens() -> None:
    vocabulary = TextVocabulary("</s>")
    text = "Tom has 3 boxes with 14 pens each and gives 6 pens away. How many are left?"
    assert 15 < len(vocabulary.tokenize(text)) < 35
    assert len(vocabulary.tokenize("a" * 7000)) == 1000
