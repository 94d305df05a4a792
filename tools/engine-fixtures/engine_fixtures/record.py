"""What a real llama-server makes of the models and the texts."""

import json
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from . import models, texts

# As many threads as make no difference, attention and its memory in 32 bits as in orch-engine.
FLAGS = "--threads 1 --ctx-size 512 --parallel 1 --no-webui --no-warmup --flash-attn off --cache-type-k f32 --cache-type-v f32".split()

# Prompts of one token, of some, and of more than one pass of orch-engine.
PROMPT_LENGTHS = (1, 2, 17, 150)
STEPS = 8
TOP = 20

# Pre-tokenizers besides those that the models have, each with the model whose vocabulary it cuts for.
OTHER_PRE = ("default", "gpt-2", "smaug-bpe", "smollm", "tekken", "deepseek-coder")

Json = dict[str, Any]


class Server:
    """A llama-server with one model, on a port of its own."""

    def __init__(self, program: Path, model: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        arguments = [str(program), "--model", str(model), "--host", "127.0.0.1", "--port", str(port), *FLAGS]
        self.process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self) -> "Server":
        while True:
            if self.process.poll() is not None:
                raise SystemExit(f"llama-server ended with {self.process.returncode}")
            try:
                urllib.request.urlopen(f"{self.url}/health")
                return self
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def post(self, path: str, body: Json) -> Json:
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as reply:
            answer: Json = json.load(reply)
        return answer

    def tokens(self, text: str, parse_special: bool) -> list[int]:
        body = {"content": text, "add_special": False, "parse_special": parse_special}
        ids: list[int] = self.post("/tokenize", body)["tokens"]
        return ids


def _token_lines(server: Server) -> str:
    """A line for each text: its ids, and after a bar those with names of control tokens as mere text, if they differ."""
    lines = []
    for text in texts.thousand():
        parsed, plain = server.tokens(text, True), server.tokens(text, False)
        line = " ".join(map(str, parsed))
        lines.append(line if parsed == plain else f"{line} | {' '.join(map(str, plain))}")
    return "\n".join(lines) + "\n"


def _likelihoods(server: Server) -> list[Json]:
    """The log probabilities of the likeliest tokens after prompts of several lengths, and after more tokens one by one.

    Which tokens come next is forced, because llama-server tells nothing of those that are parts of a character. What
    it tells is what the model says, before anything is forced.
    """
    letter = server.tokens("a", False)[-1]
    with urllib.request.urlopen(f"{server.url}/v1/models") as reply:
        n_vocab: int = json.load(reply)["data"][0]["meta"]["n_vocab"]
    recorded = []
    for length in PROMPT_LENGTHS:
        # Any tokens do: the weights are random too.
        prompt = [(7 * i * i + 11 * i + 5) % n_vocab for i in range(length)]
        body = {
            "prompt": prompt, "n_predict": STEPS, "temperature": 0, "logit_bias": [[letter, 1000]],
            "n_probs": TOP, "cache_prompt": False,
        }
        steps = server.post("/completion", body)["completion_probabilities"]
        assert [step["id"] for step in steps] == [letter] * STEPS
        tops = [[[top["id"], round(top["logprob"], 5)] for top in step["top_logprobs"]] for step in steps]
        recorded.append({"prompt": prompt, "then": letter, "tops": tops})
    return recorded


def record(program: Path, fixtures: Path) -> None:
    """Writes what the program answers beside the models."""
    version = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True)
    (fixtures / "llama-server-version.txt").write_text((version.stderr + version.stdout).strip() + "\n")
    for name in models.MODELS:
        print(f"recording {name}")
        with Server(program, fixtures / f"{name}.gguf") as server:
            (fixtures / f"{name}.tokens").write_text(_token_lines(server))
            likelihoods = _likelihoods(server)
            (fixtures / f"{name}.likelihoods.json").write_text(json.dumps(likelihoods, separators=(",", ":")) + "\n")
    for pre in OTHER_PRE:
        print(f"recording pre-tokenizer {pre}")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.gguf"
            models.write("llama-bpe", path, pre)
            with Server(program, path) as server:
                (fixtures / f"pre-{pre}.tokens").write_text(_token_lines(server))
