"""Makes the fixtures: models, texts, and with a llama-server at hand what it makes of them."""

import argparse
import json
from pathlib import Path

from . import models, record, texts

FIXTURES = Path(__file__).parents[3] / "orch-engine" / "tests" / "fixtures"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m engine_fixtures", description=__doc__)
    parser.add_argument("--llama-server", type=Path, metavar="PROGRAM", help="record what this llama-server answers")
    parser.add_argument("--into", type=Path, default=FIXTURES, metavar="FOLDER", help="where to write")
    arguments = parser.parse_args()
    into: Path = arguments.into
    into.mkdir(parents=True, exist_ok=True)
    for name in models.MODELS:
        print(f"making {name}")
        models.write(name, into / f"{name}.gguf")
    (into / "texts.json").write_text(json.dumps(texts.thousand(), indent=0) + "\n")
    if arguments.llama_server:
        record.record(arguments.llama_server, into)


main()
