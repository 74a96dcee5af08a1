"""Writes a LoRA adapter that visibly changes what a scripted model writes."""

from pathlib import Path

import numpy as np

__all__ = ["write_adapter_gguf"]

BOOST = 9.0


def write_adapter_gguf(
    path: Path, model: Path, piece: str, *, arch: str = "llama", extra_width: int = 0
) -> Path:
    """Write an adapter for `model` and return its path. It makes the token `piece` the likeliest
    after every other token. With `extra_width` its shape does not fit the model."""
    import gguf

    width, size, token = _output_shape(model, piece)
    down, up = np.ones((1, width + extra_width), np.float32), np.zeros((size, 1), np.float32)
    down[0, token], up[token, 0] = 0.0, BOOST
    writer = gguf.GGUFWriter(path, arch)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, 1.0)
    writer.add_tensor("output.weight.lora_a", down)
    writer.add_tensor("output.weight.lora_b", up)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _output_shape(model: Path, piece: str) -> tuple[int, int, int]:
    """The width, the size of the vocabulary and the id of the token `piece`."""
    import gguf

    reader = gguf.GGUFReader(model)
    output = next(tensor for tensor in reader.tensors if tensor.name == "output.weight")
    width, size = map(int, output.shape)
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    return width, size, tokens.index(piece.replace(" ", "Ġ"))
