import unittest
from itertools import pairwise
from random import Random

from tiny_model.examples import Mix, example
from tiny_model.prompts import development_prompts
from tiny_model.tokenizer import decode, encode, encode_quoted
from tiny_model.vocabulary import BLANK, FIRST_BYTE_ID, IDS, TOKENS
from tiny_model.words import KNOWN_WORDS


def merged(text: str) -> list[int]:
    """What the rule of SentencePiece gives: join the pair of the highest score, again and again."""
    parts = list(text.replace(" ", BLANK))
    while True:
        pairs = [first + second for first, second in pairwise(parts)]
        known = [at for at, pair in enumerate(pairs) if pair in IDS]
        if not known:
            break
        best = max(known, key=lambda at: TOKENS[IDS[pairs[at]]].score)
        parts[best : best + 2] = [pairs[best]]
    ids = []
    for part in parts:
        spelt = [FIRST_BYTE_ID + byte for byte in part.encode()]
        ids += [IDS[part]] if part in IDS else spelt
    return ids


def any_text(rng: Random) -> str:
    """Words, letters, blanks in a row and characters of every length in UTF-8."""
    pieces = (*KNOWN_WORDS, " ", "  ", "\n", "é", "₂", "☃", "🦀", '"', "Q7x", "<s>")
    return "".join(rng.choice(pieces) + rng.choice(("", " ")) for _ in range(rng.randint(1, 12)))


class TokenizerTest(unittest.TestCase):
    def test_ids_are_those_of_merging_by_score(self) -> None:
        rng = Random(1)
        texts = [any_text(rng) for _ in range(500)]
        texts += [one.text for one in development_prompts(20)]
        for text in texts:
            self.assertEqual(encode(text), merged(text), text)

    def test_a_text_comes_back(self) -> None:
        rng = Random(2)
        for _ in range(1000):
            text = any_text(rng)
            self.assertEqual(decode(encode(text)), text)

    def test_bytes_that_are_no_text_are_replaced(self) -> None:
        self.assertEqual(decode([FIRST_BYTE_ID + 0xE2, IDS["a"]]), "\ufffda")

    def test_quoted_text_is_one_token_a_character(self) -> None:
        for word in ("seven", "moon", "aB3dE6gH"):
            self.assertEqual(len(encode_quoted(word)), len(word))

    def test_a_known_word_is_one_token_after_a_blank(self) -> None:
        for word in KNOWN_WORDS:
            self.assertEqual(len(encode(f" {word}")), 1, word)

    def test_prompts_and_poems_are_short(self) -> None:
        rng = Random(3)
        for _ in range(200):
            one = example(rng, Mix.ALL)
            self.assertLess(len(one), 256)
