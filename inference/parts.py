"""Some pages of a PDF as a PDF of their own."""

from __future__ import annotations

import io

import pikepdf

from inference.errors import UnsupportedDocument


def part_of(data: bytes, first: int, last: int) -> bytes:
    """The pages `first` to `last`, from 1, without what is attached. Raises UnsupportedDocument for anything else."""
    try:
        with pikepdf.open(io.BytesIO(data)) as whole, pikepdf.new() as part:
            if not 1 <= first <= last <= len(whole.pages):
                raise UnsupportedDocument(
                    f"The document has {len(whole.pages)} pages; {first} to {last} are not among them.",
                    "pages",
                )
            part.pages.extend(whole.pages[first - 1 : last])
            out = io.BytesIO()
            part.save(out)
            return out.getvalue()
    except pikepdf.PdfError as error:
        raise UnsupportedDocument(f"Only PDFs can be split: {error}", "pages") from None
