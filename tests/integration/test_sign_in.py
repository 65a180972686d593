"""Real Odoo users sign in to the real command: who gets in, with what, and who is out again."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from connector.erp.odoo import OdooErp
from connector.erp.people import NotAllowed, OdooPeople, SecondFactorAsked
from connector.erp.wire import Connection
from connector.errors import AccessError
from deploy.odoo.installation import Installation
from deploy.odoo.postgres import Cluster
from tests.acceptance.command import settings_for, start, wait_for
from tests.integration.odoo_server import Odoo, OdooDatabase

USER, PORTAL, INVOICING = "base.group_user", "base.group_portal", "account.group_account_invoice"


def employ(odoo: Odoo, login: str, *groups: str, **values: object) -> int:
    """A user whose password is their login; their id."""
    [field] = [
        name
        for name in odoo.call("res.users", "fields_get", attributes=[])
        if name in ("group_ids", "groups_id")
    ]
    ids = [odoo.call("ir.model.data", "check_object_reference", *group.split("."))[1] for group in groups]
    values = {"name": login.title(), "login": login, "password": login, field: [[6, 0, ids]], **values}
    return odoo.call("res.users", "create", values)


@pytest.fixture(params=["json2", "jsonrpc"])
def people(request: pytest.FixtureRequest, odoo_database: OdooDatabase) -> Iterator[OdooPeople]:
    secret = odoo_database.api_key if request.param == "json2" else odoo_database.password
    erp = OdooErp(
        Connection(
            "main",
            odoo_database.url,
            odoo_database.database,
            SecretStr(secret),
            odoo_database.login,
            request.param,
        )
    )
    yield OdooPeople(erp)
    erp.close()


def test_odoo_says_who_gets_in(people: OdooPeople, odoo_database: OdooDatabase) -> None:
    odoo = Odoo(odoo_database)
    anna = employ(odoo, "anna", USER, INVOICING)
    employ(odoo, "plain", USER)
    employ(odoo, "portal", PORTAL)
    admitted = people.admit("anna", "anna")
    assert (admitted.user_id, admitted.login, admitted.name) == (anna, "anna", "Anna")
    assert admitted.companies is None
    for login in ("plain", "portal"):
        with pytest.raises(NotAllowed):
            people.admit(login, login)
    for login, secret in (("anna", "wrong"), ("nobody", "x"), ("anna", ""), ("anna", "0" * 40)):
        with pytest.raises(AccessError) as refused:
            people.admit(login, secret)
        assert not isinstance(refused.value, NotAllowed)


def test_an_api_key_stands_for_the_password_and_only_its_owners(
    people: OdooPeople, odoo_database: OdooDatabase
) -> None:
    key = odoo_database.api_key
    assert people.admit(odoo_database.login, key).login == odoo_database.login
    with pytest.raises(AccessError):
        people.admit("accountant", key)


def test_who_signs_in_with_a_second_factor_is_told_to_take_a_key(
    people: OdooPeople, odoo_database: OdooDatabase, development_odoo: Installation
) -> None:
    odoo = Odoo(odoo_database)
    installed = [["name", "=", "auth_totp"], ["state", "=", "installed"]]
    if not odoo.find("ir.module.module", installed, ["name"]):
        odoo.call(
            "ir.module.module",
            "button_immediate_install",
            odoo.call("ir.module.module", "search", [["name", "=", "auth_totp"]]),
        )
    anna = employ(odoo, "anna", USER, INVOICING)
    assert people.admit("anna", "anna").user_id == anna
    Cluster(development_odoo.places).ask(
        f"UPDATE res_users SET totp_secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' WHERE id = {anna}",
        odoo_database.database,
    )
    with pytest.raises(SecondFactorAsked, match="API key in place of the password"):
        people.admit("anna", "anna")
    # Who does not know the password is told nothing of that.
    with pytest.raises(AccessError) as refused:
        people.admit("anna", "wrong")
    assert not isinstance(refused.value, NotAllowed)
    vouch = odoo.call("res.users", "search", [["login", "=", odoo_database.login]])[0]
    Cluster(development_odoo.places).ask(
        f"UPDATE res_users SET totp_secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' WHERE id = {vouch}",
        odoo_database.database,
    )
    assert people.admit(odoo_database.login, odoo_database.api_key).user_id == vouch


def test_many_failures_do_not_shut_out_those_who_know_their_password(people: OdooPeople) -> None:
    # Odoo itself refuses an address for a minute after ten failures in a row.
    for number in range(12):
        with pytest.raises(AccessError):
            people.admit(f"guess{number}", "wrong")
    assert people.admit("accountant", "accountant")


def test_rights_change_with_groups_companies_and_archiving(
    people: OdooPeople, odoo_database: OdooDatabase
) -> None:
    odoo = Odoo(odoo_database)
    number = employ(odoo, "anna", USER, INVOICING)
    admitted = people.admit("anna", "anna")
    assert people.rights(number) == admitted.rights
    other = odoo.call("res.company", "create", {"name": "Branch"})
    odoo.call("res.users", "write", [number], {"company_ids": [[4, other]]})
    # Vouch's own login does not see the new company, so for Vouch nothing changed.
    assert people.admit("anna", "anna").companies is None
    group = odoo.call("ir.model.data", "check_object_reference", *INVOICING.split("."))[1]
    odoo.call("res.groups", "write", [group], {"user_ids": [[3, number]]})
    assert people.rights(number) not in (None, admitted.rights)
    with pytest.raises(NotAllowed):
        people.admit("anna", "anna")
    odoo.call("res.users", "write", [number], {"active": False})
    assert people.rights(number) is None
    assert people.rights(987654) is None


def test_whose_companies_are_not_vouchs_does_not_get_in(
    people: OdooPeople, odoo_database: OdooDatabase
) -> None:
    odoo = Odoo(odoo_database)
    other = odoo.call("res.company", "create", {"name": "Branch"})
    employ(odoo, "ben", USER, INVOICING, company_id=other, company_ids=[[6, 0, [other]]])
    with pytest.raises(NotAllowed):
        people.admit("ben", "ben")
    ours = odoo.call("res.users", "search", [["login", "=", odoo_database.login]])
    odoo.call("res.users", "write", ours, {"company_ids": [[4, other]]})
    erp = OdooErp(people._own.settings)
    try:
        assert OdooPeople(erp).admit("ben", "ben").companies == frozenset({other})
    finally:
        erp.close()


def test_the_command_asks_for_a_login_and_ends_sessions_of_those_who_left(
    odoo_database: OdooDatabase, tmp_path: Path
) -> None:
    odoo = Odoo(odoo_database)
    number = employ(odoo, "anna", USER, INVOICING)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {**settings_for(odoo_database, "json2", tmp_path), "VOUCH_WEB__PORT": str(port)}
    environment["VOUCH_WEB__RECHECK_MINUTES"] = "1"
    process = start(environment, "web")
    try:
        with httpx.Client(base_url=address, headers={"Origin": address}, timeout=60) as browser:

            def answers() -> bool:
                assert process.poll() is None, process.stderr.read() if process.stderr else ""
                try:
                    return browser.get("/healthz").is_success
                except httpx.TransportError:
                    return False

            wait_for(answers)
            assert browser.get("/reviews").headers["location"] == "/sign-in?back=/reviews"
            found = re.search(r'name="token" value="(\w+)"', browser.get("/sign-in").text)
            assert found
            form = {"token": found[1], "backend": "main", "login": "anna", "back": "/reviews"}
            assert browser.post("/sign-in", data={**form, "secret": "wrong"}).status_code == 401
            signed_in = browser.post("/sign-in", data={**form, "secret": "anna"})
            assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/reviews")
            assert "Anna" in browser.get("/reviews").text
            odoo.call("res.users", "write", [number], {"active": False})
            wait_for(lambda: browser.get("/reviews").status_code == 303, 90)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        assert "wrong" not in said
    finally:
        process.kill()
        process.communicate()
