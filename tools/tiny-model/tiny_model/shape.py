"""The shape of the network, as training, export and card need it."""

from dataclasses import dataclass

from tiny_model.vocabulary import TOKENS


@dataclass(frozen=True)
class Shape:
    """Sizes of a transformer of the llama family with tied embeddings."""

    width: int = 128
    layers: int = 4
    heads: int = 4
    feed_forward: int = 320
    context: int = 512
    rotary_base: float = 10_000.0
    norm_epsilon: float = 1e-5
    vocabulary: int = len(TOKENS)

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads


SHAPE = Shape()
