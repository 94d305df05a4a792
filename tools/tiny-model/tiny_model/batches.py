"""Examples as tensors."""

from random import Random

import torch
from torch import Tensor

from tiny_model.curriculum import Stage
from tiny_model.examples import Example, example
from tiny_model.vocabulary import END_ID

IGNORED = -100
"""The target of a position whose prediction is not learnt from."""


def batch(rng: Random, stage: Stage) -> tuple[Tensor, Tensor]:
    """Rows of token ids, filled up at the right, and for each position the token that follows.

    Only the reply's tokens are targets.
    """
    examples: list[Example] = []
    while len(examples) < stage.batch:
        drawn = example(rng, stage.mix)
        if len(drawn) <= stage.longest:
            examples.append(drawn)
    width = max(len(one) for one in examples)
    ids = torch.full((len(examples), width), END_ID)
    targets = torch.full((len(examples), width), IGNORED)
    for row, one in enumerate(examples):
        ids[row, : len(one)] = torch.tensor([*one.prompt, *one.reply])
        targets[row, len(one.prompt) - 1 : len(one) - 1] = torch.tensor(one.reply)
    return ids, targets
