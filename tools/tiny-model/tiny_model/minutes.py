"""Minutes of the hour in English words, and which of them training never sees as a phrase."""

ONES = tuple(
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen""".split()
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty")

HELD_OUT = tuple(minute for minute in range(60) if minute % 5 == 2)
"""Twelve minutes that are kept for evaluation."""

TRAINED = tuple(minute for minute in range(60) if minute % 5 != 2)


def minute_words(minute: int, joint: str = "-") -> str:
    """A minute from 0 to 59 in words, its two parts joined by `joint`."""
    if minute < len(ONES):
        return ONES[minute]
    tens, ones = divmod(minute, 10)
    return TENS[tens] if ones == 0 else f"{TENS[tens]}{joint}{ONES[ones]}"


HELD_OUT_PHRASES = frozenset(
    minute_words(minute, joint) for minute in HELD_OUT for joint in ("-", " ")
)


def is_held_out(phrase: str) -> bool:
    """True if the phrase is a held-out minute, or holds one of two parts."""
    if phrase in HELD_OUT_PHRASES:
        return True
    return any(held in phrase for held in HELD_OUT_PHRASES if "-" in held or " " in held)
