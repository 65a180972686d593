"""One interleaving: a person's edit before, while or after the n-th RPC that the service makes for a bill."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pydantic import SecretStr

from connector.erp import guarded
from connector.erp.odoo import connect
from connector.erp.wire import JSONRPC, Connection
from connector.ledger.records import Job
from connector.ledger.states import JobState
from deploy.odoo.administrator import Administrator
from tests.acceptance import invariants
from tests.acceptance.faults.proxy import Exchange, Proxy
from tests.acceptance.faults.service import Service
from tests.acceptance.interleavings.edits import EDITS, Edit, Place, missing
from tests.acceptance.invariants import BILL
from tests.acceptance.many import doubtful_bills
from tests.integration.odoo_server import OdooDatabase
from tests.samples.generate import TODAY

PLACES = ("before", "while", "after")
WRITES = (f"{BILL}.web_save", "ir.actions.server.run")
MOST_CALLS = 7
"""So many RPCs a bill takes at most where all goes well."""


@dataclass(frozen=True)
class Plan:
    """Which edit, at which RPC and where beside it; `pause` is how many seconds after the RPC began, in flight.

    `begun` says that the draft has a line of the person's from the start.
    """

    edit: Edit
    at: int
    place: str
    pause: float
    begun: bool
    doubtful: bool


@dataclass
class Played:
    """What came of a plan. `call` is the RPC beside which the edit was made, empty where there were fewer."""

    plan: Plan
    bill: int
    job: int = 0
    call: str = ""
    kept: Mapping[str, Any] = field(default_factory=dict[str, Any])
    refused: str = ""
    looks: int = 0
    writes: int = 0
    done: int = 0
    moment: tuple[int, int, int] = (0, 0, 0)
    window: float = 0.0
    state: str = ""
    message: str = ""
    problems: list[str] = field(default_factory=list[str])

    @property
    def before_write(self) -> bool:
        """Whether the service had read the record when the edit began, and had not begun to write."""
        looks, writes, _ = self.moment
        return looks >= 1 and writes == 0

    @property
    def in_window(self) -> bool:
        """Whether the edit began after the service's last look and before its write was answered."""
        looks, _, done = self.moment
        return looks >= 2 and done == 0


def plans(count: int, seed: int) -> Iterator[Plan]:
    """So many plans; half of them at the last look and the write, where it matters most."""
    rng = Random(seed)
    for number in range(count):
        at = rng.choice((3, 4)) if rng.random() < 0.5 else rng.randrange(MOST_CALLS)
        yield Plan(
            EDITS[number % len(EDITS)],
            at,
            rng.choice(PLACES),
            rng.choice((0.0, 0.02, 0.05, 0.1, 0.2)),
            rng.random() < 0.15,
            rng.random() < 0.15,
        )


def place_in(odoo: Administrator) -> Place:
    """Another company with a journal for bills, and a vendor whom no document names."""
    company = odoo.call("res.company", "create", {"name": "Kestrel Handel GmbH"})
    [me] = odoo.find("res.users", [["id", "=", odoo.uid]], ["company_ids"])
    odoo.call("res.users", "write", [odoo.uid], {"company_ids": [(6, 0, [*me["company_ids"], company])]})
    names = {"name": "Bills", "code": "BIL2", "type": "purchase", "company_id": company}
    journal = odoo.call("account.journal", "create", names)
    vendor = odoo.call("res.partner", "create", {"name": "Chosen by hand", "supplier_rank": 1})
    spare = next(doubtful_bills(TODAY, 90_001)).file
    return Place(vendor, company, journal, spare)


def guard(database: OdooDatabase) -> None:
    """Have Odoo compare in the moment of writing, as `vouch prepare` does."""
    secret = SecretStr(database.admin_password)
    erp = connect(Connection("admin", database.url, database.database, secret, database.admin_login, JSONRPC))
    try:
        assert guarded.install(erp.session)
        assert not guarded.install(erp.session)
    finally:
        erp.close()


class Beside:
    """The fault that is none: every RPC goes through, and at the planned one the person acts."""

    def __init__(self, played: Played, act: Callable[[], None]) -> None:
        self._played, self._act, self._count, self._looked = played, act, 0, 0.0

    def __call__(self, exchange: Exchange) -> None:
        played, call = self._played, exchange.asked.call
        number, self._count = self._count, self._count + 1
        writing = call in WRITES
        here = number == played.plan.at and not played.call
        if here:
            played.call = call
        if here and played.plan.place == "before":
            self._act()
        played.writes += writing
        if here and played.plan.place == "while":
            self._both(exchange)
        else:
            answer = exchange.forward()
            self._note(call)
            if here and played.plan.place == "after":
                self._act()
            exchange.pass_on(answer)

    def _note(self, call: str) -> None:
        now, played = time.monotonic(), self._played
        if call == f"{BILL}.web_read":
            played.looks, self._looked = played.looks + 1, now
        elif call in WRITES:
            played.done += 1
            played.window = played.window or now - self._looked

    def _both(self, exchange: Exchange) -> None:
        def later() -> None:
            threading.Event().wait(self._played.plan.pause)
            self._act()

        person = threading.Thread(target=later)
        person.start()
        answer = exchange.forward()
        self._note(exchange.asked.call)
        person.join()
        exchange.pass_on(answer)


def play(
    service: Service, proxy: Proxy, odoo: Administrator, place: Place, batch: Sequence[Plan]
) -> list[Played]:
    """A batch of interleavings on bills of their own, then rounds until all is quiet, and what is not as it must be."""
    service.defects.clear()
    found: list[Played] = []
    papers: dict[int, invariants.Paper] = {}
    for plan in batch:
        delivered = service.deliver(doubtful=plan.doubtful)
        papers |= delivered
        [bill] = delivered
        if plan.begun:
            line = {"name": "begun by hand", "quantity": 1, "price_unit": 1.5, "tax_ids": [(6, 0, [])]}
            odoo.call(BILL, "write", [bill], {"invoice_line_ids": [(0, 0, line)]})
        found.append(Played(plan, bill))
    by_bill = {played.bill: played for played in found}
    pipeline = service.pipeline
    pipeline.discover()
    while job := service.ledger.claim("test", ["main"]):
        played = by_bill.get(job.record_id)
        if played is None or played.job:
            pipeline.work(job)
            continue
        played.job = job.id
        proxy.begin(Beside(played, lambda played=played: act(odoo, place, played)), lambda _: True)
        pipeline.work(job)
        proxy.fault = None
        if not played.call:
            act(odoo, place, played)
    service.until_quiet()
    _check(service, odoo, papers, found)
    return found


def act(odoo: Administrator, place: Place, played: Played) -> None:
    """The person does what is planned."""
    played.moment = (played.looks, played.writes, played.done)
    try:
        played.kept = played.plan.edit.do(odoo, place, played.bill)
    except AssertionError as error:
        # Odoo lets the person know, as its screens do.
        played.refused = str(error).splitlines()[0]


def _check(
    service: Service, odoo: Administrator, papers: Mapping[int, invariants.Paper], found: Sequence[Played]
) -> None:
    jobs: dict[int, list[Job]] = {}
    for job in service.ledger.jobs(limit=4 * len(found) + 20):
        jobs.setdefault(job.record_id, []).append(job)
    general = [*service.defects, *invariants.of_ledger(service.ledger.engine)]
    for played in found:
        mine = jobs.get(played.bill, [])
        first = next((job for job in mine if job.id == played.job), None)
        played.state, played.message = (str(first.state), first.message) if first else ("", "")
        if not played.refused:
            played.problems += missing(odoo, played.bill, played.kept)
        played.problems += twice(odoo, played.bill)
        if first is not None:
            played.problems += _handled(odoo, papers[played.bill], played)
    if found:
        found[0].problems += general


def twice(odoo: Administrator, bill: int) -> Iterator[str]:
    """A sentence for every note that is there more than once."""
    notes = invariants._notes(odoo, [bill])  # pyright: ignore[reportPrivateUsage]
    yield from (
        f"bill {bill} has {count} notes with the key {key}" for key, count in notes[bill].items() if count > 1
    )


def _handled(odoo: Administrator, paper: invariants.Paper, played: Played) -> Iterator[str]:
    """Nothing of Vouch's beside what a person touched before, and the conflict told."""
    if not played.plan.edit.touches or played.refused or not played.before_write:
        return
    if played.state == JobState.FILLED:
        yield f"bill {played.bill} was filled after a person's {played.plan.edit.name}"
    elif not _conflict(played.message):
        yield f"bill {played.bill}: the conflict is not told: {played.message}"


def _conflict(message: str) -> bool:
    told = (
        "changed since",
        "no longer a draft",
        "was changed",
        "gone from Odoo",
        "out of this user's sight",
        "posted meanwhile",
        # Where the edit came before Vouch matched: what Odoo has and the document does not, or that it is settled.
        "Odoo has ",
        " in Odoo is ",
        " in Odoo and stays as it is",
    )
    return any(words in message for words in told)


def clear(odoo: Administrator, found: Sequence[Played]) -> None:
    """Take the bills away, so that later ones are no duplicates of them."""
    for played in found:
        with suppress(AssertionError):
            if "state" in played.kept:
                odoo.call(BILL, "button_draft", [played.bill])
        with suppress(AssertionError):
            odoo.call(BILL, "unlink", [played.bill])
