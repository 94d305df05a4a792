"""Random weights in every storage type."""

from typing import Any

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Kind

Array = np.ndarray[Any, Any]

# Bytes of a block of 256 weights, and where its 16-bit scales stand.
_K_BLOCKS: dict[Kind, tuple[int, tuple[int, ...]]] = {
    Kind.Q2_K: (84, (80, 82)),
    Kind.Q3_K: (110, (108,)),
    Kind.Q4_K: (144, (0, 2)),
    Kind.Q5_K: (176, (0, 2)),
    Kind.Q6_K: (210, (208,)),
}
# How large one step of a block's scale is, so that weights of all types have about the same size.
_K_SCALES = {Kind.Q2_K: 0.006, Kind.Q3_K: 0.0012, Kind.Q4_K: 0.00012, Kind.Q5_K: 0.00006, Kind.Q6_K: 0.00004}


def matrix(rng: np.random.Generator, kind: Kind, rows: int, columns: int, size: float) -> Array:
    """A matrix as it is stored: bytes of a quantised type, or numbers."""
    if kind in _K_BLOCKS:
        return _k_blocks(rng, kind, rows, columns)
    values = rng.normal(0.0, size, (rows, columns)).astype(np.float32)
    return gguf.quants.quantize(values, kind)


def _k_blocks(rng: np.random.Generator, kind: Kind, rows: int, columns: int) -> Array:
    """Random blocks: any bits are weights, only the scales must be sane."""
    length, scales = _K_BLOCKS[kind]
    blocks = rng.integers(0, 256, (rows * columns // 256, length), dtype=np.uint8)
    for nth, at in enumerate(scales):
        # The second scale is that of the minima, which are subtracted.
        size = _K_SCALES[kind] * (1.0 if nth == 0 else 7.5)
        scale = (rng.uniform(0.5, 1.5, len(blocks)) * size).astype(np.float16)
        blocks[:, at : at + 2] = scale.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(rows, -1)
