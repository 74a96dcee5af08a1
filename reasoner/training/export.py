"""Export of a trained model as a GGUF that llama.cpp loads."""

from pathlib import Path
from typing import Any, Literal

from reasoner.atomic_file import replacing
from reasoner.training.shape import ModelShape
from reasoner.training.vocabulary import write_vocabulary

__all__ = ["Precision", "write_gguf"]

Precision = Literal["f16", "q8_0"]


def write_gguf(
    path: Path,
    shape: ModelShape,
    weights: dict[str, Any],
    vocabulary: tuple[list[str], list[tuple[str, str]]],
    *,
    name: str,
    precision: Precision = "q8_0",
) -> Path:
    """Write a model to `path`, which is replaced in one step; return `path`.

    `weights` is the model's state as NumPy arrays by PyTorch's names. Matrices are written in
    `precision`, norms in full. `vocabulary` holds the plain tokens and the merges, as
    `build_vocabulary` returns them.
    """
    import gguf

    file_types = {"f16": gguf.LlamaFileType.MOSTLY_F16, "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}
    with replacing(path) as draft:
        writer = gguf.GGUFWriter(draft, "llama")
        writer.add_name(name)
        writer.add_file_type(file_types[precision])
        _add_metadata(writer, shape)
        write_vocabulary(writer, *vocabulary)
        for key, values in weights.items():
            _add_weight(writer, _gguf_name(key), values, precision)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return path


def _add_metadata(writer: Any, shape: ModelShape) -> None:
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.head)
    writer.add_rope_freq_base(shape.theta)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_vocab_size(shape.vocabulary)


def _gguf_name(key: str) -> str:
    """Return llama.cpp's name of a weight that PyTorch calls `key`."""
    key = key.replace("blocks.", "blk.")
    return {"embed.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}.get(key, key)


def _add_weight(writer: Any, name: str, values: Any, precision: Precision) -> None:
    import gguf
    import numpy as np

    if values.ndim == 1:
        writer.add_tensor(name, values.astype(np.float32))
    elif precision == "f16":
        writer.add_tensor(name, values.astype(np.float16))
    else:
        quantization = gguf.GGMLQuantizationType.Q8_0
        blocks = gguf.quants.quantize(values.astype(np.float32), quantization)
        writer.add_tensor(name, blocks, raw_dtype=quantization)
