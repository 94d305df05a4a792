"""A client of an engine that speaks llama.cpp's dialect: orch-engine or llama-server."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

LONGEST_REPLY = 120
TIMEOUT_S = 60.0


class EngineError(Exception):
    """The engine cannot be reached, refused a prompt, or replied with something else."""


class Route(Enum):
    """How a prompt reaches the model."""

    RAW = "raw"
    """As it is, through `/completion`."""
    TEMPLATE = "template"
    """As a user's message through `/apply-template`, the result through `/completion`."""
    CHAT = "chat"
    """As a user's message through `/v1/chat/completions`."""


@dataclass(frozen=True)
class Reply:
    """What the model wrote; `ended` is true if it chose to end, false if it was cut off."""

    text: str
    ended: bool


class Engine:
    """One running engine."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise EngineError(f"{url}: an engine's address begins with http://")
        self._url = url.rstrip("/")

    def name(self) -> str:
        """The engine's build as it gives it itself."""
        return str(self._request("/props", None).get("build_info", "unknown"))

    def reply(self, route: Route, prompt: str, temperature: float, seed: int) -> Reply:
        """One reply, generated anew."""
        settings = {"temperature": temperature, "seed": seed}
        messages = {"messages": [{"role": "user", "content": prompt}]}
        try:
            if route is Route.CHAT:
                limit = {"max_tokens": LONGEST_REPLY, "cache_prompt": False}
                body = self._request("/v1/chat/completions", {**messages, **limit, **settings})
                choice = body["choices"][0]
                return Reply(str(choice["message"]["content"]), choice["finish_reason"] == "stop")
            if route is Route.TEMPLATE:
                prompt = str(self._request("/apply-template", messages)["prompt"])
            asked = {"prompt": prompt, "n_predict": LONGEST_REPLY, "cache_prompt": False}
            body = self._request("/completion", {**asked, **settings})
            return Reply(str(body["content"]), body["stop_type"] == "eos")
        except (KeyError, IndexError, TypeError) as fault:
            said = f"{self._url}: the reply is not in llama.cpp's dialect: {fault!r}"
            raise EngineError(said) from fault

    def _request(self, route: str, body: Mapping[str, object] | None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        try:
            request = urllib.request.Request(self._url + route, data, headers)  # noqa: S310
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
                content = json.load(response)
        except urllib.error.HTTPError as fault:
            said = fault.read().decode(errors="replace")
            raise EngineError(f"{self._url}{route}: {fault.code}: {said}") from fault
        except (OSError, ValueError) as fault:
            raise EngineError(f"{self._url}{route}: {fault}") from fault
        if not isinstance(content, dict):
            raise EngineError(f"{self._url}{route}: the reply is no JSON object")
        return content
