"""Makes haiku-tiny and judges it."""

import argparse
import json
import sys
from pathlib import Path

from tiny_model.engine import Engine, EngineError, Route
from tiny_model.evaluation import Check, evaluate
from tiny_model.prompts import DEVELOPMENT_SEED, KINDS, RELEASE_SEED

SEED = 1
"""The seed of the released weights."""


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


# The verbs that compute load what they need themselves: judging needs the standard library only.


def _train(arguments: argparse.Namespace) -> None:
    from tiny_model.curriculum import FULL
    from tiny_model.export import sha256_of
    from tiny_model.progress import Teller
    from tiny_model.reproducible import make_reproducible
    from tiny_model.training import save_weights, train

    make_reproducible(arguments.seed)
    steps = FULL.steps if arguments.steps is None else min(arguments.steps, FULL.steps)
    network = train(FULL, arguments.seed, steps, Teller(_say))
    arguments.weights.parent.mkdir(parents=True, exist_ok=True)
    save_weights(network, arguments.weights)
    print(f"{sha256_of(arguments.weights)}  {arguments.weights}")


def _export(arguments: argparse.Namespace) -> None:
    from tiny_model.export import export

    for line in export(arguments.weights, arguments.out):
        print(line)


def _evaluate(arguments: argparse.Namespace) -> None:
    engine = Engine(arguments.url)
    _say(f"engine {engine.name()} at {arguments.url}")
    prompt_seed = RELEASE_SEED if arguments.release else DEVELOPMENT_SEED
    kinds = list(KINDS) if arguments.kind == "all" else [arguments.kind]
    for kind in kinds:
        for temperature in arguments.temperature:
            check = Check(kind, prompt_seed, arguments.count, Route(arguments.route), temperature)
            said = f"{kind}, {arguments.route}, temperature {temperature:g}"
            figures = evaluate(engine, check, _say)
            print(f"{said}: {figures.summary()}", flush=True)
            for failure in figures.failures:
                print(f"  failed: {json.dumps(failure)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tiny_model", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    train = verbs.add_parser("train", help="train the network anew")
    train.add_argument("--weights", type=Path, required=True, help="file to write (safetensors)")
    train.add_argument("--seed", type=int, default=SEED)
    train.add_argument("--steps", type=_positive, help="stop after so many steps")
    train.set_defaults(run=_train)

    export = verbs.add_parser("export", help="write GGUF files, the Hugging Face form and digests")
    export.add_argument("--weights", type=Path, required=True, help="file that `train` wrote")
    export.add_argument("--out", type=Path, required=True, help="folder to write to")
    export.set_defaults(run=_export)

    judge = verbs.add_parser("evaluate", help="judge the model that a running engine serves")
    judge.add_argument("--url", required=True, help="the engine, such as http://127.0.0.1:8080")
    judge.add_argument("--count", type=_positive, default=500, help="prompts of each check")
    judge.add_argument("--kind", choices=(*KINDS, "all"), default="protocol")
    judge.add_argument("--route", choices=[one.value for one in Route], default=Route.RAW.value)
    judge.add_argument("--temperature", type=float, nargs="+", default=[0.0, 0.8])
    judge.add_argument("--release", action="store_true", help="the prompts kept for releases")
    judge.set_defaults(run=_evaluate)
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not above 0")
    return number


def main() -> int:
    """Runs one verb; what cannot be done is one line and exit code 1."""
    arguments = _arguments()
    try:
        arguments.run(arguments)
    except (EngineError, OSError) as fault:
        _say(f"tiny_model: {fault}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
