"""What goes over the pipe between a sandbox and its process: a JSON object and raw bytes, each with its length."""

from __future__ import annotations

import json
import struct
from typing import IO, Any, cast

_LENGTHS = struct.Struct(">II")
# A Reading of a thousand lines has under 5 MB, a page for the screen under 1 MB, a document what the settings allow.
MOST_JSON = 64_000_000
MOST_BYTES = 2_000_000_000


def send(stream: IO[bytes], message: dict[str, Any], data: bytes = b"") -> None:
    """Write one frame. Raises BrokenPipeError where nobody listens."""
    text = json.dumps(message).encode()
    stream.write(_LENGTHS.pack(len(text), len(data)))
    stream.write(text)
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes], most_bytes: int = MOST_BYTES) -> tuple[dict[str, Any], bytes]:
    """Read one frame. Raises EOFError where the other side is gone, ValueError for what is no frame."""
    text_length, data_length = _LENGTHS.unpack(_exactly(stream, _LENGTHS.size))
    if text_length > MOST_JSON or data_length > most_bytes:
        raise ValueError("a frame beyond its limits")
    message: Any = json.loads(_exactly(stream, text_length))
    if not isinstance(message, dict):
        raise ValueError("a frame without an object")
    return cast("dict[str, Any]", message), _exactly(stream, data_length)


def _exactly(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError("the other side is gone")
    return data
