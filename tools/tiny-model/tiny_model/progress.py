"""Tells how a training goes: its loss, and now and then some poems of the network itself."""

import time
from collections.abc import Callable

import torch

from tiny_model.network import Network
from tiny_model.prompts import development_prompts
from tiny_model.protocol import accepts
from tiny_model.tokenizer import decode, encode
from tiny_model.training import Progress
from tiny_model.vocabulary import BEGIN_ID, END_ID

TELL_EVERY = 50
TRY_EVERY = 500
TRIED = 32
LONGEST_REPLY = 80


class Teller:
    """Watches a training and says a line now and then."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._started = time.process_time()
        self._loss: float | None = None

    def __call__(self, network: Network, now: Progress) -> None:
        """Takes note of one step."""
        before = now.loss if self._loss is None else self._loss
        self._loss = 0.95 * before + 0.05 * now.loss
        at_end = now.step == now.steps
        if now.step % TELL_EVERY != 0 and not at_end:
            return
        line = f"step {now.step}/{now.steps} {now.stage.mix.value}, rate {now.rate:.3f}, "
        line += f"loss {self._loss:.4f}"
        if now.step % TRY_EVERY == 0 or at_end:
            line += f", likeliest poems right {greedy_passes(network, TRIED)}/{TRIED}"
        self._say(f"{line}, {time.process_time() - self._started:.0f} CPU-seconds")


def greedy_passes(network: Network, count: int) -> int:
    """How many of so many development prompts are answered as the protocol asks."""
    asked = development_prompts(count)
    rows = [[BEGIN_ID, *encode(one.text)] for one in asked]
    replies = greedy_replies(network, rows, LONGEST_REPLY)
    pairs = zip(asked, replies, strict=True)
    return sum(accepts(decode(ids), one.phrase, one.nonce) for one, ids in pairs)


@torch.no_grad()
def greedy_replies(network: Network, prompts: list[list[int]], longest: int) -> list[list[int]]:
    """The likeliest continuation of each prompt, up to the end token."""
    lengths = torch.tensor([len(prompt) for prompt in prompts])
    starts = lengths.clone()
    ids = torch.full((len(prompts), int(lengths.max()) + longest), END_ID)
    for row, prompt in enumerate(prompts):
        ids[row, : len(prompt)] = torch.tensor(prompt)
    every = torch.arange(len(prompts))
    running = torch.ones(len(prompts), dtype=torch.bool)
    for _ in range(longest):
        # What stands to the right of a row's end is not seen from it, so rows of any length mix.
        hidden = network(ids[:, : int(lengths.max())])
        chosen = network.logits(hidden[every, lengths - 1]).argmax(-1)
        running &= chosen != END_ID
        if not running.any():
            break
        ids[every[running], lengths[running]] = chosen[running]
        lengths[running] += 1
    return [ids[row, starts[row] : lengths[row]].tolist() for row in range(len(prompts))]
