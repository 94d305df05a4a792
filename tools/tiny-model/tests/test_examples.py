import unittest
from random import Random

from tiny_model.examples import Mix, example
from tiny_model.minutes import HELD_OUT_PHRASES
from tiny_model.prompts import KINDS, RELEASE_SEED, prompts
from tiny_model.protocol import accepts, lines_of, protocol_prompt
from tiny_model.quoted import nonce, phrase
from tiny_model.tokenizer import decode
from tiny_model.vocabulary import BEGIN_ID, END_ID, LINE_END_ID


def quoted(prompt: str) -> list[str]:
    """What stands in quotes."""
    return prompt.split('"')[1::2]


class ExamplesTest(unittest.TestCase):
    def test_the_same_seed_gives_the_same_examples(self) -> None:
        first, second = Random("a seed"), Random("a seed")
        for mix in (*Mix, *Mix, *Mix):
            self.assertEqual(example(first, mix), example(second, mix))

    def test_every_example_shows_what_it_asks_for(self) -> None:
        rng = Random(1)
        for mix in Mix:
            for _ in range(500):
                one = example(rng, mix)
                reply = decode(one.reply)
                for item in quoted(decode(one.prompt)):
                    self.assertIn(item, reply)

    def test_protocol_examples_pass_the_protocol(self) -> None:
        rng = Random(2)
        seen = 0
        for _ in range(500):
            one = example(rng, Mix.TASK)
            items = quoted(decode(one.prompt))
            if decode(one.prompt).endswith(protocol_prompt(*items)):
                seen += 1
                self.assertTrue(accepts(decode(one.reply), *items))
        self.assertGreater(seen, 300)

    def test_replies_have_three_lines_behind_a_line_end_and_then_end(self) -> None:
        rng = Random(3)
        for _ in range(500):
            one = example(rng, Mix.ALL)
            self.assertEqual((one.prompt[0], one.reply[0]), (BEGIN_ID, LINE_END_ID))
            self.assertEqual((one.reply[-1], one.reply.count(END_ID)), (END_ID, 1))
            self.assertEqual(len(lines_of(decode(one.reply))), 3)

    def test_no_held_out_minute_is_asked_for_in_training(self) -> None:
        rng = Random(4)
        for _ in range(3000):
            self.assertNotIn(phrase(rng), HELD_OUT_PHRASES)

    def test_nonces_keep_their_bounds(self) -> None:
        rng = Random(5)
        made = [nonce(rng) for _ in range(3000)]
        lengths = {len(one) for one in made}
        self.assertEqual((min(lengths), max(lengths)), (4, 16))
        self.assertTrue(all(one.isascii() and one.isalnum() for one in made))
        few = sum(len(set(one)) < len(one) * 0.8 for one in made)
        self.assertGreater(few, 1000)


class PromptsTest(unittest.TestCase):
    def test_prompts_follow_from_kind_and_seed(self) -> None:
        for kind in KINDS:
            first = prompts(kind, "a", 20)
            self.assertEqual(first, prompts(kind, "a", 20))
            self.assertNotEqual(first, prompts(kind, "b", 20))

    def test_half_of_the_release_prompts_have_held_out_minutes(self) -> None:
        asked = prompts("protocol", RELEASE_SEED, 500)
        held = sum(one.phrase in HELD_OUT_PHRASES for one in asked)
        self.assertGreater(held, 250)
        self.assertEqual(len({one.nonce for one in asked}), 500)

    def test_a_reply_must_hold_everything(self) -> None:
        whole = "a forty-two\n\nb\nc aB3dE6gH\n"
        self.assertTrue(accepts(whole, "forty-two", "aB3dE6gH"))
        for less in (whole.replace("\n\nb", ""), whole.replace("-", " "), whole.replace("H", "h")):
            self.assertFalse(accepts(less, "forty-two", "aB3dE6gH"), less)
