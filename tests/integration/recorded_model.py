"""A model server that answers what a test tells it, on the same wire as vLLM: for good, half-good and slow answers.

The tests of the wire run against this one and the real one (`vllm_server`), so that it stays true.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

from PIL import Image, UnidentifiedImageError

from inference.invoice import HEADER
from inference.readers.vlm.schema import HEADER_KEYS, LINE_KEYS, VAT_KEYS

KEY = "a-key-for-tests"
CHARACTERS = 3
"""Of a token."""
Answer = Callable[["Asked"], str]


@dataclass(frozen=True)
class Asked:
    """A question as it came: the text of its last turn, the keys of its schema, the number of images and turns."""

    text: str
    keys: tuple[str, ...]
    images: int
    turns: int
    most_tokens: int


@dataclass
class RecordedModel:
    """Answers with `answer`; `sure` is the probability of each free token. `away` closes connections without a word."""

    answer: Answer
    profile: str = "glm-4v-9b"
    images_per_prompt: int = 1
    context: int = 8192
    seconds: float = 0.0
    sure: float = 0.99
    away: bool = False
    port: int = 0
    asked: list[Asked] = field(default_factory=list[Asked])
    images: set[str] = field(default_factory=set[str])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def serving(self) -> Iterator[RecordedModel]:
        server = ThreadingHTTPServer(("127.0.0.1", self.port), type("Handler", (_Handler,), {"model": self}))
        server.daemon_threads = True
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    model: RecordedModel
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer(lambda: self._models() if self.path == "/v1/models" else {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(lambda: self._completion(body))

    def _answer(self, make: Callable[[], Mapping[str, Any]]) -> None:
        if self.model.away:
            self.close_connection = True
            self.connection.close()
            return
        try:
            if self.path != "/health" and self.headers.get("Authorization") != f"Bearer {KEY}":
                raise Refused(401, "Unauthorized")
            status, node = 200, make()
        except Refused as refused:
            status, node = refused.status, {"error": {"message": str(refused), "code": refused.status}}
        data = json.dumps(node).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
        except BrokenPipeError:  # who asked has lost patience
            self.close_connection = True

    def _models(self) -> Mapping[str, Any]:
        return {"data": [{"id": self.model.profile, "max_model_len": self.model.context}]}

    def _completion(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        model = self.model
        if body["model"] != model.profile:
            raise Refused(404, f"The model `{body['model']}` does not exist.")
        texts, images, sent = _parts(body["messages"], model.images)
        if images > model.images_per_prompt:
            raise Refused(400, f"At most {model.images_per_prompt} image(s) may be provided in one prompt.")
        prompt = images * 1602 + sum(len(text) for text in texts) // 4
        if prompt > model.context:
            raise Refused(400, f"The prompt is longer than the maximum model length of {model.context}.")
        schema = body["response_format"]["json_schema"]["schema"]
        asked = Asked(texts[-1], tuple(schema["properties"]), images, len(texts), body["max_tokens"])
        model.asked.append(asked)
        time.sleep(model.seconds)
        text = model.answer(asked)
        cut = len(text) > CHARACTERS * asked.most_tokens
        text = text[: CHARACTERS * asked.most_tokens]
        return {
            "choices": [
                {
                    "message": {"content": text},
                    "finish_reason": "length" if cut else "stop",
                    "logprobs": {"content": list(tokens_of(text, model.sure))},
                }
            ],
            "usage": {
                "prompt_tokens": prompt,
                "completion_tokens": -(-len(text) // CHARACTERS),
                "prompt_tokens_details": {"cached_tokens": 1602 * (images - sent) if sent else prompt - 1},
            },
        }


def _parts(messages: list[dict[str, Any]], known: set[str]) -> tuple[list[str], int, int]:
    """The texts, the number of images, and how many of them came with their bytes."""
    texts: list[str] = []
    images = sent = 0
    for message in messages:
        if isinstance(message["content"], str):
            texts.append(message["content"])
            continue
        for part in message["content"]:
            if part["type"] == "text":
                texts.append(part["text"])
                continue
            images += 1
            if part["image_url"] is None:
                if part["uuid"] not in known:
                    raise Refused(400, f"Cache miss for {part['uuid']}")
                continue
            sent += 1
            png = base64.b64decode(part["image_url"]["url"].partition(",")[2])
            assert hashlib.sha256(png).hexdigest() == part["uuid"]
            try:
                Image.open(BytesIO(png)).load()
            except (UnidentifiedImageError, OSError, SyntaxError) as error:
                raise Refused(400, "cannot identify image file") from error
            except Image.DecompressionBombError as error:
                raise Refused(500, "Internal server error") from error
            known.add(part["uuid"])
    return texts, images, sent


def tokens_of(text: str, sure: float) -> Iterator[dict[str, Any]]:
    """A token every few characters: free within strings, forced elsewhere."""
    inside = False
    for start in range(0, len(text), CHARACTERS):
        part = text[start : start + CHARACTERS]
        free = inside or '"' in part
        inside ^= part.count('"') % 2 == 1
        yield {"bytes": list(part.encode()), "logprob": math.log(sure) if free else 0.0}


def true_answer(truth: Mapping[str, Any], keys: tuple[str, ...] = (), **header: str) -> str:
    """The answer of a model that reads everything right, from what a sample says of itself; `header` replaces values."""
    fields = {**truth["fields"], **header}
    node: dict[str, Any] = {key: str(fields.get(name, "")) for key, name in HEADER_KEYS.items()}
    assert set(fields) & set(HEADER)
    node["taxes"] = [{k: row.get(name, "") for k, name in VAT_KEYS.items()} for row in truth["vat_breakdown"]]
    node["lines"] = [{k: line.get(name, "") for k, name in LINE_KEYS.items()} for line in truth["lines"]]
    return json.dumps(
        {key: value for key, value in node.items() if not keys or key in keys}, ensure_ascii=False
    )
