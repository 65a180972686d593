"""The samples, read perfectly, against a real Odoo: decided as each says, and filled to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import SecretStr

from connector.erp.odoo import connect
from connector.erp.port import BILL, ORDER, Effect
from connector.erp.transport import Connection
from inference.invoice import Reading
from mappings.index import ErpIndex
from mappings.matching import propose
from mappings.policy import Outcome, Policy, decide
from tests.integration.odoo_server import Odoo, OdooDatabase
from tests.samples.generate import TODAY, Sample, samples
from tests.unit.mappings_builder import reading

pytestmark = pytest.mark.usefixtures("development_odoo")

# What nobody can read has no perfect reading; Odoo takes no order line without a product, and the quotation's
# freight has none.
LEFT_OUT = ("unreadable", "quotation")


def perfect(sample: Sample) -> Reading:
    truth = sample.truth
    return reading(truth["lines"], truth["vat_breakdown"], **truth["fields"])


def target(odoo: Odoo, sample: Sample) -> tuple[str, int]:
    """The record that the sample hangs on, as its `target` says."""
    if sample.target == "order":
        return ORDER, odoo.find("purchase.order", [["name", "=", sample.order]], ["name"])[0]["id"]
    return BILL, odoo.draft_bill(move_type="in_refund" if sample.target == "refund" else "in_invoice")


@pytest.mark.timeout(300)
def test_perfect_readings_are_decided_as_the_samples_say(odoo_database: OdooDatabase) -> None:
    odoo = Odoo(odoo_database)
    erp = connect(
        Connection("samples", odoo_database.url, odoo_database.database, SecretStr(odoo_database.api_key))
    )
    index = ErpIndex(erp.erp_data())
    decided: dict[str, tuple[str, tuple[str, ...]]] = {}
    filled: list[tuple[Reading, str, int]] = []
    chosen = [sample for sample in samples() if sample.name not in LEFT_OUT]
    for sample in chosen:
        read = perfect(sample)
        model, number = target(odoo, sample)
        record = erp.record(model, number)
        proposal = propose(read, record, index, TODAY)
        decision = decide(proposal, read, record, Policy())
        decided[sample.name] = (decision.outcome.value, decision.reasons)
        if decision.outcome is not Outcome.FILL:
            continue
        after = erp.apply(
            Effect(
                sample.name,
                model,
                number,
                record.write_date,
                {name: value.value for name, value in proposal.values.items()},
                tuple({name: value.value for name, value in line.items()} for line in proposal.lines),
            )
        )
        assert proposal.paper is not None
        assert after.amount_total == proposal.paper.total, sample.name
        assert [line.subtotal for line in after.lines] == [
            Decimal(line["line_net_amount"]) for line in sample.truth["lines"]
        ], sample.name
        filled.append((read, model, number))
    # Done once is done: on what Odoo made of it, the same reading finds nothing left to do.
    fresh = ErpIndex(erp.erp_data())
    for read, model, number in filled:
        record = erp.record(model, number)
        again = decide(propose(read, record, fresh, TODAY), read, record, Policy())
        assert again.outcome is Outcome.SKIP, (record.display_name, again.reasons)
    erp.close()
    wrong = {s.name: decided[s.name] for s in chosen if decided[s.name][0] != s.expected}
    assert wrong == {}
