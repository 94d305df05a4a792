"""Export as a Hugging Face folder, the form that vLLM and transformers load."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from tiny_model.chat import CHAT_TEMPLATE
from tiny_model.shape import Shape
from tiny_model.vocabulary import BEGIN_ID, BLANK, END_ID, TOKENS, UNKNOWN_ID, TokenType

Matrix = NDArray[np.float32]
Json = dict[str, Any]

LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
ROTATED = ("attn_q", "attn_k")


def write_hf_folder(weights: Mapping[str, Matrix], shape: Shape, folder: Path) -> None:
    """Writes weights, configuration and tokenizer. The same weights give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = hf_tensors(weights, shape)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    files = {
        "config.json": model_config(shape),
        "generation_config.json": {"bos_token_id": BEGIN_ID, "eos_token_id": END_ID},
        "tokenizer.json": tokenizer(),
        "tokenizer_config.json": tokenizer_config(shape),
    }
    for name, content in files.items():
        text = json.dumps(content, ensure_ascii=False, indent=1)
        (folder / name).write_text(text + "\n", encoding="utf-8")


def hf_tensors(weights: Mapping[str, Matrix], shape: Shape) -> dict[str, Matrix]:
    """The weights under their Hugging Face names."""
    tensors = {
        "model.embed_tokens.weight": weights["token_embd.weight"],
        "model.norm.weight": weights["output_norm.weight"],
    }
    for layer in range(shape.layers):
        for ours, theirs in LAYER_NAMES.items():
            values = weights[f"blk.{layer}.{ours}.weight"]
            if ours in ROTATED:
                values = halves_from_pairs(values, shape.heads)
            tensors[f"model.layers.{layer}.{theirs}.weight"] = values
    return tensors


def halves_from_pairs(values: Matrix, heads: int) -> Matrix:
    """Reorders the rows of each head: GGUF's llama rotates neighbours, this form rotates halves."""
    rows, columns = values.shape
    pairs = values.reshape(heads, rows // heads // 2, 2, columns)
    return np.ascontiguousarray(pairs.swapaxes(1, 2).reshape(rows, columns))


def model_config(shape: Shape) -> Json:
    """The content of config.json."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": shape.width,
        "intermediate_size": shape.feed_forward,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.heads,
        "head_dim": shape.head_width,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.context,
        "rms_norm_eps": shape.norm_epsilon,
        "rope_theta": shape.rotary_base,
        "tie_word_embeddings": True,
        "hidden_act": "silu",
        "bos_token_id": BEGIN_ID,
        "eos_token_id": END_ID,
        "torch_dtype": "float32",
        "attention_bias": False,
        "mlp_bias": False,
    }


def tokenizer() -> Json:
    """The content of tokenizer.json: pair merging over the same table gives the same ids."""
    special = [number for number, token in enumerate(TOKENS) if _is_special(token.kind)]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added_token(number) for number in special],
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": BLANK},
        "pre_tokenizer": None,
        "post_processor": _begin_token_in_front(),
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": BLANK}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
            ],
        },
        "model": _pair_merging(),
    }


def tokenizer_config(shape: Shape) -> Json:
    """The content of tokenizer_config.json."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": TOKENS[BEGIN_ID].text,
        "eos_token": TOKENS[END_ID].text,
        "unk_token": TOKENS[UNKNOWN_ID].text,
        "add_bos_token": True,
        "clean_up_tokenization_spaces": False,
        "model_max_length": shape.context,
        "chat_template": CHAT_TEMPLATE,
    }


def _is_special(kind: TokenType) -> bool:
    return kind in (TokenType.UNKNOWN, TokenType.CONTROL)


def _added_token(number: int) -> Json:
    return {
        "id": number,
        "content": TOKENS[number].text,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def _begin_token_in_front() -> Json:
    begin = TOKENS[BEGIN_ID].text
    first = {"Sequence": {"id": "A", "type_id": 0}}
    return {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": begin, "type_id": 0}}, first],
        "pair": [first, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {begin: {"id": begin, "ids": [BEGIN_ID], "tokens": [begin]}},
    }


def _pair_merging() -> Json:
    joined = [
        token.text for token in TOKENS if token.kind is TokenType.NORMAL and len(token.text) > 1
    ]
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": TOKENS[UNKNOWN_ID].text,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": True,
        "ignore_merges": False,
        "vocab": {token.text: number for number, token in enumerate(TOKENS)},
        "merges": [[text[:-1], text[-1]] for text in joined],
    }
