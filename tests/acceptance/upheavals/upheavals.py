"""What administrators do to an Odoo, and what happens to it, while bills are filled and approved."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass

from tests.acceptance.upheavals.stand import Stand

ADDON = "vouch_trial"
MANIFEST = "{'name': 'Trial', 'version': '%s', 'depends': ['account'], 'license': 'LGPL-3'}"
MODEL = """
from odoo import fields, models

class Bill(models.Model):
    _inherit = 'account.move'
    trial_word_%s = fields.Char(default='trial')
    trial_sum_%s = fields.Monetary(compute='_compute_trial', store=True)

    def _compute_trial(self):
        for bill in self:
            bill.trial_sum_%s = bill.amount_total
"""


@dataclass(frozen=True)
class Upheaval:
    """`do` brings Odoo down and up again, or changes it beneath the service; `told` says that the service must notice."""

    name: str
    do: Callable[[Stand], None]


def _restart(sign: signal.Signals) -> Callable[[Stand], None]:
    def do(stand: Stand) -> None:
        stand.server.stop(sign)
        stand.until_told()
        stand.server.start()

    return do


def _postgres(stop: Callable[[Stand], None]) -> Callable[[Stand], None]:
    def do(stand: Stand) -> None:
        stop(stand)
        stand.until_told()
        stand.cluster.start()

    return do


def _all_at_once(stand: Stand) -> None:
    """The machine of both fails; Odoo comes up before its database."""
    stand.server.stop(signal.SIGKILL)
    stand.cluster.crash()
    stand.until_told()
    stand.server.start()
    stand.cluster.start()


def write_addon(stand: Stand, version: int) -> None:
    """A small app that adds columns to the bills, other ones in each version."""
    folder = stand.server.folder / "addons" / ADDON
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").write_text("from . import models\n")
    (folder / "__manifest__.py").write_text(MANIFEST % f"1.{version}")
    (folder / "models.py").write_text(MODEL % (version, version, version))


def _install(stand: Stand) -> None:
    write_addon(stand, 1)
    stand.server.update(stand.database.database, "-i", ADDON)


def _update(stand: Stand) -> None:
    """The code changes on disk, the database is updated, and the server restarted: as an administrator does."""
    write_addon(stand, 2)
    stand.server.update(stand.database.database, "-u", ADDON)
    stand.server.stop()
    stand.server.start()


UPHEAVALS: tuple[Upheaval, ...] = (
    Upheaval("Odoo restarted (SIGTERM)", _restart(signal.SIGTERM)),
    Upheaval("Odoo killed (kill -9), started again", _restart(signal.SIGKILL)),
    Upheaval("PostgreSQL of Odoo restarted", _postgres(lambda stand: stand.cluster.stop())),
    Upheaval("PostgreSQL of Odoo crashed", _postgres(lambda stand: stand.cluster.crash())),
    Upheaval("both crashed, Odoo up first", _all_at_once),
    Upheaval("a small app installed beside the server", _install),
    Upheaval("the app updated, the server restarted", _update),
    Upheaval(
        "`-u account` beside the server",
        lambda stand: stand.server.update(stand.database.database, "-u", "account"),
    ),
)


@dataclass(frozen=True)
class Went:
    """What came of one: documents, the answers that the person got, what was told, and what is not as it must be."""

    upheaval: Upheaval
    documents: int
    answers: dict[str, int]
    told: list[str]
    problems: list[str]


def through(stand: Stand, upheaval: Upheaval, sure: int = 4, doubtful: int = 3) -> Went:
    """Deliver, upset Odoo once the first of them is filled, and wait until all is quiet."""
    stand.told.clear()
    stand.person.told.clear()
    stand.person.answers.clear()
    before = len(stand.papers)
    stand.deliver(sure, doubtful)
    stand.until(before + 1)
    upheaval.do(stand)
    stand.until_quiet()
    problems = stand.broken()
    return Went(
        upheaval, len(stand.papers) - before, dict(stand.person.answers), sorted(stand.told), problems
    )
