"""The transformer: RMSNorm, rotary positions on neighbouring pairs, SwiGLU, tied embeddings."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from tiny_model.shape import Shape


class Norm(nn.Module):
    """Root mean square normalisation with a learnt scale."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape.width))
        self._epsilon = shape.norm_epsilon

    def forward(self, hidden: Tensor) -> Tensor:
        """Scales each vector to unit root mean square, then by the weight."""
        return functional.rms_norm(hidden, self.weight.shape, self.weight, self._epsilon)


def rotated(heads: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turns each pair of neighbouring values by the angle of its position."""
    even, odd = heads[..., ::2], heads[..., 1::2]
    pairs = (even * cosine - odd * sine, even * sine + odd * cosine)
    return torch.stack(pairs, -1).flatten(-2)


class Block(nn.Module):
    """One layer. Names of parameters are those of GGUF tensors."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self._shape = shape
        width, wide = shape.width, shape.feed_forward
        self.attn_norm, self.ffn_norm = Norm(shape), Norm(shape)
        self.attn_q = nn.Linear(width, width, bias=False)
        self.attn_k = nn.Linear(width, width, bias=False)
        self.attn_v = nn.Linear(width, width, bias=False)
        self.attn_output = nn.Linear(width, width, bias=False)
        self.ffn_gate = nn.Linear(width, wide, bias=False)
        self.ffn_up = nn.Linear(width, wide, bias=False)
        self.ffn_down = nn.Linear(wide, width, bias=False)

    def forward(self, hidden: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """Attention to what came before, then the feed-forward part, each added to its input."""
        rows, positions, width = hidden.shape
        heads = (rows, positions, self._shape.heads, self._shape.head_width)
        normed = self.attn_norm(hidden)
        query = rotated(self.attn_q(normed).view(heads).transpose(1, 2), cosine, sine)
        key = rotated(self.attn_k(normed).view(heads).transpose(1, 2), cosine, sine)
        value = self.attn_v(normed).view(heads).transpose(1, 2)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        seen = seen.transpose(1, 2).reshape(rows, positions, width)
        hidden = hidden + self.attn_output(seen)
        normed = self.ffn_norm(hidden)
        gated = functional.silu(self.ffn_gate(normed)) * self.ffn_up(normed)
        return hidden + torch.as_tensor(self.ffn_down(gated))


class Network(nn.Module):
    """Token ids in, hidden states out; `logits` makes scores of them."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = Norm(shape)
        pairs = torch.arange(0, shape.head_width, 2) / shape.head_width
        angles = torch.arange(shape.context)[:, None] / (shape.rotary_base**pairs)[None]
        self.register_buffer("cosine", angles.cos(), persistent=False)
        self.register_buffer("sine", angles.sin(), persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        for name, parameter in self.named_parameters():
            if name == "token_embd.weight":
                nn.init.normal_(parameter, std=0.02)
            elif parameter.dim() == 2:
                # What a layer adds starts small, so that the first steps are calm.
                adds = name.endswith(("attn_output.weight", "ffn_down.weight"))
                scale = 0.5 if adds else 1.0
                nn.init.normal_(parameter, std=scale / math.sqrt(parameter.shape[1]))

    def forward(self, ids: Tensor) -> Tensor:
        """Hidden states of rows of token ids."""
        positions = ids.shape[1]
        cosine = self.get_buffer("cosine")[:positions]
        sine = self.get_buffer("sine")[:positions]
        hidden = self.token_embd(ids)
        for block in self.blk:
            hidden = block(hidden, cosine, sine)
        return torch.as_tensor(self.output_norm(hidden))

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of every token as the next one."""
        return hidden @ self.token_embd.weight.T
