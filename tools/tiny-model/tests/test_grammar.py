import unittest
from random import Random

from tiny_model.grammar import (
    FREE_LINES,
    ITEM,
    NONCE_LINES,
    OPENERS,
    PHRASE_LINES,
    Grammar,
)
from tiny_model.words import FIXED_WORDS, KEEPING_VERBS, PREPOSITIONS, SCENES, TIMEKEEPERS, VERBS


def syllables_by_word() -> dict[str, set[int]]:
    """How many syllables each word may be counted with."""
    found: dict[str, set[int]] = {}
    lists = [VERBS, KEEPING_VERBS, PREPOSITIONS, TIMEKEEPERS]
    for scene in SCENES.values():
        lists += [scene.nouns, scene.adjectives]
    for words in lists:
        for count, group in words.items():
            for word in group:
                found.setdefault(word, set()).add(count)
    for word in (*FIXED_WORDS, *OPENERS["D"], *OPENERS["S"]):
        found.setdefault(word, set()).add(1)
    return found


class GrammarTest(unittest.TestCase):
    def test_no_word_has_two_counts(self) -> None:
        twice = {word for word, counts in syllables_by_word().items() if len(counts) > 1}
        self.assertEqual(twice, set())

    def test_free_lines_have_their_syllables(self) -> None:
        counts = {word: min(found) for word, found in syllables_by_word().items()}
        rng = Random(1)
        for syllables in FREE_LINES:
            for _ in range(500):
                line = Grammar(rng).free_line(syllables)
                self.assertEqual(sum(counts[word] for word in line), syllables, line)

    def test_every_template_is_used(self) -> None:
        rng = Random(2)
        for syllables, templates in FREE_LINES.items():
            lengths = {len(Grammar(rng).free_line(syllables)) for _ in range(500)}
            self.assertEqual(lengths, {len(template.split()) for template in templates})

    def test_a_carrier_has_one_place_for_its_item_and_never_the_first(self) -> None:
        rng = Random(3)
        for templates in (PHRASE_LINES, NONCE_LINES):
            for _ in range(500):
                line = Grammar(rng).carrier_line(templates, range(2, 6))
                self.assertEqual(list(line).count(ITEM), 1)
                self.assertNotEqual(line[0], ITEM)

    def test_no_word_comes_twice_in_a_line(self) -> None:
        rng = Random(4)
        for _ in range(500):
            words = [word for word in Grammar(rng).free_line(7) if word not in FIXED_WORDS]
            self.assertEqual(len(words), len(set(words)), words)
