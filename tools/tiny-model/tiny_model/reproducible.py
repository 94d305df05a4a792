"""One thread and deterministic algorithms: with them two runs on one machine give equal bytes."""

import torch


def make_reproducible(seed: int) -> None:
    """Call it once, before any other use of torch in the process."""
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)
