import unittest

from tiny_model.minutes import HELD_OUT, TRAINED, is_held_out, minute_words


class MinutesTest(unittest.TestCase):
    def test_minutes_are_said_in_english(self) -> None:
        said = [minute_words(minute) for minute in (0, 9, 10, 19, 20, 21, 40, 59)]
        expected = "zero nine ten nineteen twenty twenty-one forty fifty-nine".split()
        self.assertEqual(said, expected)
        self.assertEqual(minute_words(42, " "), "forty two")

    def test_every_minute_is_either_trained_or_held_out(self) -> None:
        self.assertEqual(sorted((*TRAINED, *HELD_OUT)), list(range(60)))
        for minute in range(60):
            for joint in ("-", " "):
                self.assertEqual(is_held_out(minute_words(minute, joint)), minute in HELD_OUT)

    def test_a_held_out_minute_is_found_inside_a_longer_phrase(self) -> None:
        self.assertTrue(is_held_out("minute thirty two"))
        self.assertTrue(is_held_out("forty-seven past one"))
        self.assertFalse(is_held_out("seven past two"))
