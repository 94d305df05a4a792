"""Judges a model through a running engine, one prompt after another."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tiny_model.engine import Engine, Route
from tiny_model.prompts import Asked, prompts
from tiny_model.protocol import accepts, lines_of

FIRST_SEED = 1000
SHOWN_FAILURES = 20


@dataclass(frozen=True)
class Check:
    """Which prompts, how many, and how they are asked."""

    kind: str
    prompt_seed: str
    count: int
    route: Route
    temperature: float


@dataclass
class Figures:
    """What came of a check. `passed` is the protocol's verdict; the rest says more than it asks."""

    asked: int = 0
    passed: int = 0
    exactly_three_lines: int = 0
    ended_by_itself: int = 0
    different: int = 0
    """Different poems among all, phrase and nonce masked."""
    failures: list[dict[str, str]] = field(default_factory=list)

    def summary(self) -> str:
        """All counts on one line."""
        return (
            f"{self.passed}/{self.asked} passed, {self.exactly_three_lines} of three lines, "
            f"{self.ended_by_itself} ended by themselves, {self.different} different"
        )


def evaluate(engine: Engine, check: Check, say: Callable[[str], None]) -> Figures:
    """Asks every prompt of the check once and counts."""
    figures = Figures()
    masked: set[str] = set()
    for number, asked in enumerate(prompts(check.kind, check.prompt_seed, check.count)):
        seed = FIRST_SEED + number
        reply = engine.reply(check.route, asked.text, check.temperature, seed)
        figures.asked += 1
        figures.exactly_three_lines += len(lines_of(reply.text)) == 3
        figures.ended_by_itself += reply.ended
        masked.add(reply.text.replace(asked.phrase, "P").replace(asked.nonce, "N"))
        if accepts(reply.text, asked.phrase, asked.nonce):
            figures.passed += 1
        elif len(figures.failures) < SHOWN_FAILURES:
            figures.failures.append(_failure(asked, reply.text))
        if figures.asked % 100 == 0:
            say(f"{figures.asked}/{check.count}: {figures.passed} passed")
    figures.different = len(masked)
    return figures


def _failure(asked: Asked, reply: str) -> dict[str, str]:
    return {"phrase": asked.phrase, "nonce": asked.nonce, "reply": reply}
