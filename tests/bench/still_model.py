"""A model server that takes a fixed time for an answer and next to no processor: ``still_model.py SECONDS ANSWER``.

Prints its port, then answers every POST with the file ANSWER, SECONDS after the last byte of the question. From the
standard library alone, so that it starts at once and costs the machine nothing while a client is measured.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path


async def main() -> None:
    """Serve until killed."""
    seconds, answer = float(sys.argv[1]), Path(sys.argv[2]).read_bytes()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
    )

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while question := await _head(reader):
            length = next(int(line[15:]) for line in question if line.startswith(b"content-length:"))
            await reader.readexactly(length)
            await asyncio.sleep(seconds)
            writer.write(head + answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=1 << 22)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _head(reader: asyncio.StreamReader) -> list[bytes]:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return []


if __name__ == "__main__":
    asyncio.run(main())
