"""An index that follows the ERP change by change answers as a fresh one does."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mappings.erp_data import ErpData, Partner
from mappings.index import ErpIndex
from mappings.matching import propose
from mappings.name_search import SHORTEST, NameSearch, forms_of
from mappings.names import name_similarity
from tests.unit.mappings_builder import (
    CARTON,
    FILM,
    TODAY,
    demo_data,
    dijkzicht,
    draft_bill,
    paper_bill,
)

DATA = demo_data()
DATA = replace(
    DATA, posted_lines=tuple(replace(line, id=3000 + i) for i, line in enumerate(DATA.posted_lines))
)
TABLES = ("partners", "bank_accounts", "bills", "posted_lines", "purchase_orders", "products")
NAMES = (
    "Papierhaus Brunnhuber",
    "Brunnhuber Papier GmbH",
    "Dijkzicht",
    "Nordlicht Elektro",
    "海鹭五金",
    "Lampen",
)
READINGS = (paper_bill(), paper_bill(seller_vat_id="", payment_account=""), dijkzicht(CARTON, FILM))


def changed(row: Any, dice: random.Random, data: ErpData) -> Any:
    """The same record after somebody's work."""
    vendors = [partner.id for partner in data.partners]
    match type(row).__name__:
        case "Partner":
            return replace(
                row,
                name=dice.choice((row.name, f"{dice.choice(NAMES)} {dice.randint(1, 9)}")),
                vat=dice.choice((row.vat, "", "DE371628131")),
                website=dice.choice((row.website, "https://lampen.example")),
                commercial_partner_id=dice.choice((row.id, dice.choice(vendors))),
                country=dice.choice((row.country, "DE", "FR")),
                active=dice.random() < 0.8,
                is_employee=dice.random() < 0.1,
            )
        case "BankAccount":
            return replace(row, partner_id=dice.choice(vendors), active=dice.random() < 0.8)
        case "Bill":
            return replace(
                row, partner_id=dice.choice((*vendors, None)), ref=dice.choice((row.ref, "2026-0901"))
            )
        case "PostedLine":
            return replace(row, partner_id=dice.choice(vendors), name=dice.choice(("Papier", row.name)))
        case "PurchaseOrder":
            lines = tuple(replace(line, qty_invoiced=Decimal(dice.randint(0, 5))) for line in row.lines)
            return replace(row, partner_id=dice.choice((row.partner_id, dice.choice(vendors))), lines=lines)
        case _:
            return replace(row, barcode=dice.choice(("", "4006381333931")))


def next_day(data: ErpData, dice: random.Random) -> ErpData:
    """Some rows go, some change, some come; tables of which nothing changed stay the same objects."""
    tables: dict[str, Any] = {}
    for name in dice.sample(TABLES, dice.randint(0, len(TABLES))):
        rows = [row for row in getattr(data, name) if dice.random() < 0.95]
        rows = [changed(row, dice, data) if dice.random() < 0.1 else row for row in rows]
        if rows:
            new = max(row.id for row in rows) + 1
            made = changed(rows[0], dice, data)
            rows.append(
                replace(made, id=new, **({"commercial_partner_id": new} if name == "partners" else {}))
            )
        tables[name] = tuple(rows)
    if data.companies[0].partner_id not in {partner.id for partner in tables.get("partners", data.partners)}:
        tables["partners"] = data.partners
    return replace(data, **tables)


def answers(index: ErpIndex) -> list[Any]:
    """What every lookup says."""
    data = index.data
    partners: Iterable[Partner] = data.partners
    found: list[Any] = [index.own, index.own_accounts, index.company_taxes, index.domestic_taxes]
    found += [index.order_letters, [index.vendors_named(name) for name in NAMES]]
    found += [index.vendors_at(domain) for domain in ("lampen.example", "mail.thornbeck.example")]
    found += [index.orders_named(text) for text in ("P00103", "103", "Bestellung P-00101")]
    found += [index.bills_with_ref(ref) for ref in ("2026-0901", "2026-0817")]
    for partner in partners:
        found += [index.accounts_of(partner.id), index.bills_of(partner.id), index.orders_of(partner.id)]
        found += [index.history(partner.id, 1), index.history_texts(partner.id, 1)]
        found += [index.domains_of(partner.id), index.with_tax_id(partner.vat), index.commercial(partner.id)]
    for name in ("by_barcode", "by_default_code", "by_vendor_code", "by_vendor_name"):
        lookup = getattr(index, name)
        found.append({key: lookup.get(key) for key in lookup})
    return found


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_an_index_that_followed_is_as_a_fresh_one(dice: random.Random, days: int) -> None:
    data, index = DATA, ErpIndex(DATA)
    for _ in range(days):
        data = next_day(data, dice)
        index.refresh(data)
        fresh = ErpIndex(data)
        for one, other in zip(answers(index), answers(fresh), strict=True):
            assert one == other
    for read in READINGS:
        assert propose(read, draft_bill(), index, TODAY) == propose(read, draft_bill(), fresh, TODAY)


def test_what_this_round_filled_is_forgotten_once_the_erp_tells_it() -> None:
    bill = replace(DATA.bills[0], id=5555, ref="X-1")
    index = ErpIndex(DATA).with_bill(bill, {70300: Decimal(600)})
    assert index.bill(5555) == bill
    index.refresh(replace(DATA, bills=DATA.bills))
    assert index.bill(5555) is None
    [line, *_] = index.orders_named("P00103")[0].lines
    assert index.billed(line) == 0


@settings(max_examples=200)
@given(
    st.lists(
        st.sampled_from(
            [
                "Müller",
                "Licht",
                "Papier",
                "Holz & Co",
                "GmbH",
                "S.p.A.",
                "海鹭",
                "ООО Роза",
                "(vormals",
                "Alt)",
            ]
        ),
        min_size=1,
        max_size=4,
    ).map(" ".join),
    st.sampled_from(
        ["Müller Licht GmbH", "Holz Papier AG", "Роза", "海鹭五金有限公司", "Alt", "Mülr Lihct", "aaaa aab"]
    ),
    st.sampled_from([0.4, 0.6, 0.75, 0.9]),
)
def test_the_search_by_name_finds_by_the_likeness_of_names(name: str, known: str, cutoff: float) -> None:
    partner = Partner(995, known, 995)
    found = ErpIndex(replace(DATA, partners=(*DATA.partners, partner))).vendors_named(
        name, limit=99, cutoff=cutoff
    )
    alike = name_similarity(name, known)
    score = next((score for one, score in found if one.id == 995), None)
    assert score is None or abs(score - alike) < 1e-9
    assert alike < cutoff or score is not None


@given(
    st.text("ab ", min_size=2, max_size=14), st.lists(st.text("ab ", min_size=2, max_size=14), max_size=12)
)
def test_no_name_that_is_alike_is_left_out(name: str, others: list[str]) -> None:
    """Two letters only: names with many pairs in common, many of them twice. One letter is too little to search by."""
    assume(all(len(form.text) >= SHORTEST for form in forms_of(name)))
    partners = [Partner(number, text, number) for number, text in enumerate(others, 1)]
    found = {partner.id for partner, _ in NameSearch(partners).find(name, 0.75)}
    assert found == {one.id for one in partners if name_similarity(name, one.name) >= 0.75}


def test_many_names_that_are_forgotten_leave_the_others_findable() -> None:
    partners = [Partner(number, f"Firma {number:05d} Handel", number) for number in range(1, 1501)]
    search = NameSearch(partners)
    for partner in partners[:1400]:
        search.remove(partner)
    assert [one.id for one, alike in search.find("Firma 01450 Handel", 0.75) if alike == 1.0] == [1450]
    assert not [one for one, alike in search.find("Firma 00007 Handel", 0.75) if alike == 1.0]


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_proposal_says_nothing_that_is_on_neither_document_nor_in_the_erp(dice: random.Random) -> None:
    """Every value is an id of the ERP, or is computed from Fields that it names; and twice is the same as once."""
    read = dice.choice(READINGS)
    kept = {name: field for name, field in read.fields.items() if dice.random() < 0.8}
    lines = tuple({name: field for name, field in row.items() if dice.random() < 0.9} for row in read.lines)
    read = replace(read, fields=kept, lines=lines)
    index = ErpIndex(DATA)
    found = propose(read, draft_bill(), index, TODAY)
    assert found == propose(read, draft_bill(), index, TODAY)
    known = {
        "partner_id": index.partners,
        "account_id": index.accounts,
        "product_id": index.products,
        "currency_id": index.currencies,
        "purchase_line_id": {line.id for order in DATA.purchase_orders for line in order.lines},
    }
    for values in (found.values, *found.lines):
        for name, value in values.items():
            if name in known:
                assert value.value in known[name]
            elif name == "tax_ids":
                assert set(value.value) <= index.taxes.keys()  # type: ignore[arg-type]
            else:
                assert value.terms or value.value is None or "could not be read" in value.reason, (
                    name,
                    value,
                )
    if found.new_vendor:
        assert all(value.terms for name, value in found.new_vendor.values.items() if name != "is_company")
