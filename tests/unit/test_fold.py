"""A person's edits folded into a Proposal: in their order, the last word theirs, and taken back one by one."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from connector.settling.answers import marked, questions
from connector.settling.edits import Accept, AddLine, Answer, Edit, RemoveLine, SetValue, as_json, parsed
from connector.settling.fold import Folded, Ground, fold
from inference.invoice import Reading
from mappings.erp_data import Record, RecordLine
from mappings.field_map import default_map
from mappings.index import ErpIndex
from mappings.matching import propose
from mappings.proposal import Proposal
from tests.unit.mappings_builder import TODAY, demo_data, draft_bill, paper_bill

INDEX = ErpIndex(demo_data())
READING = paper_bill(payment_account="DE02 1203 0000 0000 2020 51")
EMPTY = draft_bill()
FILLED = draft_bill(
    lines=(
        RecordLine(41, "Paper", Decimal(10), Decimal("21.40"), Decimal("214.00"), account_id=499),
        RecordLine(42, "Folders", Decimal(20), Decimal("2.35"), Decimal("47.00"), account_id=499),
    ),
    amount_untaxed=Decimal("261.00"),
    amount_total=Decimal("261.00"),
)
VENDORS = [one for one in INDEX.partners if one >= 100]
KEYS = ["l1", "l2", "l3", "l4", "l5", "r41", "r42"]

header = st.one_of(
    st.builds(lambda one: SetValue(target="partner_id", value=one), st.sampled_from(VENDORS)),
    st.builds(lambda text: SetValue(target="ref", value=text), st.sampled_from(["A-1", "A 2", ""])),
    st.builds(
        lambda day: SetValue(target="invoice_date", value=day.isoformat()),
        st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    ),
    st.builds(lambda text: SetValue(target="payment_reference", value=text), st.sampled_from(["RF1", "RF2"])),
    st.builds(
        lambda cents: SetValue(target="total_with_vat", value=str(Decimal(cents) / 100)),
        st.integers(0, 99999),
    ),
)
key = st.sampled_from(KEYS)
cells = st.one_of(
    st.builds(lambda k, text: SetValue(target=f"lines.{k}.name", value=text), key, st.sampled_from("xyz")),
    st.builds(lambda k, n: SetValue(target=f"lines.{k}.quantity", value=str(n)), key, st.integers(-50, 50)),
    st.builds(
        lambda k, cents: SetValue(target=f"lines.{k}.price_unit", value=str(Decimal(cents) / 100)),
        key,
        st.integers(-9999, 9999),
    ),
    st.builds(
        lambda k, percent: SetValue(target=f"lines.{k}.discount", value=str(percent)),
        key,
        st.integers(0, 100),
    ),
)
looks = st.builds(
    lambda target: Accept(accept=target),
    st.sampled_from(["ref", "partner_bank_id", "lines.l1.account_id", "lines.r41.name", "lines.l9.name"]),
)
rows = st.one_of(
    st.builds(lambda k, after: AddLine(add_line=k, after=after), key, st.none() | key),
    st.builds(lambda k: RemoveLine(remove_line=k), key),
)
answers = st.builds(lambda one: Answer(answer=one), st.sampled_from(["bank_account_known", "totals"]))
edits = st.lists(st.one_of(header, cells, looks, rows, answers), max_size=9)
records = st.sampled_from([EMPTY, FILLED])


def _ground(record: Record) -> Ground:
    def again(reading: Reading, vendor: int | None) -> Proposal:
        return propose(reading, record, INDEX, TODAY, vendor_id=vendor)

    body = propose(READING, record, INDEX, TODAY).as_json()
    return Ground("account.move", body, READING, record, default_map(), INDEX, 0.9, again)


GROUNDS = (_ground(EMPTY), _ground(FILLED))


def of(record: Record) -> Ground:
    """What the form of that record stands on."""
    return GROUNDS[record is FILLED]


def seen(folded: Folded) -> dict[str, Any]:
    """All that a person sees of it, and all that would be written."""
    form = folded.form
    return {
        "cells": {one.target: (one.value, one.edited, one.accepted, one.doubtful) for one in form.cells()},
        "lines": [line.key for line in form.lines],
        "removed": [line.key for line in form.removed],
        "unfit": list(form.unfit),
        "totals": folded.predicted,
        "vat": dict(folded.vat),
        "checks": [(one.id, one.status, one.message) for one in folded.checks],
    }


def expected(start: list[str], asked: list[Edit]) -> tuple[list[str], dict[str, Any], int]:
    """Lines and values as a person left them, and how many of their edits fit nothing: reckoned one by one."""
    order, put, lost = list(start), dict[str, Any](), 0
    for edit in asked:
        match edit:
            case AddLine(add_line=new, after=after) if new not in order and (after is None or after in order):
                order.insert(order.index(after) + 1 if after else 0, new)
            case RemoveLine(remove_line=old) if old in order:
                order.remove(old)
                put = {target: value for target, value in put.items() if f".{old}." not in target}
            case SetValue(target=target, value=value) if _fits(target, order):
                put[target] = value
            case Accept(accept=target) if _fits(target, order):
                pass
            case Answer():
                pass
            case _:
                lost += 1
    return order, put, lost


def _fits(target: str, order: list[str]) -> bool:
    return not target.startswith("lines.") or target.split(".")[1] in order


@settings(deadline=None, max_examples=150)
@given(record=records, asked=edits)
def test_what_a_person_put_stands_whatever_is_proposed(record: Record, asked: list[Edit]) -> None:
    made = fold(of(record), asked)
    # A vendor's own number of lines may change what an edit of a line is about; lines of the record stay.
    start = [line.key for line in fold(of(record), [one for one in asked if one in _again(asked)]).form.lines]
    order, put, lost = expected(start, asked)
    assert [line.key for line in made.form.lines] == order
    assert len(made.form.unfit) == lost
    for target, value in put.items():
        cell = made.form.cell(target)
        assert cell is not None
        assert (cell.value, cell.edited) == (value, True)
    edited = {one.target for one in made.form.cells() if one.edited}
    assert edited == set(put)


def _again(asked: list[Edit]) -> list[Edit]:
    return [one for one in asked if isinstance(one, SetValue) and not one.target.startswith("lines.")]


@settings(deadline=None, max_examples=150)
@given(record=records, asked=edits.filter(bool))
def test_taking_back_is_the_list_without_the_last(record: Record, asked: list[Edit]) -> None:
    base = of(record)
    kept = copy.deepcopy((base.body, base.record))
    states = [seen(fold(base, asked[:count])) for count in range(len(asked) + 1)]
    for count in reversed(range(len(asked) + 1)):
        assert seen(fold(base, asked[:count])) == states[count]
    assert (base.body, base.record) == kept
    assert parsed([as_json(one) for one in asked]) == asked


@settings(deadline=None, max_examples=80)
@given(record=records, asked=edits, data=st.data())
def test_values_of_different_places_may_come_in_any_order(
    record: Record, asked: list[Edit], data: st.DataObject
) -> None:
    single = {one.target: one for one in asked if isinstance(one, SetValue)}
    assume(len(single) > 1)
    there = {one.target for one in fold(of(record), _again(list(single.values()))).form.cells()}
    fitting = [one for target, one in single.items() if target in there]
    other = data.draw(st.permutations(fitting))
    assert seen(fold(of(record), other)) == seen(fold(of(record), fitting))


@settings(deadline=None, max_examples=80)
@given(record=records, asked=edits)
def test_what_fits_nothing_changes_nothing(record: Record, asked: list[Edit]) -> None:
    fitting: list[Edit] = []
    for one in asked:
        if not fold(of(record), [*fitting, one]).form.unfit:
            fitting.append(one)
    whole = seen(fold(of(record), fitting))
    odd = [
        SetValue(target="no_such_field", value="x"),
        SetValue(target="lines.l99.name", value="x"),
        Accept(accept="lines.l99.name"),
        RemoveLine(remove_line="l99"),
        AddLine(add_line="l98", after="l99"),
    ]
    assert seen(fold(of(record), [*odd, *fitting])) == whole | {
        "unfit": ["no_such_field", "lines.l99.name", "lines.l99.name", "lines.l99", "lines.l98"]
    }


@pytest.mark.parametrize("record", [EMPTY, FILLED])
@pytest.mark.parametrize("vendor", VENDORS)
def test_another_vendor_is_proposed_for_anew_around_what_a_person_put(record: Record, vendor: int) -> None:
    base = of(record)
    mine: list[Edit] = [
        SetValue(target="ref", value="MINE"),
        SetValue(target="payment_reference", value="RF18"),
        SetValue(target="lines.l1.name" if record is EMPTY else "lines.r41.name", value="My words"),
    ]
    chosen = SetValue(target="partner_id", value=vendor)
    for asked in ([chosen, *mine], [*mine, chosen]):
        made = fold(base, asked)
        [number] = [one for one in asked if isinstance(one, SetValue) and one.target == "ref"]
        wanted = fold(base, [chosen, number])
        put = {one.target: one.value for one in asked if isinstance(one, SetValue)}
        assert put.items() <= {one.target: one.value for one in made.form.cells()}.items()
        for cell in made.form.cells():
            if cell.target not in put:
                there = wanted.form.cell(cell.target)
                assert there is not None
                assert cell.value == there.value
    assert seen(fold(base, mine)) == seen(fold(base, [*mine, chosen][:-1]))


@settings(deadline=None, max_examples=100)
@given(record=records, asked=st.lists(st.one_of(cells, rows), max_size=8))
def test_the_total_is_that_of_the_lines_as_they_stand(record: Record, asked: list[Edit]) -> None:
    made = fold(of(record), asked)
    totals = made.predicted
    assert totals is not None
    assert totals.untaxed is not None
    assert totals.tax is not None
    assert totals.total == totals.untaxed + totals.tax
    if made.form.lines_edited:
        # The company rounds over all lines; where they cancel out, Odoo leaves them rounded one by one.
        nets = [_net(line.cells) for line in made.form.lines]
        net = sum(nets, Decimal(0))
        assert totals.untaxed == (_cents(net) if net else sum(map(_cents, nets), Decimal(0)))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), "ROUND_HALF_UP")


def _net(cells: Any) -> Decimal:
    quantity, price, discount = (
        Decimal(str(cells[name].value or 0)) for name in ("quantity", "price_unit", "discount")
    )
    return quantity * price * (1 - discount / 100)


def test_an_answer_holds_as_long_as_the_question_says_the_same() -> None:
    base = of(EMPTY)
    [asked] = [one for one in questions(fold(base, ()), EMPTY) if one.id == "bank_account_known"]
    new: list[Edit] = [Answer(answer=asked.id), Answer(answer="no_such_question")]
    [answer] = marked(new, [asked])
    assert asked.answered_by([answer])
    assert not asked.answered_by(new)
    assert not replace(asked, barred=True).answered_by([answer])
    for vendor in VENDORS:
        moved = [answer, SetValue(target="partner_id", value=vendor)]
        for one in questions(fold(base, moved), EMPTY):
            assert one.answered_by(moved) == ((one.id, one.message) == (asked.id, asked.message))


@pytest.mark.parametrize("name", ["order_line", "deposit", "total_habit", "page_shows", "a rule of tomorrow"])
def test_what_no_value_answers_for_is_asked_before_approving(name: str) -> None:
    """Otherwise the screen would say that all is checked, and a key would approve it."""
    ground = of(EMPTY)
    failed = {"id": name, "status": "fail", "message": "Line 2: the price is 36.20, the order says 34.50."}
    body = {**ground.body, "checks": [*ground.body["checks"], failed]}
    asked = questions(fold(replace(ground, body=body), []), EMPTY)
    assert failed["message"] in [one.message for one in asked if one.id == name and not one.barred]
    assert [one.id for one in asked].count(name) == 1
