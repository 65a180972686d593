"""A ledger with documents in every state, for the tests of the review app: real PDFs, Readings with real boxes."""

from __future__ import annotations

import atexit
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from connector.erp.port import BILL, ORDER, Attachment, Poll, SyncCursor
from connector.ledger.documents import DocumentStore
from connector.ledger.migrate import open_ledger
from connector.ledger.records import EffectRecord, ReviewSummary
from connector.ledger.states import JobState
from connector.review.deps import ReviewDeps
from inference.document import open_document
from inference.invoice import Check, Evidence, Field, Reading, Status
from inference.isolation import Sandbox
from mappings.policy import Decision, Outcome
from mappings.proposal import Match, Proposal, ProposedValue, Totals

if TYPE_CHECKING:
    from pathlib import Path

    from connector.ledger.records import Job
    from connector.ledger.store import Ledger

NOW = datetime(2025, 3, 14, 9, 30, tzinfo=UTC)
SANDBOX = Sandbox()
"""Draws pages for all tests, in one process that ends with them."""
atexit.register(SANDBOX.close)
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}} \u202egnp.exe\u200b"


@dataclass(frozen=True)
class Clock:
    """A clock that stands still until it is moved."""

    at: list[datetime] = field(default_factory=lambda: [NOW - timedelta(days=12)])

    def __call__(self) -> datetime:
        return self.at[0]

    def move(self, **by: float) -> None:
        self.at[0] += timedelta(**by)


@dataclass(frozen=True)
class Desk:
    """The dependencies of an app over a filled ledger, and which job is which."""

    deps: ReviewDeps
    ledger: Ledger
    documents: DocumentStore
    clock: Clock
    ids: dict[str, int]


def fill(folder: Path) -> Desk:
    """Twelve documents to review and one or more in every other state."""
    clock = Clock()
    ledger = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
    ledger._clock = clock
    documents = DocumentStore(folder / "documents")
    desk = Desk(
        ReviewDeps(
            ledger=ledger,
            documents=documents,
            record_url=_record_url,
            backends={"main": timedelta(minutes=5)},
            sandbox=SANDBOX,
            clock=clock,
        ),
        ledger,
        documents,
        clock,
        {},
    )
    for at, (vendor, number, amount, currency, reasons) in enumerate(_REVIEWS):
        name = f"review{at + 1}"
        job = _discover(desk, name, f"{number}.pdf", ORDER if "order" in reasons[0] else BILL)
        bill_pdf = draw_bill(vendor, number, amount, currency)
        reading_id, reading = _read(desk, job, bill_pdf)
        _propose(desk, job, reading_id, reading, reasons)
        _write(
            desk,
            job,
            JobState.IN_REVIEW,
            "doubtful",
            ReviewSummary(number, vendor, amount, currency, 1, "Our Company", (_TOPICS[at],), number),
            reasons,
        )
        clock.move(hours=23)
    job = _discover(desk, "filled", "ACME-2044.pdf")
    reading_id, reading = _read(desk, job, draw_bill("Acme Metals Ltd", "ACME-2044", "1190.00", "EUR"))
    _propose(desk, job, reading_id, reading, ())
    _write(desk, job, JobState.FILLED, "sure", None, ())
    job = _discover(desk, "failed", "broken.pdf")
    ledger.keep_document(job, documents.put(b"%PDF-1.7\n truncated"))
    ledger.finish(job, JobState.FAILED, "damaged", "The PDF is damaged. Ask the sender for it again.")
    job = _discover(desk, "skipped", "newsletter.pdf")
    ledger.finish(job, JobState.SKIPPED, "no_bill", "This is not a bill.")
    job = _discover(desk, "hostile", f"{HOSTILE}.pdf")
    reading_id, reading = _read(desk, job, draw_bill("X", "1", "1.00", "EUR"), vendor=HOSTILE)
    _propose(desk, job, reading_id, reading, (HOSTILE,))
    _write(
        desk, job, JobState.IN_REVIEW, "doubtful", ReviewSummary("1", HOSTILE, "n/a", "€"), (HOSTILE, "More.")
    )
    _remember(desk, "queued", "tomorrow.pdf", BILL)
    clock.at[0] = NOW
    ledger.remember("main", Poll((), SyncCursor(NOW, 99)))
    return desk


def _record_url(backend: str, model: str, number: int) -> str:
    return f"http://127.0.0.1:9/{backend}/{model}/{number}"


def draw_bill(vendor: str, number: str, total: str, currency: str) -> bytes:
    """A born-digital bill of one page whose words can be found again."""
    out = BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.setFont("Helvetica-Bold", 20)
    canvas.drawString(60, 770, vendor)
    canvas.setFont("Helvetica", 10)
    for at, text in enumerate(("12 Harbour Road", "20457 Hamburg", "VAT DE136695976")):
        canvas.drawString(60, 750 - 14 * at, text)
    canvas.setFont("Helvetica-Bold", 14)
    canvas.drawString(60, 660, "INVOICE")
    canvas.setFont("Helvetica", 10)
    for at, (label, text) in enumerate((("Number", number), ("Date", "2025-02-28"), ("Due", "2025-03-30"))):
        canvas.drawString(60, 640 - 14 * at, label)
        canvas.drawString(160, 640 - 14 * at, text)
    net = (Decimal(total) / Decimal("1.19")).quantize(Decimal("0.01"))
    each = (net / 4).quantize(Decimal("0.01"))
    rows = [
        ("Pos", "Article", "Description", "Quantity", "Price", "VAT", "Amount"),
        ("1", "A-100", "Bearing housing, cast", "3", f"{each}", "19", f"{each * 3}"),
        ("2", "A-205", "Shaft seal", "1", f"{net - each * 3}", "19.00", f"{net - each * 3}"),
    ]
    for at, row in enumerate(rows):
        for x, text in zip((60, 90, 150, 330, 390, 450, 490), row, strict=True):
            canvas.drawString(x, 570 - 18 * at, text)
    for at, (label, amount) in enumerate(
        (("Net", net), ("VAT", Decimal(total) - net), ("Total", Decimal(total)))
    ):
        canvas.drawString(390, 490 - 16 * at, label)
        canvas.drawRightString(545, 490 - 16 * at, f"{amount:.2f}")
    canvas.drawString(60, 400, "Please pay to DE89370400440532013000 in " + currency)
    canvas.save()
    return out.getvalue()


_REVIEWS: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    (
        "Nordwind Logistik GmbH",
        "RE-2025-0187",
        "2380.00",
        "EUR",
        (
            "The bank account DE89 3704 0044 0532 0130 00 is not known for this vendor. Ask before you pay.",
            "The due date could be 30 March or 14 April.",
        ),
    ),
    ("Beaulieu Papeterie SARL", "F2025-311", "148.75", "EUR", ("Two vendors have this name: choose one.",)),
    (
        "Harbour Office Supplies",
        "104877",
        "64.26",
        "GBP",
        ("This bill may be a duplicate of BILL/2025/02/0031.",),
    ),
    (
        "Shenzhen Hualong Electronics Co., Ltd.",
        "HL-88213",
        "118405.12",
        "CNY",
        ("The order P00041 has 400 pieces, the confirmation 380.",),
    ),
    (
        "Müller & Söhne Präzisionswerkzeuge AG",
        "2025/1183",
        "19873.00",
        "CHF",
        ("No tax of 7.7 % is set up in Odoo.",),
    ),
    (
        "Kestrel Energy plc",
        "K-55120",
        "1204.43",
        "GBP",
        ("The lines add up to 1,104.43 and not to 1,204.43.",),
    ),
    ("Yamato Parts K.K.", "YP-2291", "55000", "JPY", ("The vendor is not in Odoo yet.",)),
    ("Atelier Roche", "2025-09", "-95.20", "EUR", ("A credit note: the invoice it corrects was not found.",)),
    ("Blue Fern Catering", "BFC 331", "312.97", "EUR", ("The currency is not printed; EUR is a guess.",)),
    ("Rheinwerk Druck", "D-10092", "880.60", "EUR", ("The VAT id DE 811 was not readable.",)),
    ("Ostsee Spedition", "OS-7781", "431.97", "EUR", ("The total was corrected by hand on the page.",)),
)


_TOPICS = (
    "bank_account_known",
    "vendor_unique",
    "duplicate",
    "order_line",
    "tax_known",
    "reading.lines_sum",
    "vendor_known",
    "low_confidence:ref",
    "low_confidence:currency_id",
    "reading.seller_vat_id",
    "low_confidence:invoice_date_due",
)


def _remember(desk: Desk, name: str, file: str, model: str) -> None:
    number = len(desk.ids) + 1
    desk.ids[name] = number
    found = Attachment(
        "main", number, f"{number:040x}", file, "application/pdf", 4711, model, 40 + number, desk.clock()
    )
    desk.ledger.remember("main", Poll((found,), SyncCursor(desk.clock(), number)))


def _discover(desk: Desk, name: str, file: str, model: str = BILL) -> Job:
    _remember(desk, name, file, model)
    job = desk.ledger.claim("worker-1", ["main"])
    assert job is not None
    desk.ids[name] = job.id
    desk.clock.move(seconds=4)
    return job


def _read(desk: Desk, job: Job, pdf: bytes, vendor: str = "") -> tuple[int, Reading]:
    desk.ledger.keep_document(job, desk.documents.put(pdf))
    reading = read_bill(pdf, vendor)
    return desk.ledger.keep_reading(job, "layout", "1", reading.as_json()), reading


def read_bill(pdf: bytes, vendor: str = "") -> Reading:
    """A Reading of `draw_bill` whose Evidence are the words of the page."""
    tokens = list(open_document(pdf, "bill.pdf").pages[0].tokens)

    def after(label: str, nth: int = 0) -> tuple[str, Evidence]:
        at = [i for i, token in enumerate(tokens) if token.text == label][nth] + 1
        return tokens[at].text, Evidence(1, tokens[at].box, tokens[at].text)

    def cells(first: str) -> list[tuple[str, Evidence]]:
        at = next(i for i, token in enumerate(tokens) if token.text == first)
        y = tokens[at].box.y0
        row = [
            token for token in tokens if abs(token.box.y0 - y) < 0.008 and token.box.x0 >= tokens[at].box.x0
        ]
        return [
            (token.text, Evidence(1, token.box, token.text)) for token in sorted(row, key=lambda t: t.box.x0)
        ]

    top = min(token.box.y0 for token in tokens)
    name = [token for token in tokens if abs(token.box.y0 - top) < 0.012]
    box = name[0].box
    for token in name[1:]:
        box = box.union(token.box)
    printed = " ".join(token.text for token in name)
    number, number_at = after("Number")
    issued, issued_at = after("Date")
    due, due_at = after("Due")
    net, net_at = after("Net")
    vat, vat_at = after("VAT", -1)
    total, total_at = after("Total")
    account, account_at = after("to")
    currency, currency_at = after("in")
    lines = []
    for article in ("A-100", "A-205"):
        row = cells(article)
        (code, code_at), *words = row
        amount, rate, price, quantity = words[-1], words[-2], words[-3], words[-4]
        described = words[:-4]
        whole = described[0][1].box
        for _, one in described[1:]:
            whole = whole.union(one.box)
        text = " ".join(word for word, _ in described)
        lines.append(
            {
                "item_seller_id": Field(code, 0.97, (code_at,)),
                "item_name": Field(text, 0.93, (Evidence(1, whole, text),)),
                "quantity": Field(Decimal(quantity[0]), 0.98, (quantity[1],)),
                "net_price": Field(Decimal(price[0]), 0.96, (price[1],)),
                "vat_rate": Field(
                    Decimal(rate[0]), 0.72, (rate[1],), note="The rate is printed without a sign."
                ),
                "line_net_amount": Field(Decimal(amount[0]), 0.99, (amount[1],)),
            }
        )
    fields = {
        "document_type": Field("invoice", 0.99),
        "seller_name": Field(vendor or printed, 0.94, (Evidence(1, box, printed),)),
        "seller_vat_id": Field("DE136695976", 0.995, (after("VAT")[1],)),
        "invoice_number": Field(number, 0.97, (number_at,)),
        "issue_date": Field(date.fromisoformat(issued), 0.98, (issued_at,)),
        "due_date": Field(
            date.fromisoformat(due), 0.61, (due_at,), note="30 March or 14 April could be meant."
        ),
        "currency": Field(currency, 0.96, (currency_at,)),
        "payment_account": Field(account, 0.41, (account_at,), note="Not known for this vendor."),
        "total_without_vat": Field(Decimal(net), 0.98, (net_at,)),
        "total_vat": Field(Decimal(vat), 0.98, (vat_at,)),
        "total_with_vat": Field(Decimal(total), 0.99, (total_at,)),
        "amount_due": Field(Decimal(total), 0.93, (total_at,)),
    }
    checks = (
        Check("lines_sum", Status.PASS, "The lines add up to the total without VAT."),
        Check("vat_sum", Status.PASS, "The VAT is 19 % of the net amount."),
        Check("iban", Status.NOT_APPLICABLE, "There is no second account."),
    )
    return Reading("layout", fields, tuple(lines), (), checks)


def _account_check(known: bool) -> Check:
    if known:
        return Check("account", Status.PASS, "The bank account is the vendor's in Odoo.")
    return Check("account", Status.FAIL, "The bank account is not among the vendor's in Odoo.")


def _propose(desk: Desk, job: Job, reading_id: int, reading: Reading, reasons: tuple[str, ...]) -> None:
    net, vat, total = (reading.amount(n) for n in ("total_without_vat", "total_vat", "total_with_vat"))
    assert net is not None
    assert vat is not None
    assert total is not None
    off = Decimal("-95.00") if reasons else Decimal(0)
    proposal = Proposal(
        job.model,
        job.record_id,
        values={"partner_id": ProposedValue(7, 0.94, "The VAT id is the vendor's.", ("seller_vat_id",))},
        checks=(_account_check(known=not reasons),),
        matches={
            "partner_id": (
                Match("res.partner", 7, reading.text("seller_name") or "", 0.94, ("same VAT id",)),
            )
        },
        # A filled photograph prints its total only; so does its Proposal.
        paper=Totals(net, vat, total) if reasons else Totals(None, None, total),
        predicted=Totals(net, vat + off, total + off),
    )
    decision = Decision(Outcome.REVIEW if reasons else Outcome.FILL, reasons)
    desk.ledger.keep_proposal(job, reading_id, proposal.as_json(), decision)


def _write(
    desk: Desk,
    job: Job,
    leads_to: JobState,
    reason: str,
    review: ReviewSummary | None,
    reasons: tuple[str, ...],
) -> None:
    message = "Filled: vendor, dates, 2 lines." if leads_to is JobState.FILLED else "A person is asked."
    effect = EffectRecord(
        key=f"effect-{job.id}",
        model=job.model,
        record_id=job.record_id,
        leads_to=leads_to,
        reason=reason,
        message=message,
        body={},
    )
    desk.ledger.intend(job, effect)
    desk.clock.move(seconds=1)
    desk.ledger.settle(job, effect, review, reasons)
