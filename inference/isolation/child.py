"""The process that opens and reads documents: one request after another over its standard input and output."""

from __future__ import annotations

import os
import sys
import traceback
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

from inference.document import Document, open_document
from inference.errors import DamagedDocument, DocumentError, OversizedDocument
from inference.invoice import Box, Reading
from inference.isolation import confinement
from inference.isolation.frames import receive, send
from inference.page import Limits
from inference.readers import Hint, Recipient
from inference.reading import make_readers, read_document

if TYPE_CHECKING:
    from PIL.Image import Image

    from inference.page import Token

Answer = tuple[dict[str, Any], bytes]
ADDRESSED_MEGABYTES = 2000
"""Address space beyond what may be in memory: recognition asks for 2,000 and uses 800. It stops at once what asks for
too much in one piece; what grows is stopped by the `Watch` on the other side."""


def main() -> None:
    """Confine this process, say hello, then answer until the other side closes the pipe."""
    requests, replies = _private_pipes()
    settings, _ = receive(requests)
    limits = Limits(**settings["limits"])
    readers = make_readers(settings["reader"])
    # What is imported until now is our own code, whose byte code may be kept; no file is written from here on.
    sys.dont_write_bytecode = True
    confinement.limit_resources(limits.memory_megabytes + ADDRESSED_MEGABYTES)
    gaps = confinement.confine()
    send(replies, {"open_to_network": gaps.network, "open_files": gaps.files})
    desk = _Desk(limits, readers)
    while True:
        try:
            request, data = receive(requests)
        except EOFError:
            return
        confinement.limit_cpu(limits.seconds)
        try:
            send(replies, *desk.answer(request, data))
        except BrokenPipeError:
            return


def _private_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Standard input and output for the requests alone: what libraries print goes to standard error."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, replies


class _Desk:
    """Answers requests. Keeps the document opened last, since a screen asks for one page after another."""

    def __init__(self, limits: Limits, readers: Any) -> None:
        self._limits, self._readers = limits, readers
        self._last: tuple[bytes, Document] | None = None

    def answer(self, request: dict[str, Any], data: bytes) -> Answer:
        """The reply to one request, or what is wrong with the document."""
        if request["ask"] == "memory":
            return {"megabytes": confinement.peak_megabytes()}, b""
        try:
            document = self._opened(data, request["name"])
            return getattr(self, f"_{request['ask']}")(document, request)
        except MemoryError:
            self._last = None
            return _error(OversizedDocument(self._limits.too_much_memory))
        except RecursionError:
            return _error(DamagedDocument("The document is nested without end. Ask the sender for it again."))
        except DocumentError as error:
            return _error(error)
        except Exception as error:
            # Without the message and values of the error, which are what the document says.
            frames = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)
            ]
            return {"error": "defect", "message": type(error).__name__, "frames": frames}, b""

    def _opened(self, data: bytes, name: str) -> Document:
        if self._last is None or self._last[0] != data or self._last[1].name != name:
            self._last = None
            self._last = data, open_document(data, name, self._limits)
        return self._last[1]

    def _read(self, document: Document, request: dict[str, Any]) -> Answer:
        known: dict[str, Any] = request["recipient"]
        names, tax_ids, accounts = (tuple(known[name]) for name in ("names", "tax_ids", "accounts"))
        hints = tuple(
            Hint(hint["term"], hint["label"], tuple(hint["sellers"]), hint["sure"]) for hint in known["hints"]
        )
        recipient = Recipient(names, tax_ids, accounts, known["country"], hints)
        reading = read_document(document, recipient, self._readers)
        return {"opened": _opened(document), "reading": reading.as_json()}, b""

    def _shown(self, document: Document, request: dict[str, Any]) -> Answer:
        from inference.shown import looked_at

        return {"reading": looked_at(Reading.from_json(request["reading"]), document).as_json()}, b""

    def _open(self, document: Document, _: dict[str, Any]) -> Answer:
        return {"opened": _opened(document)}, b""

    def _picture(self, document: Document, request: dict[str, Any]) -> Answer:
        number: int = request["page"]
        long_side: int = request["long_side"]
        if not 1 <= number <= len(document.pages):
            return {"there": False}, b""
        page = document.pages[number - 1]
        dpi = max(1, min(300, int(long_side * 72 / max(page.width, page.height, 1))))
        return {"there": True}, webp(page.image(dpi), long_side, request["most_bytes"])

    def _words(self, document: Document, _: dict[str, Any]) -> Answer:
        return {"pages": [[_token(token) for token in page.tokens] for page in document.pages]}, b""

    def _words_of(self, document: Document, request: dict[str, Any]) -> Answer:
        number: int = request["page"]
        if not 1 <= number <= len(document.pages):
            return {"there": False}, b""
        return {"there": True, "words": [_token(token) for token in document.pages[number - 1].tokens]}, b""

    def _part(self, _document: Document, request: dict[str, Any]) -> Answer:
        from inference.parts import part_of

        data = self._last[0] if self._last else b""
        return {}, part_of(data, request["first"], request["last"])

    def _model_image(self, document: Document, request: dict[str, Any]) -> Answer:
        from inference.vllm.images import ImagePolicy, page_image

        number: int = request["page"]
        if not 1 <= number <= len(document.pages):
            return {"there": False}, b""
        box = Box(*request["box"]) if request["box"] else None
        policy = ImagePolicy(**request["policy"])
        covered = [Box(*place) for place in request["covered"]]
        return {"there": True}, page_image(document.pages[number - 1], policy, box, covered).png


def webp(image: Image, long_side: int, most_bytes: int) -> bytes:
    """WebP of at most `most_bytes`: first less quality, then, for noisy scans, fewer pixels."""
    image = image.convert("RGB")
    image.thumbnail((long_side, long_side))
    while True:
        for quality in (80, 60, 40):
            out = BytesIO()
            image.save(out, "WEBP", quality=quality, method=4)
            if out.tell() <= most_bytes:
                return out.getvalue()
        image = image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)))


def _token(token: Token) -> list[Any]:
    return [token.text, *(round(side, 6) for side in token.box), round(token.score, 4)]


def _opened(document: Document) -> dict[str, Any]:
    return {
        "sha256": document.sha256,
        "mime": document.mime,
        "origin": document.origin.value,
        # The size of a page that needs recognition is known once it is turned upright.
        "sizes": [None if page.ocr else (page.width, page.height) for page in document.pages],
    }


def _error(error: DocumentError) -> Answer:
    return {"error": type(error).__name__, "message": str(error)}, b""


if __name__ == "__main__":
    sys.exit(main())
