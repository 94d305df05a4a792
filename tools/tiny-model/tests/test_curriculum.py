import unittest

from tiny_model.curriculum import FULL, Curriculum, Stage
from tiny_model.examples import Mix


class CurriculumTest(unittest.TestCase):
    def test_stages_follow_each_other(self) -> None:
        first = Stage(Mix.COPY, steps=3, batch=1, longest=9)
        second = Stage(Mix.ALL, steps=2, batch=1, longest=9)
        plan = Curriculum((first, second))
        self.assertEqual([plan.stage_of(step) for step in range(5)], [first] * 3 + [second] * 2)
        with self.assertRaises(ValueError):
            plan.stage_of(5)

    def test_the_rate_rises_stays_and_falls(self) -> None:
        rates = [FULL.rate_of(step) for step in range(FULL.steps)]
        level = int(FULL.steps * FULL.decay_from)
        self.assertEqual(rates[: FULL.warm_up], sorted(rates[: FULL.warm_up]))
        self.assertEqual(set(rates[FULL.warm_up : level]), {1.0})
        self.assertEqual(rates[level + 1 :], sorted(rates[level + 1 :], reverse=True))
        self.assertAlmostEqual(rates[-1], FULL.least_rate, places=3)
