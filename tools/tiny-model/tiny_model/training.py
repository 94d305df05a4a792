"""The training loop: everything in it follows from the curriculum and the seed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from safetensors.torch import save_file
from torch.nn import functional

from tiny_model.batches import IGNORED, batch
from tiny_model.curriculum import Curriculum, Stage
from tiny_model.network import Network
from tiny_model.optimisers import Optimisers
from tiny_model.shape import SHAPE


@dataclass(frozen=True)
class Progress:
    """Where a training stands after a step. Steps count from 1 here."""

    step: int
    steps: int
    stage: Stage
    rate: float
    loss: float


Watch = Callable[[Network, Progress], None]
"""Called after each step. It may look at the network and must not change it."""


def train(curriculum: Curriculum, seed: int, steps: int, watch: Watch) -> Network:
    """Trains a network anew; `steps` may stop before the curriculum does, its rates stay the same.

    Call `make_reproducible` with the same seed before.
    """
    network = Network(SHAPE)
    optimisers = Optimisers(network)
    rng = Random(f"training {seed}")
    for step in range(steps):
        stage, rate = curriculum.stage_of(step), curriculum.rate_of(step)
        ids, targets = batch(rng, stage)
        learnt = targets != IGNORED
        scores = network.logits(network(ids)[learnt])
        loss = functional.cross_entropy(scores, targets[learnt])
        optimisers.step(loss, rate)
        watch(network, Progress(step + 1, steps, stage, rate, loss.item()))
    return network


def save_weights(network: Network, path: Path) -> None:
    """Writes the weights in float32, under the names of GGUF tensors."""
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, path)
