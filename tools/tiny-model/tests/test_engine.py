import json
import threading
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from tiny_model.engine import Engine, EngineError, Route
from tiny_model.evaluation import Check, evaluate
from tiny_model.prompts import prompts


class Speaker(BaseHTTPRequestHandler):
    """The dialect over a model that gives back what stands in quotes, on three lines."""

    def do_GET(self) -> None:
        self._send(200, {"build_info": "speaker 1"})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/completion":
            self._send(200, {"content": poem(asked["prompt"]), "stop_type": "eos"})
        elif self.path == "/apply-template":
            self._send(200, {"prompt": asked["messages"][0]["content"] + "\n"})
        elif self.path == "/v1/chat/completions":
            message = {"content": poem(asked["messages"][0]["content"])}
            choice = {"message": message, "finish_reason": "length"}
            self._send(200, {"choices": [choice]})

    def _send(self, code: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Refuser(Speaker):
    """An engine that refuses every prompt."""

    def do_POST(self) -> None:
        self._send(503, {"error": {"message": "loading"}})


class Stranger(Speaker):
    """A server that is no engine."""

    def do_POST(self) -> None:
        self._send(200, {"hello": "world"})


def poem(prompt: str) -> str:
    """A reply with the items of the prompt, unless the phrase has a six in it."""
    items = prompt.split('"')[1::2]
    if "six" in items[0]:
        return f"{items[0]}\n{items[1]}"
    return f"{items[0]}\nmoon\n{items[1]}"


@contextmanager
def served(handler: type[Speaker]) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class EngineTest(unittest.TestCase):
    def test_all_routes_reach_the_model(self) -> None:
        with served(Speaker) as url:
            engine = Engine(url)
            self.assertEqual(engine.name(), "speaker 1")
            for route in Route:
                reply = engine.reply(route, 'say "a" and "b"', 0.8, 7)
                self.assertEqual(reply.text, "a\nmoon\nb")
                self.assertEqual(reply.ended, route is not Route.CHAT)

    def test_an_evaluation_counts_and_keeps_failures(self) -> None:
        asked = prompts("protocol", "development", 60)
        wrong = [one.phrase for one in asked if "six" in one.phrase]
        self.assertTrue(wrong)
        with served(Speaker) as url:
            check = Check("protocol", "development", 60, Route.RAW, 0.0)
            figures = evaluate(Engine(url), check, lambda _: None)
        self.assertEqual((figures.asked, figures.passed), (60, 60 - len(wrong)))
        self.assertEqual([one["phrase"] for one in figures.failures], wrong)
        self.assertEqual(figures.exactly_three_lines, figures.passed)
        self.assertEqual((figures.ended_by_itself, figures.different), (60, 2))

    def test_what_is_no_reply_is_an_error_with_the_place(self) -> None:
        for handler, said in ((Refuser, "503.*loading"), (Stranger, "dialect")):
            with served(handler) as url, self.assertRaisesRegex(EngineError, said):
                Engine(url).reply(Route.RAW, "x", 0.0, 1)
        with served(Speaker) as url:
            gone = url
        with self.assertRaisesRegex(EngineError, gone):
            Engine(gone).name()
        with self.assertRaisesRegex(EngineError, "http://"):
            Engine("127.0.0.1:80")
