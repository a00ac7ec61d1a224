"""A trained model as a GGUF file again, for llama.cpp and all that is built on it.

The file that the model came from says everything but the weights: architecture, tokenizer, special tokens. That is kept
as it is, with the chat template that the model was taught by; each weight is replaced by the trained one. Matrices are
written as Q8_0 (blocks of 32 weights, 8 bits each and one scale, llama.cpp's `ggml-quants`) or as 16-bit floats,
vectors as 32-bit floats. A model that is from no GGUF file has llama.cpp's own converter for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from takt.errors import TaktError
from takt.meant import meant
from takt.train.weights import GGUF, Weights, read_gguf
from takt.writing import Kind, whole_file

FORMS = ("q8_0", "f16")
ARCHITECTURES = ("llama", "qwen2", "qwen3")  # of which the way back has been tried, or is the same as one that has
MODEL = Kind("GGUF file", lambda head: head.startswith(GGUF))
TEMPLATE = "tokenizer.chat_template"


def check_form(form: str, weights: Weights) -> None:
    """Raise TaktError if this model cannot be written in this form: before it is trained for that."""
    if form not in FORMS:
        raise TaktError(f"there is no GGUF form {form!r}{meant(form, FORMS)}; there are: {', '.join(FORMS)}")
    if weights.gguf is None:
        raise TaktError(
            "a GGUF file is written only of a model that came from one; for a folder, train without --gguf and convert "
            "it with llama.cpp's own convert_hf_to_gguf.py"
        )
    known = _text(read_gguf(weights.gguf), "general.architecture")
    if known not in ARCHITECTURES:
        raise TaktError(
            f"models of architecture {known!r} are not written back to GGUF (only {', '.join(ARCHITECTURES)}); train "
            "without --gguf and convert the folder with llama.cpp's own convert_hf_to_gguf.py"
        )


def write_gguf(causal: Any, tokenizer: Any, weights: Weights, out: Path, form: str) -> Path:
    """Write a trained model to `out` as its source file is, with new weights and the tokenizer's chat template."""
    import gguf

    assert weights.gguf is not None
    source = read_gguf(weights.gguf)
    architecture = _text(source, "general.architecture")
    trained = {name: value.detach().float().cpu().numpy() for name, value in causal.state_dict().items()}
    names = _names(gguf, architecture, causal.config.num_hidden_layers)
    heads, kv_heads = causal.config.num_attention_heads, causal.config.num_key_value_heads
    form_of = {"q8_0": gguf.GGMLQuantizationType.Q8_0, "f16": gguf.GGMLQuantizationType.F16}[form]
    with whole_file(out, MODEL, [weights.gguf]) as new:
        writer = gguf.GGUFWriter(str(new), architecture)
        _copy_fields(gguf, source, writer)
        file_type = {"q8_0": gguf.LlamaFileType.MOSTLY_Q8_0, "f16": gguf.LlamaFileType.MOSTLY_F16}[form]
        writer.add_file_type(file_type)
        writer.add_chat_template(tokenizer.chat_template)
        for tensor in source.tensors:
            if tensor.name not in names or names[tensor.name] not in trained:
                raise TaktError(f"{weights.gguf} has a tensor {tensor.name!r} that the trained model has not")
            value = trained[names[tensor.name]]
            if architecture == "llama" and tensor.name.endswith("attn_q.weight"):
                value = _interleaved(value, heads)
            if architecture == "llama" and tensor.name.endswith("attn_k.weight"):
                value = _interleaved(value, kv_heads)
            kind = gguf.GGMLQuantizationType.F32 if value.ndim < 2 or value.shape[-1] % 32 else form_of
            writer.add_tensor(tensor.name, gguf.quants.quantize(value, kind), raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return out


def _names(gguf: Any, architecture: str, layers: int) -> Mapping[str, str]:
    """What transformers calls each tensor of a file."""
    kind = next(key for key, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
    table = gguf.get_tensor_name_map(kind, layers)
    parts = ["model.embed_tokens", "model.norm", "lm_head"]
    inside: tuple[str, ...] = (
        "input_layernorm",
        "post_attention_layernorm",
        "self_attn.q_proj",
        "self_attn.k_proj",
        "self_attn.v_proj",
    )
    inside += (
        "self_attn.o_proj",
        "self_attn.q_norm",
        "self_attn.k_norm",
        "mlp.gate_proj",
        "mlp.up_proj",
        "mlp.down_proj",
    )
    parts += [f"model.layers.{layer}.{part}" for layer in range(layers) for part in inside]
    found = {
        f"{part}.{end}": table.get_name(f"{part}.{end}", try_suffixes=(".weight", ".bias"))
        for part in parts
        for end in ("weight", "bias")
    }
    return {short: name for name, short in found.items() if short is not None}


def _interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """Query or key weights in the order of rotary dimensions that llama.cpp has: pairs side by side."""
    out, into = weight.shape
    return weight.reshape(heads, 2, out // heads // 2, into).swapaxes(1, 2).reshape(out, into)


def _copy_fields(gguf: Any, source: Any, writer: Any) -> None:
    """All that a file says of a model, but for what the writer says itself, and what is new."""
    own = ("general.architecture", "general.file_type", TEMPLATE)
    for field in source.fields.values():
        if field.name in own or field.name.startswith("GGUF."):
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub_type=inner)


def _text(source: Any, name: str) -> str:
    field = source.get_field(name)
    return "" if field is None else str(field.contents())
