"""The client of a vLLM server: chat completions with images, answers by schema, over one pooled connection.

API: https://docs.vllm.ai/en/stable/serving/openai_compatible_server.html and
https://docs.vllm.ai/en/stable/features/multimodal_inputs.html (the `uuid` of an image).
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, cast

import httpx
from annotated_types import Le, Len
from pydantic import BaseModel, ValidationError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from inference.vllm.errors import ModelAway, ModelFails, ModelMisconfigured, ModelRefused, ModelSlow
from inference.vllm.images import PageImage
from inference.vllm.profile import Profile

ATTEMPTS = 3
"""A connection that the server closed after an error, or a short overload: worth a second and third try."""

MOST_ANSWER_BYTES = 16_000_000

_MISSING_IMAGE = "cache miss"
_TOO_LONG = ("maximum context length", "max_model_len", "is longer than the maximum", "exceeds the maximum")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the server is and how much it is asked at a time. `key` never shows in a repr or a message. `ca_file` is
    the authority that signed the server's certificate, where that is none of the public ones."""

    url: str
    profile: Profile
    model: str = ""
    key: str = field(default="", repr=False)
    ca_file: str = ""
    timeout_seconds: float = 30.0
    in_flight: int = 8
    failures_to_open: int = 3
    pause_seconds: float = 20.0

    @property
    def served_model(self) -> str:
        """The name that the server knows the model by."""
        return self.model or self.profile.name


class Token(NamedTuple):
    """One token of an answer and its log-probability; exactly 0.0 where the schema left no choice."""

    text: bytes
    logprob: float


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with what it cost. `cut` says that it ran into the limit of tokens; `resent` images were not cached."""

    text: str
    cut: bool
    tokens: tuple[Token, ...] = ()
    prompt_tokens: int = 0
    cached_tokens: int = 0
    answer_tokens: int = 0
    seconds: float = 0.0
    sent_bytes: int = 0
    resent: bool = False


class _Answered(NamedTuple):
    """A response that is not taken apart yet, and what it cost."""

    response: httpx.Response
    seconds: float
    sent_bytes: int
    resent: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation: text, with images before it where there are any."""

    role: Literal["user", "assistant"]
    text: str
    images: tuple[PageImage, ...] = ()


class Client:
    """Asks one server. Made inside an event loop's life and closed there; safe for many tasks at once."""

    def __init__(self, endpoint: Endpoint, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.endpoint = endpoint
        self._gate = asyncio.Semaphore(endpoint.in_flight)
        self._breaker = Breaker(endpoint.failures_to_open, endpoint.pause_seconds)
        self._known: set[str] = set()
        self._http = httpx.AsyncClient(
            base_url=endpoint.url.rstrip("/"),
            headers={"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {},
            timeout=httpx.Timeout(endpoint.timeout_seconds, connect=5.0, pool=None),
            limits=httpx.Limits(
                max_connections=endpoint.in_flight, max_keepalive_connections=endpoint.in_flight
            ),
            trust_env=False,
            verify=ssl.create_default_context(cafile=endpoint.ca_file) if endpoint.ca_file else True,
            transport=transport,
        )

    @property
    def away(self) -> str:
        """Why nothing is asked at the moment, or empty."""
        return self._breaker.reason

    async def ask(self, turns: Sequence[Turn], schema: Mapping[str, Any], max_tokens: int) -> Reply:
        """The model's answer to a conversation, by a JSON Schema.

        Raises ModelAway, ModelMisconfigured or ModelRefused.
        """
        try:
            async with self._gate:
                self._breaker.check()
                answered = await self._ask(turns, schema, max_tokens)
            # What waits at the gate is sent before this is taken apart: the server is what must not wait.
            await asyncio.sleep(0)
            reply = _reply(answered)
        except BreakerOpen:
            raise
        except ModelFails as error:
            if await self._is_well():
                raise
            self._breaker.failed(str(error))
            raise ModelAway(str(error)) from error
        except ModelAway as error:
            self._breaker.failed(str(error))
            raise
        self._breaker.succeeded()
        return reply

    async def check(self) -> int:
        """Whether the server is there, lets us in and serves our model: the tokens of its context, 0 where it does not
        say. Raises what `ask` would.
        """
        response = await self._send("GET", "/v1/models", None)
        try:
            models = {model.id: model for model in _Models.model_validate(_mapping(response)).data}
        except ValidationError as error:
            raise ModelAway(
                f"{self.endpoint.url} does not answer as vLLM does: is it a model server?"
            ) from error
        if self.endpoint.served_model not in models:
            raise ModelMisconfigured(
                f"{self.endpoint.url} does not serve “{self.endpoint.served_model}” but {', '.join(models) or 'nothing'}: "
                "correct vlm.model, or start the server with vouch vllm serve"
            )
        return models[self.endpoint.served_model].max_model_len or 0

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.aclose()

    async def _is_well(self) -> bool:
        """Whether the server says of itself that it works: then what it fails in is the request."""
        try:
            return (await self._received(self._http.build_request("GET", "/health"))).is_success
        except (httpx.RequestError, ModelAway, TimeoutError):
            return False

    async def _ask(self, turns: Sequence[Turn], schema: Mapping[str, Any], max_tokens: int) -> _Answered:
        started = time.perf_counter()
        ids = {image.uuid for turn in turns for image in turn.images}
        body = self._body(turns, schema, max_tokens, self._known)
        resent = False
        try:
            response = await self._send("POST", "/v1/chat/completions", body)
        except ModelRefused as error:
            if _MISSING_IMAGE not in str(error).lower() or not ids & self._known:
                raise
            self._known -= ids
            resent = True
            body = self._body(turns, schema, max_tokens, set())
            response = await self._send("POST", "/v1/chat/completions", body)
        self._known |= ids
        return _Answered(response, time.perf_counter() - started, len(response.request.content), resent)

    def _body(
        self, turns: Sequence[Turn], schema: Mapping[str, Any], max_tokens: int, known: set[str]
    ) -> dict[str, Any]:
        profile = self.endpoint.profile
        body: dict[str, Any] = {
            "model": self.endpoint.served_model,
            "messages": [{"role": turn.role, "content": _content(turn, known)} for turn in turns],
            "temperature": 0,
            "max_tokens": max_tokens,
            "logprobs": True,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "page", "schema": schema, "strict": True},
            },
        }
        return body | ({"chat_template_kwargs": profile.chat_options} if profile.chat_options else {})

    async def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        retrying = AsyncRetrying(
            retry=retry_if_exception(
                lambda error: isinstance(error, ModelAway) and not isinstance(error, ModelSlow)
            ),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                return await self._once(method, path, body)
        raise AssertionError("tenacity returns or raises")

    async def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        url, seconds = self.endpoint.url, self.endpoint.timeout_seconds
        try:
            response = await self._received(self._http.build_request(method, path, json=body))
        except httpx.ConnectTimeout as error:
            raise ModelAway(
                f"The model server at {url} cannot be reached: correct vlm.url, or look at the network between"
            ) from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise ModelSlow(
                f"The model server at {url} gave no answer within {seconds:g} s: is the card overloaded? Lower "
                "vlm.in_flight, or raise vlm.timeout_seconds"
            ) from error
        except httpx.RequestError as error:
            raise _lost(error, url) from error
        if response.is_success:
            return response
        raise _refusal(response, self.endpoint)

    async def _received(self, request: httpx.Request) -> httpx.Response:
        """The whole answer, of at most `MOST_ANSWER_BYTES`, within the time for one answer."""
        content = bytearray()
        async with asyncio.timeout(self.endpoint.timeout_seconds):
            response = await self._http.send(request, stream=True)
            try:
                async for part in response.aiter_bytes():
                    content += part
                    if len(content) > MOST_ANSWER_BYTES:
                        raise ModelAway(
                            f"{self.endpoint.url} answers with more than {MOST_ANSWER_BYTES // 10**6} MB: is it a vLLM "
                            "server? Correct vlm.url"
                        )
            finally:
                await response.aclose()
        told = {name: found for name in ("location",) if (found := response.headers.get(name))}
        return httpx.Response(response.status_code, headers=told, content=bytes(content), request=request)


class BreakerOpen(ModelAway):
    """Nothing was asked: the server was away a moment ago."""


class Breaker:
    """Stops asking a server that is away: after so many failures in a row nothing is tried for a while."""

    def __init__(self, failures_to_open: int, pause_seconds: float) -> None:
        self._limit = failures_to_open
        self._pause = pause_seconds
        self._failures = 0
        self._closed_until = 0.0
        self._why = ""

    @property
    def reason(self) -> str:
        """Why nothing is asked now, or empty."""
        return self._why if time.monotonic() < self._closed_until else ""

    def check(self) -> None:
        """Raises ModelAway while nothing is to be asked."""
        if reason := self.reason:
            raise BreakerOpen(reason)

    def failed(self, why: str) -> None:
        """Count a failure; the one that is too many starts a pause, and so does each one right after a pause."""
        self._failures += 1
        if self._failures >= self._limit:
            self._why = why
            self._closed_until = time.monotonic() + self._pause

    def succeeded(self) -> None:
        """Forget the failures."""
        self._failures = 0
        self._closed_until = 0.0


def _content(turn: Turn, known: set[str]) -> str | list[dict[str, Any]]:
    if not turn.images:
        return turn.text
    parts: list[dict[str, Any]] = [
        {
            "type": "image_url",
            "image_url": None if image.uuid in known else {"url": image.data_uri},
            "uuid": image.uuid,
        }
        for image in turn.images
    ]
    return [*parts, {"type": "text", "text": turn.text}]


def _lost(error: httpx.RequestError, url: str) -> Exception:
    """The error for a connection that failed, or an answer that broke off."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return ModelMisconfigured(
            f"The certificate of the model server at {url} cannot be trusted ({cause.verify_message}): name the file of "
            "the authority that signed it in vlm.ca_file, or mend the certificate"
        )
    if isinstance(cause, ssl.SSLError):
        return ModelMisconfigured(
            f"{url} does not speak TLS as expected ({cause.reason}): is it http instead of https? Correct vlm.url"
        )
    return ModelAway(
        f"The model server at {url} cannot be reached ({type(error).__name__}): start it with vouch vllm serve, or "
        "correct vlm.url"
    )


def _refusal(response: httpx.Response, endpoint: Endpoint) -> Exception:
    """The error for an answer that is none, by status (the table in docs/vllm.md)."""
    status, said = response.status_code, _message(response)
    if status in (401, 403):
        return ModelMisconfigured(
            f"The model server at {endpoint.url} refuses our key: set vlm.api_key_file to the file that it reads"
        )
    if status == 404:
        return ModelMisconfigured(
            f"The model server at {endpoint.url} has no model “{endpoint.served_model}”: {said}. Correct vlm.model"
        )
    if 300 <= status < 400:
        target = response.headers.get("location", "").partition("?")[0][:200] or "elsewhere"
        return ModelMisconfigured(
            f"The model server at {endpoint.url} redirects to {target}: set vlm.url to the address that it really has"
        )
    if status == 429:
        return ModelSlow(
            f"The model server at {endpoint.url} answers that there are too many requests (429): {said}. Lower "
            "vlm.in_flight, or raise the limit of what stands before it"
        )
    if status == 408 or status >= 500:
        failed = ModelFails if status == 500 else ModelAway
        return failed(f"The model server at {endpoint.url} failed ({status}): {said}. Look at its log")
    if any(words in said.lower() for words in _TOO_LONG):
        return ModelRefused(
            f"The page and its answer do not fit the model's context: {said}. Serve it with a larger --max-model-len"
        )
    return ModelRefused(f"The model server refuses the request ({status}): {said}")


def _message(response: httpx.Response) -> str:
    """What the server says, short: its body is text from outside."""
    try:
        node = _mapping(response)
    except ModelAway:
        text = " ".join(response.text[:2000].split())[:200]
        return "a web page, so a proxy answers in its place" if text[:1] == "<" else text or "without a word"
    error = node.get("error", node)
    said = cast("dict[str, Any]", error).get("message", "") if isinstance(error, dict) else error
    return " ".join(str(said)[:2000].split())[:300]


def _mapping(response: httpx.Response) -> dict[str, Any]:
    try:
        node = response.json()
    except (ValueError, RecursionError) as error:
        raise ModelAway(
            f"{response.request.url.host} does not answer in JSON: is it a vLLM server? Correct vlm.url"
        ) from error
    if not isinstance(node, dict):
        raise ModelAway(f"{response.request.url.host} does not answer as vLLM does: correct vlm.url")
    return cast("dict[str, Any]", node)


class _Model(BaseModel):
    id: str
    max_model_len: int | None = None


class _Models(BaseModel):
    data: list[_Model]


class _Logprob(BaseModel):
    bytes: list[int] | None = None
    # Rounding may bring the surest token a little above zero; a number beyond is no logarithm of a probability.
    logprob: Annotated[float, Le(0.001)]


class _Logprobs(BaseModel):
    content: list[_Logprob] | None = None


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _PromptDetails(BaseModel):
    cached_tokens: int | None = 0


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int | None = 0
    prompt_tokens_details: _PromptDetails | None = None


class _Completion(BaseModel):
    choices: Annotated[list[_Choice], Len(1)]
    usage: _Usage = _Usage()


def _reply(answered: _Answered) -> Reply:
    response = answered.response
    try:
        answer = _Completion.model_validate_json(response.content)
        choice, usage = answer.choices[0], answer.usage
        logprobs = (choice.logprobs.content if choice.logprobs else None) or []
        tokens = tuple(Token(bytes(token.bytes or ()), min(token.logprob, 0.0)) for token in logprobs)
    except ValueError as error:
        raise ModelAway(
            f"{response.request.url.host} does not answer as vLLM does: is it a vLLM server? Correct vlm.url"
        ) from error
    details = usage.prompt_tokens_details
    return Reply(
        text=choice.message.content or "",
        cut=choice.finish_reason == "length",
        tokens=tokens,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=(details.cached_tokens if details else 0) or 0,
        answer_tokens=usage.completion_tokens or 0,
        seconds=answered.seconds,
        sent_bytes=answered.sent_bytes,
        resent=answered.resent,
    )
