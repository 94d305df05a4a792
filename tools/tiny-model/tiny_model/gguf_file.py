"""Export as GGUF, the format of llama.cpp and of orch-engine."""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from tiny_model.chat import CHAT_TEMPLATE
from tiny_model.shape import Shape
from tiny_model.vocabulary import BEGIN_ID, END_ID, TOKENS, UNKNOWN_ID

Matrix = NDArray[np.float32]

NAME = "haiku-tiny"
DESCRIPTION = "Nature poems of three lines, with quoted items copied from the prompt"


class Precision(Enum):
    """How the matrices are stored. Norms are always float32."""

    F16 = "f16"
    Q8_0 = "q8_0"


def write_gguf(
    weights: Mapping[str, Matrix], shape: Shape, precision: Precision, path: Path
) -> None:
    """Writes one file. The same weights give the same bytes."""
    writer = gguf.GGUFWriter(path, "llama")
    _describe(writer, shape, precision)
    _add_tokenizer(writer)
    for name in tensor_names(shape):
        _add_tensor(writer, name, weights[name], precision)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tensor_names(shape: Shape) -> list[str]:
    """Names of all tensors, in the order of the file."""
    names = ["token_embd", "output_norm"]
    parts = ("attn_norm", "ffn_norm", "attn_q", "attn_k", "attn_v", "attn_output")
    for layer in range(shape.layers):
        names += [f"blk.{layer}.{part}" for part in (*parts, "ffn_gate", "ffn_up", "ffn_down")]
    return [f"{name}.weight" for name in names]


def _describe(writer: gguf.GGUFWriter, shape: Shape, precision: Precision) -> None:
    file_types = {
        Precision.F16: gguf.LlamaFileType.MOSTLY_F16,
        Precision.Q8_0: gguf.LlamaFileType.MOSTLY_Q8_0,
    }
    writer.add_name(NAME)
    writer.add_description(DESCRIPTION)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(shape.rotary_base)
    writer.add_layer_norm_rms_eps(shape.norm_epsilon)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(file_types[precision])


def _add_tokenizer(writer: gguf.GGUFWriter) -> None:
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token.text.encode() for token in TOKENS])
    writer.add_token_scores([token.score for token in TOKENS])
    writer.add_token_types([int(token.kind) for token in TOKENS])
    writer.add_bos_token_id(BEGIN_ID)
    writer.add_eos_token_id(END_ID)
    writer.add_unk_token_id(UNKNOWN_ID)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _add_tensor(writer: gguf.GGUFWriter, name: str, values: Matrix, precision: Precision) -> None:
    if values.ndim == 1:
        writer.add_tensor(name, values.astype(np.float32))
    elif precision is Precision.F16:
        writer.add_tensor(name, values.astype(np.float16))
    else:
        kind = gguf.GGMLQuantizationType.Q8_0
        quantised = gguf.quants.quantize(values.astype(np.float32), kind)
        writer.add_tensor(name, quantised, raw_dtype=kind)
