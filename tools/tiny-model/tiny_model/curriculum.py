"""What is trained when, counted in steps: the only clock that gives the same weights twice."""

from dataclasses import dataclass

from tiny_model.examples import Mix


@dataclass(frozen=True)
class Stage:
    """So many steps of batches from one mix, with a bound on the tokens of an example."""

    mix: Mix
    steps: int
    batch: int
    longest: int


@dataclass(frozen=True)
class Curriculum:
    """The stages in order, and the learning rate over all their steps."""

    stages: tuple[Stage, ...]
    warm_up: int = 50
    decay_from: float = 0.3
    least_rate: float = 0.01

    @property
    def steps(self) -> int:
        """Steps of all stages together."""
        return sum(stage.steps for stage in self.stages)

    def stage_of(self, step: int) -> Stage:
        """The stage of a step; steps count from 0."""
        for stage in self.stages:
            if step < stage.steps:
                return stage
            step -= stage.steps
        raise ValueError(f"the curriculum has {self.steps} steps, none is numbered that high")

    def rate_of(self, step: int) -> float:
        """The share of the full learning rate: up, level, then down in a straight line."""
        warm = min(1.0, (step + 1) / self.warm_up)
        done = step / self.steps
        if done < self.decay_from:
            return warm
        left = (1 - done) / (1 - self.decay_from)
        return warm * max(self.least_rate, left)


FULL = Curriculum(
    (
        Stage(Mix.COPY, steps=250, batch=64, longest=64),
        Stage(Mix.TASK, steps=1000, batch=32, longest=116),
        Stage(Mix.ALL, steps=2550, batch=32, longest=128),
    )
)
"""The training of the released weights."""
