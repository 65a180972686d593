"""Documents in, Readings out, where a model server is set: the sandbox opens, reads and draws; the model reads too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from inference.invoice import Check, Reading, Status
from inference.readers.vlm.reader import Sheet, VisionReader, sheets_to_ask
from inference.vllm.errors import ModelAway

if TYPE_CHECKING:
    from inference.isolation import Opened, PageView, Sandbox
    from inference.readers import Recipient

Fallback = Literal["wait", "layout"]
"""What to do while the server is away: leave the document for later, or take what the layout Reader finds alone."""


class VisionDesk:
    """A Sandbox and a VisionReader as one. E-invoices are not shown to the model: their data is the Reading."""

    def __init__(self, sandbox: Sandbox, reader: VisionReader, fallback: Fallback = "wait") -> None:
        self._sandbox, self._reader, self._fallback = sandbox, reader, fallback

    def read(self, data: bytes, name: str, recipient: Recipient | None = None) -> tuple[Opened, Reading]:
        """Open and read a document. Raises what `Sandbox.read` raises, ModelMisconfigured, and ModelAway where the
        document is to wait."""
        policy = self._reader.endpoint.profile.image
        opened, reading, pages = self._sandbox.view(data, name, recipient, policy, _wanted)
        sheets = [Sheet(page.number, page.tokens, page.png) for page in pages]
        if not any(sheet.png for sheet in sheets):
            return opened, reading
        try:
            read = self._reader.read(
                sheets, reading, lambda page, box: self._sandbox.crop(data, name, page, box, policy)
            )
        except ModelAway as error:
            if self._fallback != "layout":
                raise
            return opened, without_model(reading, str(error))
        return opened, read

    def shown(self, data: bytes, name: str, reading: Reading) -> Reading:
        """As `Sandbox.shown`: a model may have been told by the page what to see."""
        return self._sandbox.shown(data, name, reading)


def without_model(reading: Reading, why: str) -> Reading:
    """The layout Reading of a document that the model should have read too, which says so."""
    said = Check("model", Status.NOT_APPLICABLE, f"Read without the model, as the settings allow: {why}")
    return replace(reading, checks=(*reading.checks, said))


def _wanted(reading: Reading, pages: Sequence[PageView]) -> tuple[int, ...]:
    return sheets_to_ask(reading, [Sheet(page.number, page.tokens) for page in pages])
