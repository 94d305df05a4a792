"""Muon for the matrices, AdamW for embeddings and norms, one learning rate over both."""

from collections.abc import Sequence

import torch
from torch import nn

from tiny_model.network import Network

MATRIX_RATE = 0.02
OTHER_RATE = 3e-3
LARGEST_GRADIENT = 1.0


class Optimisers:
    """Both optimisers as one."""

    def __init__(self, network: Network) -> None:
        matrices: list[nn.Parameter] = []
        self._others: list[nn.Parameter] = []
        for name, parameter in network.named_parameters():
            is_matrix = parameter.dim() == 2 and name != "token_embd.weight"
            (matrices if is_matrix else self._others).append(parameter)
        muon = torch.optim.Muon(matrices, lr=MATRIX_RATE, momentum=0.95, weight_decay=0.01)
        adam = torch.optim.AdamW(self._others, lr=OTHER_RATE, betas=(0.9, 0.98), weight_decay=0.0)
        self._parts: Sequence[tuple[torch.optim.Optimizer, float]] = (
            (muon, MATRIX_RATE),
            (adam, OTHER_RATE),
        )

    def step(self, loss: torch.Tensor, rate: float) -> None:
        """Moves the weights against the loss, at this share of the full learning rates."""
        for optimiser, full in self._parts:
            optimiser.zero_grad(set_to_none=True)
            for group in optimiser.param_groups:
                group["lr"] = full * rate
        torch.autograd.backward(loss)
        # Muon makes its own gradients equally large.
        nn.utils.clip_grad_norm_(self._others, LARGEST_GRADIENT)
        for optimiser, _ in self._parts:
            optimiser.step()
