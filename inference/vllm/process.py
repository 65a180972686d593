"""The model server as a child process: started, waited for, warmed up, watched, and ended with us."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from inference.environment import for_others
from inference.vllm.client import Client, Endpoint, Turn
from inference.vllm.errors import ModelError
from inference.vllm.images import PAPER, encode
from inference.vllm.leash import held
from inference.vllm.serving import KEY_VARIABLE, Plan

START_SECONDS = 3600.0
"""The first start fetches the weights: 28 GB for GLM-4v-9b."""
WATCH_SECONDS, MOST_SILENT = 10.0, 3
END_SECONDS = 60.0
_WARM_TOKENS = 8
_ANYTHING: Mapping[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


class ServerError(Exception):
    """The server cannot be started, or does not come up; the message says why and what helps."""


def executable() -> str:
    """The program `vllm`: beside this Python, else on the path. Raises ServerError."""
    beside = Path(sys.executable).with_name("vllm")
    found = str(beside) if beside.exists() else shutil.which("vllm")
    if found is None:
        raise ServerError(
            "vLLM is not installed here. On the machine with the card: pip install 'vouch[vllm]', or run the image that "
            "docs/vllm.md names"
        )
    return found


def serve(plan: Plan, endpoint: Endpoint, say: Callable[[str], None]) -> int:
    """Run the server in the foreground until a signal or its own end; its exit code, 0 after a signal.

    Its log goes where ours goes. One that stops answering is ended, with exit code 1, so that whatever supervises us
    starts it again. Raises ServerError.
    """
    stopping = threading.Event()
    with _signals(stopping), _child(plan, endpoint.key) as child:
        if not _came_up(child, endpoint, stopping):
            return 0 if stopping.is_set() else _ended(child)
        _warm_up(endpoint)
        say(f"{endpoint.profile.title} is ready at {endpoint.url}")
        silent = 0
        while not stopping.wait(WATCH_SECONDS):
            if child.poll() is not None:
                return _ended(child)
            silent = 0 if _healthy(endpoint) else silent + 1
            if silent >= MOST_SILENT:
                say(
                    f"The server at {endpoint.url} has not answered for {silent * WATCH_SECONDS:.0f} seconds: ending it"
                )
                return 1
    return 0


def _ended(child: subprocess.Popen[bytes]) -> int:
    raise ServerError(
        f"vLLM ended by itself with exit code {child.returncode}; its log above says why. Too little memory: another "
        "program uses the card (nvidia-smi), or --gpu-memory is more than it has"
    )


@contextmanager
def _signals(stopping: threading.Event) -> Generator[None]:
    def stop(sign: int, frame: object) -> None:  # noqa: ARG001
        stopping.set()

    before = {sign: signal.signal(sign, stop) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


@contextmanager
def _child(plan: Plan, key: str) -> Generator[subprocess.Popen[bytes]]:
    # The server runs code that comes with models.
    variables = {**for_others(), **plan.environment} | ({KEY_VARIABLE: key} if key else {})
    child = held([executable(), *plan.arguments], variables)
    try:
        yield child
    finally:
        # The engine is a process of its own, which must not keep the card.
        _signal_group(child, signal.SIGTERM)
        try:
            child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            _signal_group(child, signal.SIGKILL)
            child.wait()
        if child.stdin:
            child.stdin.close()


def _signal_group(child: subprocess.Popen[bytes], sign: signal.Signals) -> None:
    try:
        os.killpg(child.pid, sign)
    except ProcessLookupError:
        return  # all of them are gone


def _came_up(child: subprocess.Popen[bytes], endpoint: Endpoint, stopping: threading.Event) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while not stopping.wait(0.5) and child.poll() is None:
        if _healthy(endpoint):
            return True
        if time.monotonic() > deadline:
            raise ServerError(
                f"vLLM did not come up within {START_SECONDS / 60:.0f} minutes; its log says where it is"
            )
    return False


def _healthy(endpoint: Endpoint) -> bool:
    try:
        return httpx.get(f"{endpoint.url}/health", timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _warm_up(endpoint: Endpoint) -> None:
    """Ask once about an empty page: the first answer of a server takes seconds longer than the others.

    Raises ServerError where the server does not take our requests.
    """
    side = endpoint.profile.image.square or 448
    image = encode(Image.new("RGB", (side, side), PAPER), endpoint.profile.image)

    async def ask() -> None:
        client = Client(endpoint)
        try:
            await client.check()
            await client.ask([Turn("user", "{}", (image,))], _ANYTHING, _WARM_TOKENS)
        finally:
            await client.close()

    try:
        asyncio.run(ask())
    except ModelError as error:
        raise ServerError(f"The server came up but does not answer our requests: {error}") from error
