"""A thousand texts for tokenizers to agree on."""

import random

from . import words


def _mixture(rng: random.Random) -> str:
    pools = (words.ENGLISH, words.FOREIGN, words.MIXED, words.EMOJI, words.SIGNS, words.CONTRACTIONS, words.BLANKS, words.ODD)
    parts = []
    for _ in range(rng.randrange(1, 9)):
        pool = rng.choice(pools)
        parts.append(rng.choice(pool))
        if rng.random() < 0.4:
            parts.append(" ")
    return "".join(parts)


def _letters(rng: random.Random) -> str:
    """Neighbours of every kind: letters, marks, digits, signs and blanks drawn one by one."""
    pool = "aAzZ'sStTéßΣжשא你ー0٣½Ⅻ.,!/-_$+<>^|~`€\u0301\u200d\u00a0\u2003\u0085 \t\n\r"
    return "".join(rng.choice(pool) for _ in range(rng.randrange(1, 24)))


def thousand() -> list[str]:
    """Always the same thousand, all different."""
    rng = random.Random(2)
    found: dict[str, None] = {}
    for fixed in (words.ODD, words.CONTRACTIONS, words.SPECIAL, words.BLANKS, words.CODE, words.EMOJI, words.FOREIGN, words.MIXED):
        found.update(dict.fromkeys(fixed))
    found.update(dict.fromkeys(["a" * 200, " " * 100, "\n" * 50, "9" * 70, "é" * 60, "unreachable", " unreachable", "x unreachable y"]))
    while len(found) < 1000:
        kind = rng.random()
        if kind < 0.25:
            text = words.sentence(rng, rng.randrange(1, 9))
        elif kind < 0.5:
            text = _mixture(rng)
        elif kind < 0.7:
            text = _letters(rng)
        elif kind < 0.78:
            text = rng.choice(["", " ", "a", "-"]) + words.digits(rng) + rng.choice(["", " ", "th", ".", words.digits(rng)])
        elif kind < 0.86:
            text = "".join(rng.choice(words.BLANKS) for _ in range(rng.randrange(1, 5))) + rng.choice(words.ENGLISH)
        elif kind < 0.94:
            text = rng.choice(words.SPECIAL).join([words.sentence(rng, 2), rng.choice(["", " ", "\n"]) + rng.choice(words.ENGLISH)])
        else:
            text = rng.choice(words.CODE) + rng.choice(words.BLANKS) + rng.choice(words.CODE)
        found[text] = None
    return list(found)
