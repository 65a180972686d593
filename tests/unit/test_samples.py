"""The sample documents: their truth adds up, stands on the page, and is the same each time."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import Any

import facturx
import pikepdf
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from PIL import Image

from inference.invoice import HEADER, LINE, VAT, DocumentType, Kind, Term, value_from_json
from tests.samples import company, degrade
from tests.samples.bill import CENT, ZERO, Bill, cents
from tests.samples.collection import dearer, look_alike, ordered, other_account, posted_again
from tests.samples.designs import DESIGNS, drawn, render
from tests.samples.designs.fapiao import in_words, line_taxes
from tests.samples.facturx_data import RAM
from tests.samples.fonts import FAMILIES, FontUnavailable, _file, font
from tests.samples.generate import TODAY, Sample, bad_inputs, samples, write
from tests.samples.printing import Printing
from tests.samples.random_bills import random_bill
from tests.samples.random_documents import KINDS, LANGUAGES, random_documents

try:
    for family in FAMILIES:
        font(family)
except FontUnavailable as missing:
    pytest.skip(str(missing), allow_module_level=True)

SEEDS = st.integers(min_value=0, max_value=10**9)
BILL_DESIGNS = sorted(set(DESIGNS) - {"reminder", "dunning", "purchase", "till"})
# Codes are not printed as such; the unit is printed as a word.
NOT_PRINTED = {"document_type", "currency", "unit", "vat_category"}


def test_truth_of_every_sample_is_typed_and_adds_up() -> None:
    for sample in samples():
        _assert_consistent(sample.truth)


@given(SEEDS)
def test_truth_of_random_bills_adds_up(seed: int) -> None:
    bill = random_bill(seed)
    _assert_consistent(bill.truth())
    assert bill == random_bill(seed)


@given(SEEDS, st.sampled_from(BILL_DESIGNS))
@settings(max_examples=60, deadline=None)
def test_random_bills_print_their_truth_legibly(seed: int, design: str) -> None:
    bill = random_bill(seed, design)
    _assert_printed(bill.truth(), Printing.of(bill), _text(render(bill)))
    _assert_legible(bill)


@given(SEEDS, st.sampled_from(LANGUAGES), st.sampled_from(KINDS))
@settings(max_examples=80, deadline=None)
def test_random_documents_of_every_language_and_kind_print_their_truth_legibly(
    seed: int, language: str, kind: str
) -> None:
    (document,) = random_documents(1, seed, languages=[language], kinds=[kind])
    assert document.truth["fields"]["document_type"] == kind
    _assert_consistent(document.truth)
    _assert_printed(document.truth, Printing.of(document.bill), _text(document.data))
    _assert_legible(document.bill)


@pytest.mark.parametrize("sample", [s for s in samples() if s.quality == "digital"], ids=lambda s: s.name)
def test_text_layer_has_every_value(sample: Sample) -> None:
    language = next(
        (v.language for v in map(company.vendor, company.vendor_ids()) if v.name == sample.truth["vendor"]),
        "en_GB",
    )
    text = _text(sample.data)
    currency = sample.truth["fields"]["currency"]
    styles = [Printing(language, currency, 0, style) for style in range(3)]
    issued = sample.truth["fields"]["issue_date"]
    habit = next(p for p in styles if _squeezed(_form(p, HEADER["issue_date"], issued)) in text)
    _assert_printed(sample.truth, habit, text)


def test_same_bytes_each_time_and_dates_follow_today() -> None:
    again = samples.__wrapped__(TODAY)
    assert [s.data for s in again] == [s.data for s in samples()]
    names = [s.filename for s in again]
    assert len(set(names)) == len(names)
    assert len({s.data for s in again}) == len(again)


def test_samples_agree_with_the_demo_company() -> None:
    known = {company.vendor(key).name for key in company.vendor_ids()}
    for sample in samples():
        assert (sample.truth["vendor"] in known) == (sample.name != "unknown_vendor")
    accounts = {company.vendor(key).account for key in company.vendor_ids()}
    assert other_account(TODAY).seller.account not in accounts
    again, first = posted_again("2026-0817", "2026-00817"), company.posted("2026-0817")
    assert (again.lines, again.issue_date) == (first.lines, first.issue_date)
    order = company.order("P00103")
    assert ordered(TODAY).lines == order.lines
    assert tuple(line.quantity for line in order.lines) == company.received("P00103")
    prices = {line.item_seller_id: line.net_price for line in company.order("P00102").lines}
    changed = [line for line in dearer(TODAY).lines if line.net_price != prices[line.item_seller_id]]
    assert [line.item_seller_id for line in changed] == ["ARB-20-300"]
    assert look_alike(TODAY).seller.name == "Nordlicht Elektrik GmbH"


def test_facturx_carries_what_the_page_says() -> None:
    sample = _sample("facturx")
    name, xml = facturx.get_xml_from_pdf(sample.data, check_xsd=True)
    root = etree.fromstring(xml)
    assert name == "factur-x.xml"
    assert facturx.get_level(root) == "en16931"
    fields = sample.truth["fields"]
    for tag, term in (
        ("GrandTotalAmount", "total_with_vat"),
        ("TaxTotalAmount", "total_vat"),
        ("IBANID", "payment_account"),
    ):
        assert root.findtext(f".//{{{RAM}}}{tag}") == fields[term]
    nets = [node.text for node in root.iter(f"{{{RAM}}}LineTotalAmount")]
    assert nets[:-1] == [line["line_net_amount"] for line in sample.truth["lines"]]


def test_multi_page_sample_is_long() -> None:
    sample = _sample("multi_page")
    assert len(pypdfium2.PdfDocument(sample.data)) == 3
    assert len(sample.truth["lines"]) >= 35
    assert "Übertrag" in _text(sample.data)


def test_degraded_samples_have_no_text_layer() -> None:
    assert not _text(_sample("german_scan").data)
    photo = Image.open(BytesIO(_sample("english_photo").data))
    ruined = Image.open(BytesIO(_sample("unreadable").data))
    assert photo.format == ruined.format == "JPEG"
    assert ruined.width < photo.width / 3


def test_degrading_depends_on_the_seed_only() -> None:
    page = render(random_bill(3, "boxed"))
    assert degrade.photo(page, 1) == degrade.photo(page, 1) != degrade.photo(page, 2)
    assert degrade.scan(page, 1) == degrade.scan(page, 1) != degrade.scan(page, 2)


def test_bad_inputs_are_as_bad_as_they_say() -> None:
    bad = {sample.name: sample for sample in bad_inputs()}
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(BytesIO(bad["encrypted"].data))
    for name in ("encrypted", "empty", "truncated", "html"):
        with pytest.raises(pypdfium2.PdfiumError):
            pypdfium2.PdfDocument(bad[name].data)
    huge = Image.open(BytesIO(bad["huge_image"].data))
    assert huge.width * huge.height == 60_000_000
    assert len(bad["huge_image"].data) < 50_000
    for name in ("spreadsheet", "archive"):
        assert zipfile.ZipFile(BytesIO(bad[name].data)).testzip() is None


def test_missing_fonts_are_named_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOUCH_CACHE", str(tmp_path))
    with pytest.raises(FontUnavailable, match=r"no-such-fonts.*apt-get update"):
        _file("no-such-fonts", "NoSuch.ttf")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FontUnavailable, match=r"no-such-fonts.*no apt"):
        _file("no-such-fonts", "NoSuch.ttf")


def test_written_files_carry_their_truth(tmp_path: Path) -> None:
    written = write(tmp_path)
    assert all(path.exists() for path in written)
    node = json.loads((tmp_path / "order_confirmation.truth.json").read_text(encoding="utf-8"))
    assert (node["expected"], node["target"], node["order"]) == ("fill", "order", "P00101")
    assert (tmp_path / node["filename"]).read_bytes() == _sample("order_confirmation").data


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("2250.96", "贰仟贰佰伍拾圆玖角陆分"), ("100000.00", "壹拾万圆整"), ("10203.04", "壹万零贰佰零叁圆零肆分"),
        ("1005.30", "壹仟零伍圆叁角整"), ("0.50", "零圆伍角整"), ("200030.00", "贰拾万零叁拾圆整"),
    ],
)  # fmt: skip
def test_amounts_in_chinese_words(amount: str, words: str) -> None:
    assert in_words(Decimal(amount)) == words


@given(SEEDS)
def test_line_taxes_of_a_fapiao_sum_to_its_tax(seed: int) -> None:
    bill = random_bill(seed, "fapiao")
    assert sum(line_taxes(bill)) == bill.total_vat


def _assert_consistent(truth: dict[str, Any]) -> None:
    fields = _numbers(truth["fields"], HEADER)
    lines = [_numbers(row, LINE) for row in truth["lines"]]
    rows = [_numbers(row, VAT) for row in truth["vat_breakdown"]]
    DocumentType(truth["fields"]["document_type"])
    if not lines or "total_with_vat" not in fields:
        assert all(line.keys() <= {"quantity"} for line in lines)
        return
    if "line_total_with_vat" in lines[0]:
        assert sum(line["line_total_with_vat"] for line in lines) == fields["total_with_vat"]
        taxes = (fields.get("total_without_vat", fields["total_with_vat"]), fields.get("total_vat", ZERO))
        assert sum(taxes) == fields["total_with_vat"]
        return
    if "total_without_vat" not in fields:
        assert (
            sum(line["line_net_amount"] for line in lines) - fields.get("discount_total", ZERO)
            == fields["total_with_vat"]
        )
        return
    places = Decimal(1) if truth["fields"]["currency"] == "TWD" else CENT
    for line in lines:
        kept = 1 - line.get("discount_percent", ZERO) / 100
        assert line["line_net_amount"] == cents(line["quantity"] * line["net_price"] * kept)
    nets = sum(line["line_net_amount"] for line in lines)
    assert nets - fields.get("discount_total", ZERO) == fields["total_without_vat"]
    assert sum(row["taxable_amount"] for row in rows) == fields["total_without_vat"]
    for row in rows:
        vat = row["taxable_amount"] * row["vat_rate"] / 100
        assert row["vat_amount"] == vat.quantize(places, ROUND_HALF_UP)
        at_rate = sum(line["line_net_amount"] for line in lines if line["vat_rate"] == row["vat_rate"])
        assert at_rate == row["taxable_amount"] or "discount_total" in fields
    assert sum(row["vat_amount"] for row in rows) == fields["total_vat"]
    assert fields["total_without_vat"] + fields["total_vat"] == fields["total_with_vat"]
    assert fields.get("amount_due", fields["total_with_vat"]) == fields["total_with_vat"]


def _numbers(values: dict[str, str], terms: Mapping[str, Term]) -> dict[str, Decimal]:
    """The amounts, quantities and rates; a name or value that no Term has raises."""
    typed = {name: value_from_json(terms[name].kind, text) for name, text in values.items()}
    return {name: value for name, value in typed.items() if isinstance(value, Decimal)}


def _assert_printed(truth: dict[str, Any], p: Printing, text: str) -> None:
    groups = [(HEADER, truth["fields"]), *((LINE, line) for line in truth["lines"])]
    for terms, values in [*groups, *((VAT, row) for row in truth["vat_breakdown"])]:
        for name in values.keys() - NOT_PRINTED:
            form = _form(p, terms[name], values[name])
            found = _squeezed(form) in text
            if terms[name].kind is Kind.TEXT and not found:
                # Text that wraps beside another column comes out of the text layer interleaved with it.
                found = all(_squeezed(word).strip(",") in text for word in form.split())
            assert found, f"{name} {values[name]!r} is not printed as {form!r}"


def _form(p: Printing, term: Term, value: str) -> str:
    """The value as it must be printed."""
    typed = value_from_json(term.kind, value)
    if isinstance(typed, str):
        return typed
    if isinstance(typed, Decimal):
        kinds = {Kind.AMOUNT: p.amount, Kind.QUANTITY: p.quantity, Kind.PERCENT: p.percent}
        return p.price(typed) if term.name == "net_price" else kinds[term.kind](typed)
    return p.day(typed)


def _assert_legible(bill: Bill) -> None:
    """No two lines of text on a page touch, and none leaves the paper."""
    paper = drawn(bill)
    for box in paper.boxes:
        assert box.x0 >= 3, box
        assert box.x1 <= paper.width - 3, box
        assert 3 <= box.y0 <= box.y1 <= paper.height - 2, box
    for one, two in combinations([box for box in paper.boxes if box.words.strip()], 2):
        apart = (
            one.page != two.page
            or one.x1 <= two.x0
            or two.x1 <= one.x0
            or one.y1 <= two.y0
            or two.y1 <= one.y0
        )
        assert apart, (one, two)


def _text(pdf: bytes) -> str:
    """The text layer without white space."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return _squeezed("".join(page.get_textpage().get_text_range() for page in document))
    finally:
        document.close()


def _squeezed(text: str) -> str:
    """Without white space and hyphens: pdfium replaces the hyphen at the end of a line."""
    return "".join(c for c in text if not c.isspace() and c not in "-\u2010\u00ad\ufffe\x02")


def _sample(name: str) -> Sample:
    return next(sample for sample in samples() if sample.name == name)
