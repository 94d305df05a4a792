"""The models: one for each family and tokenizer, small enough to be committed."""

from dataclasses import dataclass, field
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Kind

from . import vocabulary, weights, words
from .vocabulary import CONTROL, NORMAL, USER_DEFINED, Vocabulary

MERGES = 420

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA_3_CHAT = (
    "{% for message in messages %}{% if loop.first %}{{ bos_token }}{% endif %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)


@dataclass
class Shape:
    """A model's figures, and how each of its matrices is stored."""

    family: str
    width: int
    layers: int
    heads: int
    kv_heads: int
    head_width: int
    feed_forward: int
    context: int
    rotary_base: float
    kinds: dict[str, Kind]
    tied: bool = False
    rotary_factors: bool = False
    linear_factor: float | None = None
    seed: int = 0
    keys: dict[str, str | int | bool] = field(default_factory=dict)


def llama_bpe() -> tuple[Shape, Vocabulary]:
    """As Llama 3.2 is: a stretched context, tied to nothing, every unquantised and simple type."""
    vocab = vocabulary.byte_pairs(words.corpus(), vocabulary.LLAMA_3, MERGES)
    # No merges lead to these: they are met only if a word is looked up as a whole.
    vocab.add("unreachable", NORMAL)
    vocab.add("Ġunreachable", NORMAL)
    begin = vocab.add("<|begin_of_text|>", CONTROL)
    end = vocab.add("<|end_of_text|>", CONTROL)
    for name in ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|reserved_special_token_0|>"):
        vocab.add(name, CONTROL)
    kinds = {
        "token_embd": Kind.Q8_0, "output": Kind.Q8_0, "attn_q": Kind.Q8_0, "attn_k": Kind.F16, "attn_v": Kind.BF16,
        "attn_output": Kind.Q5_1, "ffn_gate": Kind.Q4_0, "ffn_up": Kind.Q4_1, "ffn_down": Kind.Q5_0,
    }
    shape = Shape(
        "llama", 64, 2, 4, 2, 16, 128, 131072, 500000.0, kinds, rotary_factors=True, seed=1,
        keys={"pre": "llama-bpe", "bos_token_id": begin, "eos_token_id": end, "chat_template": LLAMA_3_CHAT},
    )
    return shape, vocab


def llama_spm() -> tuple[Shape, Vocabulary]:
    """As Llama 2 is, with a head wider than the width by the heads, and positions squeezed."""
    vocab = vocabulary.sentence_piece(words.corpus(), MERGES)
    kinds = {
        "token_embd": Kind.F16, "attn_q": Kind.F32, "attn_k": Kind.Q8_0, "attn_v": Kind.Q8_0,
        "attn_output": Kind.Q8_0, "ffn_gate": Kind.Q8_0, "ffn_up": Kind.Q8_0, "ffn_down": Kind.Q8_0,
    }
    shape = Shape(
        "llama", 32, 2, 2, 2, 32, 64, 4096, 10000.0, kinds, tied=True, linear_factor=4.0, seed=2,
        keys={"bos_token_id": 1, "eos_token_id": 2, "unknown_token_id": 0, "add_bos_token": True},
    )
    return shape, vocab


def _qwen_vocabulary() -> tuple[Vocabulary, dict[str, str | int | bool]]:
    vocab = vocabulary.byte_pairs(words.corpus(), vocabulary.QWEN_2, MERGES)
    begin = vocab.add("<|endoftext|>", CONTROL)
    vocab.add("<|im_start|>", CONTROL)
    end = vocab.add("<|im_end|>", CONTROL)
    for name in ("<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|repo_name|>", "<think>", "</think>"):
        vocab.add(name, USER_DEFINED)
    return vocab, {
        "pre": "qwen2", "bos_token_id": begin, "eos_token_id": end, "padding_token_id": begin,
        "add_bos_token": False, "chat_template": CHATML,
    }


def qwen2() -> tuple[Shape, Vocabulary]:
    """Biases, tied embeddings, and every type of blocks of 256."""
    vocab, keys = _qwen_vocabulary()
    kinds = {
        "token_embd": Kind.Q6_K, "attn_q": Kind.Q4_K, "attn_k": Kind.Q5_K, "attn_v": Kind.Q6_K,
        "attn_output": Kind.Q3_K, "ffn_gate": Kind.Q4_K, "ffn_up": Kind.Q5_K, "ffn_down": Kind.Q2_K,
    }
    return Shape("qwen2", 256, 2, 4, 2, 64, 256, 32768, 1000000.0, kinds, tied=True, seed=3, keys=keys), vocab


def qwen3() -> tuple[Shape, Vocabulary]:
    """Norms of the heads, which are wider than the width by the heads."""
    vocab, keys = _qwen_vocabulary()
    kinds = dict.fromkeys(
        ("token_embd", "output", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"), Kind.Q8_0
    )
    return Shape("qwen3", 64, 2, 4, 2, 32, 128, 40960, 1000000.0, kinds, seed=4, keys=keys), vocab


MODELS = {"llama-bpe": llama_bpe, "llama-spm": llama_spm, "qwen2-bpe": qwen2, "qwen3-bpe": qwen3}


def write(name: str, path: Path, pre: str | None = None) -> None:
    """Writes a model; `pre` names another pre-tokenizer than its own."""
    shape, vocab = MODELS[name]()
    writer = gguf.GGUFWriter(path, shape.family)
    writer.add_name(name)
    _write_figures(writer, shape)
    _write_vocabulary(writer, shape, vocab, pre)
    _write_tensors(writer, shape, len(vocab.tokens))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_figures(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(shape.rotary_base)
    if shape.head_width * shape.heads != shape.width:
        writer.add_key_length(shape.head_width)
        writer.add_value_length(shape.head_width)
    if shape.family == "llama":
        writer.add_rope_dimension_count(shape.head_width)
    if shape.linear_factor is not None:
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(shape.linear_factor)


def _write_vocabulary(writer: gguf.GGUFWriter, shape: Shape, vocab: Vocabulary, pre: str | None) -> None:
    writer.add_tokenizer_model("gpt2" if vocab.merges else "llama")
    writer.add_token_list(vocab.tokens)
    writer.add_token_types(vocab.kinds)
    if vocab.merges:
        writer.add_token_merges(vocab.merges)
    else:
        writer.add_token_scores(vocab.scores)
    for key, value in shape.keys.items():
        value = pre if key == "pre" and pre else value
        key = f"tokenizer.{key}" if key == "chat_template" else f"tokenizer.ggml.{key}"
        if isinstance(value, bool):
            writer.add_bool(key, value)
        elif isinstance(value, int):
            writer.add_uint32(key, value)
        else:
            writer.add_string(key, value)


def _write_tensors(writer: gguf.GGUFWriter, shape: Shape, n_vocab: int) -> None:
    rng = np.random.default_rng(shape.seed)

    def matrix(part: str, name: str, rows: int, columns: int) -> None:
        kind = shape.kinds[part]
        values = weights.matrix(rng, kind, rows, columns, 1.0 / np.sqrt(columns))
        writer.add_tensor(f"{name}.weight", values, raw_dtype=kind)

    def plain(name: str, values: weights.Array) -> None:
        writer.add_tensor(name, values.astype(np.float32))

    def norm(name: str, width: int) -> None:
        plain(f"{name}.weight", rng.uniform(0.5, 1.5, width))

    matrix("token_embd", "token_embd", n_vocab, shape.width)
    norm("output_norm", shape.width)
    if not shape.tied:
        matrix("output", "output", n_vocab, shape.width)
    if shape.rotary_factors:
        plain("rope_freqs.weight", np.linspace(1.0, 8.0, shape.head_width // 2))
    queries, keys = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    for layer in range(shape.layers):
        block = f"blk.{layer}"
        norm(f"{block}.attn_norm", shape.width)
        norm(f"{block}.ffn_norm", shape.width)
        matrix("attn_q", f"{block}.attn_q", queries, shape.width)
        matrix("attn_k", f"{block}.attn_k", keys, shape.width)
        matrix("attn_v", f"{block}.attn_v", keys, shape.width)
        matrix("attn_output", f"{block}.attn_output", shape.width, queries)
        matrix("ffn_gate", f"{block}.ffn_gate", shape.feed_forward, shape.width)
        matrix("ffn_up", f"{block}.ffn_up", shape.feed_forward, shape.width)
        matrix("ffn_down", f"{block}.ffn_down", shape.width, shape.feed_forward)
        if shape.family == "qwen2":
            for part, width in (("q", queries), ("k", keys), ("v", keys)):
                plain(f"{block}.attn_{part}.bias", rng.normal(0.0, 0.5, width))
        if shape.family == "qwen3":
            norm(f"{block}.attn_q_norm", shape.head_width)
            norm(f"{block}.attn_k_norm", shape.head_width)
