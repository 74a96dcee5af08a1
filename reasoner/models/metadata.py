"""What a GGUF's metadata says about a model: size, architecture, vocabulary, possible uses."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from reasoner.models.format import ValueFormat
from reasoner.models.format_support import fits_vocabulary, format_tokens
from reasoner.models.gguf import GgufHeader
from reasoner.models.model_file import read_model_parts
from reasoner.models.registry import load_value_formats

__all__ = ["ModelMetadata", "read_metadata"]

THINK_TAGS = ("<think>", "</think>")
STEINER_MARKS = (
    "<|reasoning_start|>",
    "<|reasoning_end|>",
    "<|reasoning_proceed|>",
    "<|reasoning_backtrack|>",
    *(
        f"<|reasoning_step_{part}{edge}|>"
        for part in ("", "name_", "thought_", "summary_", "reflection_")
        for edge in ("start", "end")
    ),
)
HEADLESS_ARCHITECTURES = {"bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert"} | {
    *("jina-bert-v2", "jina-bert-v3", "eurobert", "t5encoder", "gemma-embedding"),
    *("llama-embed", "clip", "wavtokenizer-dec"),
}
RANK_POOLING_TYPE = 4
FILE_TYPES = {
    **{0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K"},
    **{11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S"},
    **{17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS"},
    **{23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S"},
    **{29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0"},
    **{38: "MXFP4_MOE", 39: "NVFP4", 40: "Q1_0"},
}


class ModelMetadata(BaseModel):
    """A model file as its metadata describes it; fields are None where the metadata has nothing.

    `parts` is the number of files of a split model, `size` their size in bytes, `context` is in
    tokens, `embedding` the width of a hidden state, `vocabulary` the number of tokens.
    `special_tokens` maps the protocols' and value formats' tokens to their ids, and
    `has_steiner_marks` says whether all of Steiner's are among them. `policy` and `value` say what
    the file can serve as, the `…_reason` fields why: `judge` answers yes or no through its language
    head, `rank` has a classification head that gives one score per sequence. `value_formats` are
    the formats whose tokens its vocabulary has; the metadata does not show whether the model was
    trained for them.
    """

    model_config = ConfigDict(frozen=True)

    architecture: str
    name: str | None
    quantization: str | None
    parameters: int
    parts: int = 1
    size: int
    context: int | None
    embedding: int | None
    layers: int | None
    vocabulary: int
    bos: str | None
    eos: str | None
    special_tokens: dict[str, int]
    chat_template: str | None
    has_steiner_marks: bool
    policy: bool
    policy_reason: str
    value: Literal["judge", "rank"] | None
    value_reason: str
    value_formats: tuple[str, ...] = ()


def read_metadata(path: Path) -> ModelMetadata:
    """Read the metadata of a model, not its weights. Raises BadModelFile, also for a GGUF file that
    is something else than a model."""
    known_formats = tuple(load_value_formats().values())
    requested_tokens = {t for form in known_formats for t in format_tokens(form)}
    parts = read_model_parts(path, {*STEINER_MARKS, *THINK_TAGS, *requested_tokens})
    tensors = [tensor for _, header in parts for tensor in header.tensors]
    gguf = replace(parts[0][1], tensors=tensors)
    template = _text(gguf, "tokenizer.chat_template")
    policy, policy_reason = _policy(gguf)
    value, value_reason = _value(gguf, policy)
    suitable = [
        form
        for form in known_formats
        if fits_vocabulary(form, gguf.token_ids, template is not None)
    ]
    return ModelMetadata(
        architecture=gguf.values["general.architecture"],
        name=_text(gguf, "general.name"),
        quantization=_quantization(gguf),
        parameters=sum(tensor.elements for tensor in tensors),
        parts=len(parts),
        size=sum(part.stat().st_size for part, _ in parts),
        context=_number(gguf, "context_length"),
        embedding=_number(gguf, "embedding_length"),
        layers=_number(gguf, "block_count"),
        vocabulary=gguf.array_lengths.get("tokenizer.ggml.tokens", 0),
        bos=gguf.special_tokens.get("bos"),
        eos=gguf.special_tokens.get("eos"),
        special_tokens=_special_tokens(gguf, known_formats),
        chat_template=template,
        has_steiner_marks=all(token in gguf.token_ids for token in STEINER_MARKS),
        policy=policy,
        policy_reason=policy_reason,
        value=value,
        value_reason=value_reason,
        value_formats=tuple(form.name for form in suitable if value),
    )


def _special_tokens(gguf: GgufHeader, known_formats: Iterable[ValueFormat]) -> dict[str, int]:
    """The ids of the protocols' tokens and the formats' tags, in the order of the ids."""
    tags = {form.tag.strip() for form in known_formats} - {""}
    names = {*STEINER_MARKS, *THINK_TAGS, *tags, *(f"▁{tag}" for tag in tags)}
    return {
        name: token
        for name, token in sorted(gguf.token_ids.items(), key=lambda item: item[1])
        if name in names
    }


def _text(gguf: GgufHeader, key: str) -> str | None:
    value = gguf.values.get(key)
    return value if isinstance(value, str) else None


def _number(gguf: GgufHeader, key: str) -> int | None:
    """An integer whose key starts with the architecture's name."""
    value: Any = gguf.values.get(f"{gguf.values['general.architecture']}.{key}")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _quantization(gguf: GgufHeader) -> str | None:
    kind = gguf.values.get("general.file_type")
    return FILE_TYPES.get(kind & ~1024) if isinstance(kind, int) else None


def _policy(gguf: GgufHeader) -> tuple[bool, str]:
    architecture = gguf.values["general.architecture"]
    if architecture in HEADLESS_ARCHITECTURES:
        return False, f"{architecture} does not generate text"
    if not gguf.array_lengths.get("tokenizer.ggml.tokens"):
        return False, "it carries no vocabulary"
    if _ranks(gguf):
        return False, "its head ranks texts, it does not write them"
    if _text(gguf, "tokenizer.chat_template") is None:
        return True, f"{architecture} generates text, but without a chat template (--chat-template)"
    return True, f"{architecture} generates text and has a chat template"


def _value(gguf: GgufHeader, policy: bool) -> tuple[Literal["judge", "rank"] | None, str]:
    if _ranks(gguf):
        return "rank", "its classification head gives one score per sequence"
    if not policy:
        return None, "it has neither a language head nor a classification head"
    return "judge", "its language head can be asked whether a step is right"


def _ranks(gguf: GgufHeader) -> bool:
    heads = {"cls.weight", "cls.output.weight"}
    pooled = _number(gguf, "pooling_type") == RANK_POOLING_TYPE
    return pooled or any(tensor.name in heads for tensor in gguf.tensors)
