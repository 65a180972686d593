"""Training data: off unless allowed, of the form that the vision Reader asks in, the same each time, with secrets out."""

from __future__ import annotations

import hashlib
import json
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from connector.commands.export import export_training
from connector.errors import FatalError, SettingsError
from connector.ledger.learning import Learning
from connector.ledger.records import CorrectionRecord
from connector.training.redaction import secret_boxes, without_secrets
from inference.document import open_document
from inference.isolation import PageView
from inference.readers.vlm.answer import parse_answer
from inference.readers.vlm.prompt import prompt
from inference.readers.vlm.schema import Part
from mappings.lessons import Compared
from tests.review_ledger import NOW, Desk, fill


def settings_file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "vouch.toml"
    file.write_text(f'data_dir = "{tmp_path}"\n[training]\n{text}')
    return file


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """One filled bill was posted as proposed, two were approved, one of these with a box drawn, one with a typed value."""
    desk = fill(tmp_path)
    learning = Learning(desk.ledger.engine, desk.clock)
    kept = learning.kept(desk.ids["filled"])
    assert kept
    assert learning.learn("main", desk.ids["filled"], kept, Compared(7, "Acme", (), (), ()))
    with Session(desk.ledger.engine) as session, session.begin():
        from connector.ledger.records import Review

        for job_id in (1, 2, 3):
            review = session.query(Review).filter_by(job_id=job_id).one()
            review.settled_at, review.verdict = NOW, "approve"
        # Where `draw_bill` prints the date, for the number.
        box = [160 / 595.3 - 0.01, (841.9 - 636) / 841.9, 0.5, (841.9 - 622) / 841.9]
        common = {"before": "x", "after": "y", "actor": "Ana", "at": NOW}
        session.add(
            CorrectionRecord(job_id=2, target="ref", term="invoice_number", page=1, box=box, **common)
        )
        session.add(CorrectionRecord(job_id=3, target="ref", term="invoice_number", **common))
    return desk


def test_it_is_off_unless_the_owner_allows_it(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="allow_export"):
        export_training(tmp_path / "out", None, False, settings_file(tmp_path, ""))
    assert not (tmp_path / "out").exists()


def test_what_is_written_reads_back_as_the_reader_asks_and_twice_the_same(desk: Desk, tmp_path: Path) -> None:
    config = settings_file(tmp_path, "allow_export = true\n")
    for name in ("one", "two"):
        assert export_training(tmp_path / name, None, True, config) == 0
    first, second = ({file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()} for folder in (tmp_path / "one", tmp_path / "two"))  # fmt: skip
    assert first == second
    manifest = json.loads(first[Path("manifest.json")])
    assert (manifest["documents"], manifest["pages"], manifest["skipped"]) == (3, 3, {"corrected_by_hand": 1})
    assert {name: hashlib.sha256(first[Path(name)]).hexdigest() for name in manifest["files"]} == manifest[
        "files"
    ]
    answers = {}
    for line in first[Path("training.jsonl")].decode().splitlines():
        node = json.loads(line)
        question, answer = node["messages"]
        assert question == {"role": "user", "content": "<image>" + prompt(Part.ALL, "en")}
        answers[node["id"]] = parse_answer(answer["content"], Part.ALL)
        with Image.open(BytesIO(first[Path(node["images"][0])])) as picture:
            assert picture.size == (1120, 1120)
    posted = answers[f"{desk.ids['filled']}-1"]
    assert posted.header["invoice_number"] == "ACME-2044"
    assert posted.header["total_with_vat"] == "1190.00"
    assert [line["item_seller_id"] for line in posted.lines] == ["A-100", "A-205"]
    # The words in the box that a person drew, not what was read.
    assert answers["2-1"].header["invoice_number"] == "2025-02-28"
    # The account stands neither in the answer nor on the picture.
    assert "payment_account" not in posted.header
    assert darkness(first[Path(f"images/{desk.ids['filled']}-1.png")]) > 0.5


def darkness(png: bytes) -> float:
    """The share of black where `draw_bill` prints the account to pay to."""
    with Image.open(BytesIO(png)) as picture:
        scale = 1120 / 841.9
        box = (int(137 * scale), int((841.9 - 408) * scale), int(255 * scale), int((841.9 - 398) * scale))
        pixels = list(picture.convert("L").crop(box).tobytes())
    return sum(value < 40 for value in pixels) / len(pixels)


def test_without_redaction_and_with_a_vendor_left_out(desk: Desk, tmp_path: Path) -> None:
    config = settings_file(
        tmp_path, 'allow_export = true\nredact = false\nwithout_vendors = ["nordwind logistik gmbh"]\n'
    )
    assert export_training(tmp_path / "out", None, False, config) == 0
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["skipped"] == {"corrected_by_hand": 1, "vendor_left_out": 1}
    text = (tmp_path / "out/training.jsonl").read_text()
    assert "DE89370400440532013000" in text
    assert darkness((tmp_path / f"out/images/{desk.ids['filled']}-1.png").read_bytes()) < 0.5
    with pytest.raises(FatalError, match="not empty"):
        export_training(tmp_path / "out", None, False, config)


@pytest.mark.parametrize(
    ("printed", "left"),
    [
        ("IBAN DE89 3704 0044 0532 0130 00 BIC", "IBAN BIC"),
        ("write to ana.ruiz@example.com now", "write to now"),
        ("call +49 40 123456-0 or", "call or"),
        ("RE-2025-0187", "RE-2025-0187"),
    ],
)
def test_secrets_are_taken_out_of_texts(printed: str, left: str) -> None:
    assert without_secrets({"payment_terms": printed}) == {"payment_terms": left}


def test_secrets_on_a_page_are_found_by_their_form() -> None:
    from reportlab.pdfgen.canvas import Canvas

    out = BytesIO()
    canvas = Canvas(out)
    for at, text in enumerate(("Contact: Ana Ruiz", "Tel. 040 123456", "mail ana@example.com", "Quantity 12 pieces", "Frau Petra Maria Klein 12")):  # fmt: skip
        canvas.drawString(60, 700 - 40 * at, text)
    canvas.save()
    tokens = tuple(open_document(out.getvalue(), "x.pdf").pages[0].tokens)
    boxes = set(secret_boxes(PageView(1, tokens)))
    hidden = [token.text for token in tokens if token.box in boxes]
    assert hidden == ["Ana", "Ruiz", "040", "123456", "ana@example.com", "Petra", "Maria", "Klein"]
