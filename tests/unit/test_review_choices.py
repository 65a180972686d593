"""Words of pages, records to choose from and new vendors, as the API gives them and refuses them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from connector.erp.port import Choice
from connector.errors import AccessError, AwayError, SkippableError
from connector.review.app import create_app
from inference.document import open_document
from tests.review_ledger import Desk, draw_bill, fill

ADDRESS = "http://127.0.0.1:8170"


@dataclass
class Odoo:
    """Answers with one record, or fails as it is told to; keeps what it was asked."""

    trouble: Exception | None = None
    asked: list[Any] = field(default_factory=list[Any])

    def search(self, *asked: Any) -> tuple[Choice, ...]:
        self.asked.append(asked)
        if self.trouble:
            raise self.trouble
        return (Choice(7, "Nordwind", "DE1"),)

    def create_vendor(self, details: Mapping[str, str | bool], company: int | None) -> Choice:
        self.asked.append((dict(details), company))
        if self.trouble:
            raise self.trouble
        return Choice(8, str(details["name"]))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return fill(tmp_path_factory.mktemp("desk"))


def client_of(desk: Desk, odoo: Odoo) -> TestClient:
    deps = replace(desk.deps, registry=CollectorRegistry(), erp=lambda name: odoo if name == "main" else None)
    return TestClient(create_app(deps), base_url=ADDRESS, raise_server_exceptions=False)


def test_the_words_of_a_page_are_where_they_are_printed(shared: Desk) -> None:
    client = client_of(shared, Odoo())
    job = shared.ids["review1"]
    words = client.get(f"/api/v1/documents/{job}/pages/1/words").json()
    assert [word["text"] for word in words][:3] == ["Nordwind", "Logistik", "GmbH"]
    pdf = draw_bill("Nordwind Logistik GmbH", "RE-2025-0187", "2380.00", "EUR")
    tokens = open_document(pdf, "bill.pdf").pages[0].tokens
    assert [word["box"] for word in words] == [pytest.approx(list(token.box), abs=1e-4) for token in tokens]
    assert client.get(f"/api/v1/documents/{job}/pages/1/words").json() == words
    for path in (f"/{job}/pages/2/words", "/4711/pages/1/words", f"/{shared.ids['skipped']}/pages/1/words"):
        assert client.get(f"/api/v1/documents{path}").status_code == 404
    assert client.get(f"/api/v1/documents/{shared.ids['failed']}/pages/1/words").status_code == 422


def test_choices_come_from_odoo_within_the_company_and_of_the_vendor(shared: Desk) -> None:
    odoo = Odoo()
    client = client_of(shared, odoo)
    found = client.get("/api/v1/choices/account.tax?backend=main&q=19&company=1&vendor=7")
    assert found.json() == [{"id": 7, "name": "Nordwind", "detail": "DE1"}]
    assert odoo.asked == [("account.tax", "19", (1,), 7, 20)]
    for wrong in ("res.users?backend=main", "account.tax?backend=other", "account.tax"):
        assert client.get(f"/api/v1/choices/{wrong}").status_code in (404, 422)
    assert len(odoo.asked) == 1


@pytest.mark.parametrize(
    ("trouble", "status", "code"),
    [
        (AwayError("Odoo does not answer."), 503, "away"),
        (SkippableError("No such company.", "refused"), 422, "refused"),
        (AccessError("Give the role Contact: Creation."), 502, "erp"),
    ],
)
def test_what_odoo_says_is_told(shared: Desk, trouble: Exception, status: int, code: str) -> None:
    answer = client_of(shared, Odoo(trouble)).get("/api/v1/choices/res.partner?backend=main&q=a")
    assert (answer.status_code, answer.json()) == (status, {"error": code, "message": str(trouble)})


def test_a_vendor_is_made_by_a_page_of_ours_only(shared: Desk) -> None:
    odoo = Odoo()
    client = client_of(shared, odoo)
    token = re.search(r'name="vouch-token" content="([^"]+)"', client.get("/documents/1").text)
    assert token
    body: dict[str, Any] = {"backend": "main", "company": 1, "values": {"name": "Yamato", "is_company": True}}
    own = {"Origin": ADDRESS, "Sec-Fetch-Site": "same-origin", "X-Vouch-Token": token[1]}
    assert client.post("/api/v1/vendors", json=body, headers=own).json()["id"] == 8
    assert odoo.asked == [({"name": "Yamato", "is_company": True}, 1)]
    for headers in ({}, {**own, "X-Vouch-Token": "0" * 64}, {**own, "Origin": "https://evil.example"}):
        assert client.post("/api/v1/vendors", json=body, headers=headers).status_code == 403
    for wrong in (body | {"more": 1}, body | {"company": 0}, body | {"values": {"name": "x" * 301}}):
        assert client.post("/api/v1/vendors", json=wrong, headers=own).status_code == 422
    assert len(odoo.asked) == 1


def test_no_script_is_larger_than_forty_kilobytes() -> None:
    for file in (Path(__file__).parents[2] / "connector/review/static").glob("*.js"):
        assert file.stat().st_size <= 40_000, file.name
