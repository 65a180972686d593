"""The declared mapping: what comes with Vouch, what a user's file changes, and what it may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from inference.invoice import Reading, Status
from mappings.erp_data import Related
from mappings.field_map import Entry, FieldMap, MappingError, default_map, user_map
from mappings.index import ErpIndex
from mappings.matching import propose
from mappings.policy import Outcome, Policy, decide
from mappings.proposal import Proposal
from tests.unit.mappings_builder import TODAY, demo_data, draft_bill, paper_bill

CENTRES = Related(
    "x_centre", ("code", "name"), ((7, ("4711", "Workshop")), (8, ("4712", "Office")), (9, ("", "Office")))
)
INDEX = ErpIndex(demo_data(related=(CENTRES,)))


def told(text: str, **odoo: Any) -> FieldMap:
    """A user's mapping as it is once Odoo has said what its fields are."""
    found = user_map(text, "mapping.toml")
    return found.with_entries(replace(entry, **odoo) for entry in found.own())


def proposed(fields: FieldMap, read: Reading, **values: Any) -> Proposal:
    return propose(read, draft_bill(values=values), INDEX, TODAY, fields=fields)


def with_reference(text: str, name: str = "buyer_accounting_reference") -> Reading:
    return paper_bill(**{name: text})


def test_the_defaults_fill_what_odoo_has_itself() -> None:
    known = default_map()
    assert known.required("bill") == ("partner_id", "ref", "invoice_date", "currency_id")
    assert not known.own()
    assert {entry.field for entry in known.of("bill_line")} >= {"name", "quantity", "price_unit", "tax_ids"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[bill", "is not valid TOML"),
        ('[invoice]\nref = "invoice_number"', "no record type [invoice]: use [bill], [bill_line]"),
        (
            '[bill]\nx_a = "buyer_referenze"',
            "no business term 'buyer_referenze' here; did you mean 'buyer_reference'?",
        ),
        ('[bill]\nx_a = "item_name"', "(it is a term of lines)"),
        ("[bill]\nx_a = 3", "must be a business term in quotes"),
        ('[bill]\nx_a = { term = "buyer_reference", colour = "red" }', "no option 'colour'"),
        ('[bill]\nx_a = { term = "buyer_reference", required = "yes" }', "required must be true or false"),
        ('[bill]\npartner_id = "seller_name"', "is filled by the rule 'vendor'"),
        ('[bill]\nx_a = { rule = "vendor" }', "no option 'rule'"),
        ("[bill]\nref = false", "cannot be left out"),
        ("[bill_line]\naccount_id = false", "cannot be left out"),
        ("[bill]\nx_a = false", "nothing fills it"),
    ],
)
def test_what_a_file_may_not_do_is_said_with_the_place(text: str, words: str) -> None:
    with pytest.raises(MappingError) as error:
        user_map(text, "mapping.toml")
    assert words in str(error.value)
    assert str(error.value).startswith("mapping.toml")


def test_a_file_adds_overrides_and_leaves_out() -> None:
    fields = user_map(
        '[bill]\nx_note = "payment_terms"\nref = "order_number"\npayment_reference = false\n', "mapping.toml"
    )
    found = proposed(
        fields, paper_bill(payment_terms="30 Tage netto", order_number="A-77", payment_reference="RF18")
    )
    assert (found.values["x_note"].value, found.values["ref"].value) == ("30 Tage netto", "A-77")
    assert "payment_reference" not in found.values
    assert fields.required("bill") == default_map().required("bill")
    assert fields.label("ref") == "bill reference"


def test_a_line_takes_terms_of_the_line_and_of_the_header() -> None:
    text = '[bill_line]\nx_article = "item_seller_id"\nx_centre = "buyer_accounting_reference"'
    found = proposed(told(text, type="char"), with_reference("4711"))
    assert [(line["x_article"].value, line["x_centre"].value) for line in found.lines] == [
        ("4711-A4", "4711"),
        ("5230-80", "4711"),
    ]
    assert found.lines[1]["x_article"].terms == ("lines[1].item_seller_id",)


@pytest.mark.parametrize(
    ("printed", "number"), [("4711", 7), ("workshop", 7), ("Office", None), ("9999", None)]
)
def test_a_relation_is_found_by_code_or_name_or_not_at_all(printed: str, number: int | None) -> None:
    text = (
        '[bill]\nx_centre = { term = "buyer_accounting_reference", optional = false, label = "cost centre" }'
    )
    fields = told(text, type="many2one", relation="x_centre", match=("code", "name"))
    read = with_reference(printed)
    found = proposed(fields, read)
    value = found.values.get("x_centre")
    assert (value.value if value else None) == number
    problems = [c.message for c in found.checks if c.id == "related_x_centre" and c.status is Status.FAIL]
    if number is None:
        how = "several" if printed == "Office" else "no"
        assert problems == [f"Odoo has {how} cost centre '{printed}', which the document names."]
        made = decide(found, read, draft_bill(), Policy(fields=fields))
        assert made.outcome is Outcome.REVIEW
    else:
        assert not problems


def test_an_optional_value_that_is_unsure_or_unknown_is_left_out_and_asks_nobody() -> None:
    fields = told(
        '[bill]\nx_centre = "buyer_accounting_reference"',
        type="many2one",
        relation="x_centre",
        match=("code", "name"),
    )
    read = with_reference("9999")
    found = proposed(fields, read)
    assert "x_centre" not in found.values
    assert decide(found, read, draft_bill(), Policy(fields=fields)).outcome is Outcome.FILL


def test_a_required_field_of_one_s_own_sends_a_bill_without_it_to_a_person() -> None:
    fields = told(
        '[bill]\nx_centre = { term = "buyer_accounting_reference", required = true, label = "cost centre" }'
    )
    read = paper_bill()
    made = decide(proposed(fields, read), read, draft_bill(), Policy(fields=fields))
    assert made.reasons == ("The cost centre could not be read.",)


def test_what_a_person_wrote_stays_and_is_compared() -> None:
    fields = told('[bill]\nx_note = { term = "buyer_reference", label = "route" }', type="char")
    same = proposed(fields, with_reference("ab 1", "buyer_reference"), x_note="AB-1")
    assert "x_note" not in same.values
    other = proposed(fields, with_reference("AB-2", "buyer_reference"), x_note="AB-1")
    [said] = [check.message for check in other.checks if check.id == "kept_x_note"]
    assert said == "The route in Odoo is AB-1, the document says AB-2."


@pytest.mark.parametrize(
    ("term", "kind", "printed", "value"),
    [
        ("total_vat", "char", "49.59", "49.59"),
        ("total_vat", "monetary", "49.59", Decimal("49.59")),
        ("delivery_date", "date", "2026-09-09", date(2026, 9, 9)),
        ("delivery_date", "char", "2026-09-09", "2026-09-09"),
        ("buyer_reference", "selection", "North", "n"),
        ("buyer_reference", "selection", "Elsewhere", None),
    ],
)
def test_a_value_takes_the_type_of_its_field(term: str, kind: str, printed: str, value: object) -> None:
    fields = told(f'[bill]\nx_a = "{term}"', type=kind, choices=(("n", "North"), ("s", "South")))
    found = proposed(fields, paper_bill(**{term: printed})).values.get("x_a")
    assert (found.value if found else None) == value


def test_entries_know_their_place() -> None:
    assert Entry("bill", "x_a", "buyer_reference").place == "[bill] x_a"
