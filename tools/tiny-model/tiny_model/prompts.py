"""Prompts to judge a model by, drawn from seeds that training never uses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from tiny_model.minutes import HELD_OUT, minute_words
from tiny_model.protocol import protocol_prompt
from tiny_model.quoted import (
    HEXADECIMAL,
    LETTERS_AND_DIGITS,
    LOWER_AND_DIGITS,
    UPPER_AND_DIGITS,
    draw,
)

NONCE_LENGTH = 8

DEVELOPMENT_SEED = "development"
"""Looked at while the training was tuned."""

RELEASE_SEED = "release"
"""For the figures of a release only: whoever tunes by it must choose another one afterwards."""


@dataclass(frozen=True)
class Asked:
    """A prompt and what its reply must hold."""

    phrase: str
    nonce: str

    @property
    def text(self) -> str:
        """The prompt of the protocol."""
        return protocol_prompt(self.phrase, self.nonce)


def protocol_items(rng: Random, number: int) -> Asked:
    """Every second minute is a held-out one, every fourth nonce hexadecimal."""
    minute = rng.choice(HELD_OUT) if number % 2 == 0 else rng.randrange(60)
    alphabet = HEXADECIMAL if number % 4 == 3 else LETTERS_AND_DIGITS
    return Asked(minute_words(minute), draw(rng, alphabet, NONCE_LENGTH))


def _with_nonces_of(alphabet: str) -> Callable[[Random, int], Asked]:
    def items(rng: Random, number: int) -> Asked:
        minute = rng.choice(HELD_OUT) if number % 2 == 0 else rng.randrange(60)
        return Asked(minute_words(minute), draw(rng, alphabet, NONCE_LENGTH))

    return items


def _four_characters(rng: Random, number: int) -> Asked:
    return _with_nonces_of("".join(rng.sample(LETTERS_AND_DIGITS, 4)))(rng, number)


def _with_phrases(phrase: Callable[[Random], str]) -> Callable[[Random, int], Asked]:
    def items(rng: Random, _number: int) -> Asked:
        return Asked(phrase(rng), draw(rng, LETTERS_AND_DIGITS, NONCE_LENGTH))

    return items


def _minute(rng: Random) -> str:
    return minute_words(rng.randrange(60))


def _hour(rng: Random) -> str:
    return minute_words(rng.randint(1, 12))


KINDS: Mapping[str, Callable[[Random, int], Asked]] = {
    "protocol": protocol_items,
    "nonce-base62": _with_nonces_of(LETTERS_AND_DIGITS),
    "nonce-hex": _with_nonces_of(HEXADECIMAL),
    "nonce-lower": _with_nonces_of(LOWER_AND_DIGITS),
    "nonce-upper": _with_nonces_of(UPPER_AND_DIGITS),
    "nonce-four-characters": _four_characters,
    "phrase-with-blank": _with_phrases(lambda rng: minute_words(rng.choice(HELD_OUT), " ")),
    "phrase-past": _with_phrases(lambda rng: f"{_minute(rng)} past {_hour(rng)}"),
    "phrase-minutes-to": _with_phrases(lambda rng: f"{_minute(rng)} minutes to {_hour(rng)}"),
    "phrase-minute": _with_phrases(lambda rng: f"minute {_minute(rng)}"),
}
"""The protocol's own prompts, and harder relatives of them."""


def prompts(kind: str, seed: str, count: int) -> list[Asked]:
    """So many prompts of a kind. The same arguments give the same prompts."""
    rng = Random(f"prompts {kind} {seed}")
    return [KINDS[kind](rng, number) for number in range(count)]


def development_prompts(count: int) -> list[Asked]:
    """Prompts of the protocol that may be looked at while tuning."""
    return prompts("protocol", DEVELOPMENT_SEED, count)
