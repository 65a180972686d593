"""The bill as a form: every value that it needs, whether it was read or not, with what speaks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from inference.invoice import HEADER, Reading
from mappings.case import BILL, ORDER, field_at
from mappings.erp_data import Record, RecordLine
from mappings.proposal import scalar_as_json

if TYPE_CHECKING:
    from inference.invoice import Field
    from mappings.field_map import Entry, FieldMap

Node = Mapping[str, Any]

TOTALS = ("total_without_vat", "total_vat", "total_with_vat")
"""The totals on the paper: corrections of the Reading, never written."""

ORDERED = "purchase_order"
"""The order that a bill is for: a correction of the Reading as well."""

AS_IN_ODOO = "As it is in Odoo."
MODELS: Mapping[str, str] = {
    "partner_id": "res.partner",
    "currency_id": "res.currency",
    "partner_bank_id": "res.partner.bank",
    ORDERED: ORDER,
    "product_id": "product.product",
    "account_id": "account.account",
    "tax_ids": "account.tax",
    "purchase_line_id": "purchase.order.line",
}
TERMS: Mapping[str, str] = {
    "partner_id": "seller_name",
    "ref": "invoice_number",
    "invoice_date": "issue_date",
    "invoice_date_due": "due_date",
    "currency_id": "currency",
    ORDERED: "purchase_order_reference",
    "payment_reference": "payment_reference",
    "partner_bank_id": "payment_account",
    "partner_ref": "order_number",
    "date_planned": "delivery_date",
} | {name: name for name in TOTALS}
LINE_TERMS: Mapping[str, str] = {
    "name": "item_name",
    "product_id": "item_seller_id",
    "quantity": "quantity",
    "product_qty": "quantity",
    "price_unit": "net_price",
    "discount": "discount_percent",
    "tax_ids": "vat_rate",
    "purchase_line_id": "purchase_order_line",
    "date_planned": "delivery_date",
}
KINDS: Mapping[str, str] = {
    "invoice_date": "date",
    "invoice_date_due": "date",
    "date_planned": "date",
    "quantity": "quantity",
    "product_qty": "quantity",
    "price_unit": "amount",
    "discount": "percent",
    "tax_ids": "records",
} | dict.fromkeys(TOTALS, "amount")
OWN_KINDS: Mapping[str, str] = {
    "date": "date",
    "float": "quantity",
    "integer": "quantity",
    "monetary": "amount",
    "many2one": "record",
    "selection": "choice",
}
BILL_HEADER = ("partner_id", "ref", "invoice_date", "invoice_date_due", "currency_id", ORDERED)
PAYMENT = ("payment_reference", "partner_bank_id")
BILL_LINE = (
    "name",
    "product_id",
    "account_id",
    "quantity",
    "price_unit",
    "discount",
    "tax_ids",
    "purchase_line_id",
)
ORDER_LINE = ("name", "product_id", "product_qty", "price_unit", "discount", "tax_ids", "date_planned")
OPTIONAL = frozenset(
    {
        "invoice_date_due",
        ORDERED,
        *PAYMENT,
        "product_id",
        "discount",
        "purchase_line_id",
        "tax_ids",
        "date_planned",
    }
    | {"partner_ref", "total_without_vat", "total_vat"}
)


@dataclass(slots=True)
class Cell:
    """One value of the form. `value` is JSON; `terms` are the paths of the Fields it came from."""

    target: str
    name: str
    kind: str
    value: Any = None
    confidence: float = 0.0
    reason: str = ""
    terms: tuple[str, ...] = ()
    term: str | None = None
    model: str | None = None
    editable: bool = True
    required: bool = False
    evidence: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    candidates: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    options: tuple[tuple[str, str], ...] = ()
    proposed: bool = False
    edited: bool = False
    accepted: bool = False
    doubtful: bool = False

    def fill(self, value: Any, confidence: float, reason: str, terms: Sequence[str] = ()) -> None:
        """Take a value over."""
        self.value, self.confidence, self.reason, self.terms = value, confidence, reason, tuple(terms)


@dataclass(slots=True)
class Line:
    """A line of the form; `id` where the record has it. `added` by a person."""

    key: str
    id: int | None
    cells: dict[str, Cell]
    added: bool = False
    changed: bool = False


@dataclass(slots=True)
class Form:
    """All values of a bill or order, in the order of an accountant's form. `removed` are lines of the record that a
    person takes away; `unfit` the edits that fit nothing any more."""

    model: str
    header: dict[str, Cell]
    lines: list[Line]
    removed: list[Line] = field(default_factory=list[Line])
    unfit: list[str] = field(default_factory=list[str])
    lines_edited: bool = False

    def cell(self, target: str) -> Cell | None:
        """The Cell that a target names."""
        if not target.startswith("lines."):
            return self.header.get(target)
        _, key, name = target.split(".", 2)
        return next((line.cells.get(name) for line in self.lines if line.key == key), None)

    def cells(self) -> Iterator[Cell]:
        """Every Cell."""
        yield from self.header.values()
        for line in self.lines:
            yield from line.cells.values()


def build(
    model: str, body: Node, reading: Reading | None, record: Record | None, fields: FieldMap, *, orders: bool
) -> Form:
    """The form of a Proposal (`as_json`): what it proposes, else what the record has. `orders` says whether this Odoo
    has purchase orders."""
    makes = _Maker(model, body, reading, record, fields, orders)
    return Form(model, {cell.target: cell for cell in makes.header()}, list(makes.lines()))


def empty_line(key: str, model: str, fields: FieldMap, *, orders: bool) -> Line:
    """A line that a person adds."""
    makes = _Maker(model, {}, None, None, fields, orders)
    line = Line(key, None, {name: makes.line_cell(key, name, None) for name in makes.line_names}, added=True)
    for name in ("quantity", "product_qty"):
        if name in line.cells:
            line.cells[name].fill("1", 1.0, "")
    return line


@dataclass(slots=True)
class _Maker:
    model: str
    body: Node
    reading: Reading | None
    record: Record | None
    fields: FieldMap
    orders: bool

    @property
    def line_names(self) -> list[str]:
        names = BILL_LINE if self.model == BILL else ORDER_LINE
        table = "bill_line" if self.model == BILL else "order_line"
        own = [entry.field for entry in self.fields.of(table) if entry.own and entry.field not in names]
        return [name for name in (*names, *own) if self.orders or name != "purchase_line_id"]

    def header(self) -> Iterator[Cell]:
        table = "bill" if self.model == BILL else "order"
        own = [entry.field for entry in self.fields.of(table) if entry.own]
        if self.model == BILL:
            names = [name for name in BILL_HEADER if self.orders or name != ORDERED] + list(PAYMENT)
        else:
            names = ["partner_id", "partner_ref", "date_planned"]
        entries = {entry.field: entry for entry in self.fields.of(table)}
        for name in dict.fromkeys((*names, *own)):
            cell = self._cell(name, name, entries.get(name), TERMS.get(name))
            self._fill_header(cell)
            yield cell
        for name in TOTALS:
            cell = self._cell(name, name, None, name)
            cell.required = name == "total_with_vat"
            found = self.reading.get(name) if self.reading else None
            if found:
                cell.fill(scalar_as_json(found.value), found.confidence, found.note or "As printed.", (name,))
            self._prove(cell)
            yield cell

    def _fill_header(self, cell: Cell) -> None:
        proposed = self.body.get("values", {}).get(cell.name)
        present = self.record.values.get(cell.name) if self.record else None
        if proposed is not None:
            cell.fill(proposed["value"], proposed["confidence"], proposed["reason"], proposed["terms"])
            cell.proposed = True
        elif cell.name == ORDERED:
            self._fill_order(cell)
        elif present not in (None, "", ()):
            cell.fill(scalar_as_json(present), 1.0, AS_IN_ODOO)
        if cell.kind == "date" and isinstance(cell.value, str):
            cell.value = cell.value[:10]
        cell.candidates = [
            {"id": match["id"], "name": match["name"], "score": match["score"], "reasons": match["reasons"]}
            for match in self.body.get("matches", {}).get(cell.name, ())
        ]
        if cell.name == "partner_id" and self.model == ORDER:
            cell.editable = False
        self._prove(cell)

    def _fill_order(self, cell: Cell) -> None:
        """The order that lines are linked to already."""
        found = self.body.get("matches", {}).get(ORDERED, ())
        if found:
            best = found[0]
            cell.fill(best["id"], best["score"], "; ".join(best["reasons"]), ("purchase_order_reference",))

    def lines(self) -> Iterator[Line]:
        proposed: Sequence[Node] = self.body.get("lines", ())
        present = self.record.lines if self.record else ()
        if not present:
            for at, values in enumerate(proposed, 1):
                key = f"l{at}"
                cells = {name: self.line_cell(key, name, values.get(name)) for name in self.line_names}
                cells |= self._further(key, values)
                yield Line(key, None, cells)
            return
        changes = {one["id"]["value"]: one for one in proposed if "id" in one}
        for line in present:
            key, change = f"r{line.id}", changes.get(line.id, {})
            cells = {name: self.line_cell(key, name, change.get(name), line) for name in self.line_names}
            yield Line(key, line.id, cells)

    def _further(self, key: str, values: Node) -> dict[str, Cell]:
        """What is proposed besides the columns of the form: shown, not edited."""
        found: dict[str, Cell] = {}
        for name, value in values.items():
            if name in self.line_names or name == "id":
                continue
            cell = self.line_cell(key, name, value)
            cell.editable = False
            found[name] = cell
        return found

    def line_cell(
        self, key: str, name: str, proposed: Node | None, present: RecordLine | None = None
    ) -> Cell:
        table = "bill_line" if self.model == BILL else "order_line"
        entry = next((one for one in self.fields.of(table) if one.field == name), None)
        cell = self._cell(f"lines.{key}.{name}", name, entry, LINE_TERMS.get(name))
        if proposed is not None:
            cell.fill(proposed["value"], proposed["confidence"], proposed["reason"], proposed["terms"])
            cell.proposed = True
        elif present is not None:
            attribute = "quantity" if name == "product_qty" else name
            value = scalar_as_json(getattr(present, attribute, None))
            cell.fill(value, 1.0, AS_IN_ODOO)
        elif name in OPTIONAL:
            cell.confidence = 1.0
        if name == "discount" and cell.value is None:
            cell.value = "0"
        if name == "tax_ids" and cell.value is None:
            cell.value = []
        if cell.kind == "date" and isinstance(cell.value, str):
            cell.value = cell.value[:10]
        if name == "account_id" and self.model == ORDER:
            cell.required = False
        self._prove(cell)
        return cell

    def _cell(self, target: str, name: str, entry: Entry | None, term: str | None) -> Cell:
        kind, model = KINDS.get(name, "text"), MODELS.get(name)
        options: tuple[tuple[str, str], ...] = ()
        if model and kind == "text":
            kind = "record"
        if entry and entry.own:
            kind = OWN_KINDS.get(entry.type, "text")
            model, options = entry.relation or None, entry.choices
        required = entry.required if entry else False
        optional = name in OPTIONAL and not (entry and entry.own)
        if entry and not entry.is_rule and term is None:
            term = entry.source
        return Cell(
            target,
            name,
            kind,
            term=term,
            model=model,
            required=required and not optional,
            options=options,
        )

    def _prove(self, cell: Cell) -> None:
        """Where on the document the value stands; and the Term it is of."""
        if self.reading is None:
            return
        paths = cell.terms or ((cell.term,) if cell.term in HEADER and "." not in cell.target else ())
        found: list[Field] = [one for path in paths if path and (one := field_at(self.reading, path))]
        if cell.terms and cell.terms[0] in HEADER and cell.name not in TERMS:
            cell.term = cell.terms[0]
        for one in found:
            for proof in one.evidence:
                if proof.page is not None and proof.box is not None:
                    cell.evidence.append(
                        {
                            "page": proof.page,
                            "box": [round(side, 5) for side in proof.box],
                            "text": proof.text or "",
                        }
                    )


def figure(line: Line, name: str) -> Decimal:
    """A number of a line; zero where it is empty."""
    cell = line.cells.get(name)
    return Decimal(str(cell.value)) if cell and cell.value not in (None, "") else Decimal(0)
