"""What stands in quotes in a prompt: minute phrases, other phrases, and nonces."""

import string
from collections.abc import Callable
from random import Random

from tiny_model.minutes import ONES, TENS, TRAINED, is_held_out, minute_words
from tiny_model.words import KNOWN_WORDS

LETTERS_AND_DIGITS = string.ascii_letters + string.digits
HEXADECIMAL = "0123456789abcdef"
LOWER_AND_DIGITS = string.ascii_lowercase + string.digits
UPPER_AND_DIGITS = string.ascii_uppercase + string.digits

ALPHABETS = (
    LETTERS_AND_DIGITS,
    LETTERS_AND_DIGITS,
    LETTERS_AND_DIGITS,
    HEXADECIMAL,
    LOWER_AND_DIGITS,
    UPPER_AND_DIGITS,
)

PHRASE_WORDS = (
    *ONES,
    *TENS[2:],
    *"past to minutes minute quarter half after before hours and at the clock exactly".split(),
)

JOINTS = "--- "
"""A joint of two parts is a hyphen three times of four, else a blank."""


def draw(rng: Random, alphabet: str, length: int) -> str:
    """So many characters of an alphabet, each drawn anew."""
    return "".join(rng.choice(alphabet) for _ in range(length))


def nonce(rng: Random) -> str:
    """A nonce of 4 to 16 characters, mostly 8. Nearly half repeat few characters, the hard case."""
    length = 8 if rng.random() < 0.8 else rng.randint(4, 16)
    alphabet = rng.choice(ALPHABETS)
    if rng.random() < 0.45:
        alphabet = "".join(rng.sample(LETTERS_AND_DIGITS, rng.randint(2, 6)))
    return draw(rng, alphabet, length)


def phrase(rng: Random) -> str:
    """A phrase that is not, and does not hold, a held-out minute."""
    while True:
        text = _any_phrase(rng)
        if not is_held_out(text):
            return text


def _any_phrase(rng: Random) -> str:
    if rng.random() < 0.25:
        return " ".join(_part(rng) for _ in range(rng.randint(2, 4)))
    kind = rng.random()
    if kind < 0.45:
        return minute_words(rng.choice(TRAINED), "-" if rng.random() < 0.8 else " ")
    if kind < 0.85:
        return _one_or_two(rng, 0.4, lambda: draw(rng, string.ascii_lowercase, rng.randint(3, 8)))
    return _one_or_two(rng, 0.3, lambda: rng.choice(KNOWN_WORDS + ONES))


def _part(rng: Random) -> str:
    kind = rng.random()
    if kind < 0.4:
        return minute_words(rng.choice(TRAINED))
    if kind < 0.88:
        return rng.choice(PHRASE_WORDS)
    return draw(rng, string.ascii_lowercase, rng.randint(2, 6))


def _one_or_two(rng: Random, share_of_one: float, word: Callable[[], str]) -> str:
    if rng.random() < share_of_one:
        return word()
    return word() + rng.choice(JOINTS) + word()
