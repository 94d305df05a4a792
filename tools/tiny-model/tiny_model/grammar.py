"""Lines of poems from templates: each slot is filled with a word of so many syllables.

A template is a row of marks. The first is the opener, one syllable:

    D  an opener that wants a noun          S  an opener that stands by itself

The others are slots, or fixed words of one syllable:

    N  noun of the scene      A  adjective of the scene      V  verb by itself
    T  verb that keeps something      P  preposition      C  something that tells the time
    |  the place of a quoted item, whose syllables are not counted
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import prod
from random import Random

from tiny_model.words import (
    KEEPING_VERBS,
    OPENERS_ALONE,
    OPENERS_WITH_NOUN,
    PREPOSITIONS,
    SCENES,
    TIMEKEEPERS,
    VERBS,
    BySyllables,
)

ITEM = "|"
OPENERS = {"D": OPENERS_WITH_NOUN, "S": OPENERS_ALONE}

LINE_SYLLABLES = (5, 7, 5)

FREE_LINES: Mapping[int, tuple[str, ...]] = {
    5: ("D N P the N", "D A N V", "D N V then V", "S the A N V", "S and no N V", "D N and the N"),
    7: (
        "S the A N V P N",
        "D N V P the A N",
        "D A N V P the N",
        "S no N V P the N",
        "D A N P the A N",
        "S the N V and the N",
    ),
}
PHRASE_LINES = ("D C T |", "D A N T |", "D N P |", "S | P the N", "D N V P |", "S | and the A N")
NONCE_LINES = (
    "D N T |",
    "D A N T |",
    "S | V",
    "D N P |",
    "S | P the N",
    "D N V P |",
    "S the N T |",
)

Line = Sequence[str]
"""The words of a line, `ITEM` where the quoted item goes. The first word is the opener."""


@dataclass(frozen=True)
class Filling:
    """A template with the syllables of its slots decided; words can fill it in so many ways."""

    template: tuple[str, ...]
    syllables: tuple[int, ...]
    ways: int


class Grammar:
    """One poem's worth of words: one scene, and no word twice while others are left."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._scene = rng.choice(list(SCENES))
        self._used: set[str] = set()

    def free_line(self, syllables: int) -> Line:
        """A line of exactly so many syllables, 5 or 7."""
        return self._line(FREE_LINES[syllables], range(syllables, syllables + 1))

    def carrier_line(self, templates: tuple[str, ...], syllables: range) -> Line:
        """A line around a quoted item; `syllables` bounds the words beside the item."""
        return self._line(templates, syllables)

    def _line(self, templates: tuple[str, ...], syllables: range) -> Line:
        rng = self._rng
        options = _fillings(self._scene, templates, syllables)
        fillings = options[rng.choice(list(options))]
        filling = rng.choices(fillings, [one.ways for one in fillings])[0]
        opener, *rest = filling.template
        words = [rng.choice(OPENERS[opener])]
        self._used.add(words[0].lower())
        lists = _word_lists(self._scene)
        for mark, count in zip(rest, filling.syllables, strict=True):
            words.append(self._word(lists[mark][count]) if mark in lists else mark)
        return words

    def _word(self, group: tuple[str, ...]) -> str:
        word = self._rng.choice([word for word in group if word not in self._used] or group)
        self._used.add(word)
        return word


@cache
def _word_lists(scene: str) -> Mapping[str, BySyllables]:
    return {
        "N": SCENES[scene].nouns,
        "A": SCENES[scene].adjectives,
        "V": VERBS,
        "T": KEEPING_VERBS,
        "P": PREPOSITIONS,
        "C": TIMEKEEPERS,
    }


@cache
def _fillings(
    scene: str, templates: tuple[str, ...], syllables: range
) -> Mapping[str, tuple[Filling, ...]]:
    """The fillings of every template that can have so many syllables, opener included."""
    found = {}
    for template in templates:
        fillings = tuple(_fillings_of(scene, tuple(template.split()), syllables))
        if fillings:
            found[template] = fillings
    return found


def _fillings_of(scene: str, template: tuple[str, ...], syllables: range) -> Iterator[Filling]:
    lists = _word_lists(scene)
    choices = []
    for mark in template[1:]:
        if mark in lists:
            choices.append({count: len(group) for count, group in lists[mark].items()})
        else:
            choices.append({0 if mark == ITEM else 1: 1})
    for counts in product(*choices):
        if 1 + sum(counts) in syllables:
            ways = prod(choice[count] for choice, count in zip(choices, counts, strict=True))
            yield Filling(template, counts, ways)
