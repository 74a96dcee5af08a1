"""Whether a file is a whole model, and what it is when it is something else.

Adapters, image projectors, importance matrices and vocabularies are GGUF files too, and a part of a
split model is not yet a model.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from reasoner.errors import BadModelFile
from reasoner.models.gguf import GgufHeader, read_gguf
from reasoner.models.shards import part_names

__all__ = ["check_adapter", "check_model", "read_model_parts"]

MAX_NAMED_PARTS = 3

Part = tuple[Path, GgufHeader]


def check_model(path: Path) -> Path:
    """Check that a file, with the other parts if it is one of several, is a complete model, and
    return the path that llama.cpp loads: the first part's.

    Raises BadModelFile, which says what the file is instead, or which part is missing.
    """
    return read_model_parts(path)[0][0]


def read_model_parts(path: Path, tokens: Collection[str] = ()) -> list[Part]:
    """Return the model's parts in order, each with its header; `path` may be any of them. The
    vocabulary is in the first, where `tokens` are looked up.

    Raises BadModelFile for anything that is not a complete model.
    """
    header = read_gguf(path, tokens)
    if (kind := _other_kind(header)) is not None:
        raise BadModelFile(f"{path} is {kind}")
    parts = [(path, header)]
    if (count := _part_count(header)) > 1:
        paths = _part_paths(path, header, count)
        parts = [(part, header if part == path else read_gguf(part, tokens)) for part in paths]
        _check_parts(path, parts)
    if not isinstance(parts[0][1].values.get("general.architecture"), str):
        raise BadModelFile(f"{parts[0][0]} is not a usable GGUF: it names no architecture")
    if not any(header.tensors for _, header in parts):
        raise BadModelFile(
            f"{path} holds a vocabulary and no weights, it cannot answer; name the model's own file"
        )
    return parts


def check_adapter(path: Path) -> GgufHeader:
    """Return the header of a LoRA adapter. Raises BadModelFile for a file that is none."""
    header = read_gguf(path)
    values = header.values
    if values.get("general.type") != "adapter" and "adapter.type" not in values:
        kind = _other_kind(header) or "a model, not a LoRA adapter; name it with -m"
        raise BadModelFile(f"{path} is {kind}")
    if values.get("adapter.type", "lora") != "lora":
        raise BadModelFile(f"{path} is an adapter of another type than LoRA, which is not applied")
    return header


def _other_kind(header: GgufHeader) -> str | None:
    """What the file is when it is neither a model nor a part of one, and what to do with it."""
    values = header.values
    kind, architecture = values.get("general.type"), values.get("general.architecture")
    if kind == "adapter" or "adapter.type" in values:
        return "a LoRA adapter, not a model; name its model with -m and this file with --lora"
    if kind == "mmproj" or architecture == "clip":
        return "an image projector (mmproj), not a language model; name the model that it is for"
    if kind == "imatrix":
        return "an importance matrix (imatrix), not a model; name the model made with it"
    if architecture == "controlvector":
        return "a control vector, not a model; name the model that it is for"
    return None


def _part_count(header: GgufHeader) -> int:
    return _number(header.values.get("split.count"))


def _part_number(header: GgufHeader) -> int:
    return _number(header.values.get("split.no")) + 1


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _part_paths(path: Path, header: GgufHeader, count: int) -> list[Path]:
    """The paths of all parts. Raises BadModelFile when one is missing or misnamed."""
    names, number = part_names(path.name), _part_number(header)
    if len(names) != count:
        raise BadModelFile(
            f"{path} is part {number} of {count} of a split model; name the parts "
            f"NAME-{number:05}-of-{count:05}.gguf and keep them in one folder"
        )
    paths = [path.with_name(name) for name in names]
    missing = [part.name for part in paths if not part.is_file()]
    if missing:
        more = len(missing) - MAX_NAMED_PARTS
        listed = ", ".join(missing[:MAX_NAMED_PARTS]) + (f" and {more} more" if more > 0 else "")
        raise BadModelFile(
            f"{path} is part {number} of {count} of a split model, and {listed} is missing; put "
            "all parts into one folder"
        )
    return paths


def _check_parts(path: Path, parts: Sequence[Part]) -> None:
    """Raises BadModelFile when the parts are not those of one model, in this order."""
    count = len(parts)
    for number, (part, header) in enumerate(parts, 1):
        if (_part_number(header), _part_count(header)) != (number, count):
            raise BadModelFile(
                f"{part} is named part {number} of {count}, but is part {_part_number(header)} of "
                f"{_part_count(header)}; fetch it again"
            )
    expected = parts[0][1].values.get("split.tensors.count")
    actual = sum(len(header.tensors) for _, header in parts)
    if isinstance(expected, int) and expected != actual:
        raise BadModelFile(
            f"the parts of {path} do not belong together: they have {actual} tensors instead of "
            f"{expected}; fetch them again"
        )
