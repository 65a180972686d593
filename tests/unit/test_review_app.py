"""The review app without a browser: every route, both languages, and what hostile documents and sites try."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from prometheus_client import CollectorRegistry

from connector.erp.port import BILL, Attachment, Poll, SyncCursor
from connector.ledger.states import JobState
from connector.plain_text import plain
from connector.review.app import STATIC, create_app
from connector.review.bill import GROUPS
from connector.review.language import Languages, from_document
from connector.review.pages import LARGEST, LONG_SIDE, PageImages
from connector.review.security import LARGEST_FORM
from inference.invoice import (
    HEADER,
    HEADER_TERMS,
    LINE_TERMS,
    VAT_TERMS,
    DocumentType,
    Evidence,
    Field,
    Reading,
)
from inference.isolation.child import webp
from tests.review_ledger import Desk, fill

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "http://127.0.0.1:8170"
OWN = {"Origin": ADDRESS, "Sec-Fetch-Site": "same-origin"}
PAGES = (
    "/reviews",
    "/documents",
    "/documents?state=failed",
    "/documents/1",
    "/documents/13",
    "/documents/14",
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A filled ledger that no test changes."""
    return fill(tmp_path_factory.mktemp("desk"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A filled ledger of the test's own."""
    return fill(tmp_path)


@pytest.fixture
def client(shared: Desk) -> TestClient:
    return client_of(shared)


def client_of(desk: Desk, **changed: object) -> TestClient:
    deps = replace(desk.deps, registry=CollectorRegistry(), **changed)
    return TestClient(
        create_app(deps), base_url=ADDRESS, follow_redirects=False, raise_server_exceptions=False
    )


def token_of(client: TestClient, path: str = "/documents/13") -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', client.get(path).text)
    assert found
    return found[1]


# -- pages ------------------------------------------------------------------------------------------------------


def test_start_leads_to_the_queue(client: TestClient) -> None:
    assert client.get("/").headers["location"] == "/reviews"


def test_queue_shows_the_longest_waiting_first_with_its_reason_and_record(client: TestClient) -> None:
    html = client.get("/reviews").text
    assert re.findall(r'id="job-(\d+)"', html)[:2] == ["1", "2"]
    assert "12 documents wait for a person." in html
    assert "2,380.00" in html
    assert "+1 more" in html
    assert 'href="http://127.0.0.1:9/main/account.move/41"' in html
    assert "11 days" in html


def test_a_yen_amount_has_no_cents_and_a_credit_note_is_negative(client: TestClient) -> None:
    html = client.get("/reviews").text
    assert ">55,000<" in html
    assert ">-95.20<" in html


def test_an_unconfigured_backend_has_no_link(shared: Desk) -> None:
    html = client_of(shared, record_url=lambda *_: None).get("/reviews").text
    assert 'id="job-1"' in html
    assert "data-erp" not in html


def test_documents_can_be_filtered_by_state(client: TestClient) -> None:
    everything = client.get("/documents").text
    failed = client.get("/documents?state=failed").text
    assert everything.count("data-row") == 16
    assert failed.count("data-row") == 1
    assert "The PDF is damaged. Ask the sender for it again." in failed
    assert client.get("/documents?state=nonsense").status_code == 404


def test_bill_page_links_values_with_their_boxes(client: TestClient) -> None:
    html = client.get("/documents/1").text
    boxes = set(re.findall(r'<rect id="(b\d+)"', html))
    linked = {box for boxes in re.findall(r'data-boxes="([^"]*)"', html) for box in boxes.split()}
    assert boxes == linked
    assert len(boxes) > 15
    for expected in (
        "RE-2025-0187",
        "Feb 28, 2025",
        "61 %",
        "30 March or 14 April could be meant.",
        "-95.00",
    ):
        assert expected in html
    # The total and the amount due stand in one place: one box, two values.
    total = re.search(r'data-boxes="(b\d+)">\s*<th scope="row"><a[^>]*>Total with VAT', html)
    assert total
    assert html.count(f'data-boxes="{total[1]}"') == 2


def test_bill_page_without_reading_says_what_happened(client: TestClient, shared: Desk) -> None:
    html = client.get(f"/documents/{shared.ids['failed']}").text
    assert "The PDF is damaged. Ask the sender for it again." in html
    assert "Nothing was read from this document." in html
    assert "Read again" in html
    assert "not kept here" in client.get(f"/documents/{shared.ids['skipped']}").text


def test_a_filled_document_cannot_be_sent_again(client: TestClient, shared: Desk) -> None:
    assert "Read again" not in client.get(f"/documents/{shared.ids['filled']}").text


def test_page_images_are_small_webp_and_the_same_from_memory(client: TestClient) -> None:
    first, second = (client.get("/documents/1/pages/1.webp") for _ in range(2))
    assert first.headers["content-type"] == "image/webp"
    assert len(first.content) <= LARGEST
    assert first.content == second.content
    with Image.open(BytesIO(first.content)) as picture:
        assert max(picture.size) > 1500


def test_a_noisy_page_stays_under_the_limit() -> None:
    noise = Image.effect_noise((2480, 3508), 120)
    assert len(webp(noise, LONG_SIDE, LARGEST)) <= LARGEST


def test_pages_that_are_not_there(client: TestClient, shared: Desk) -> None:
    for path in (
        "/documents/1/pages/2.webp",
        "/documents/1/pages/0.webp",
        "/documents/999",
        "/documents/abc",
        "/documents/99999999999999999999",
        "/documents?page=0",
        f"/documents/{shared.ids['skipped']}/pages/1.webp",
        "/static/../app.py",
        "/docs",
        "/openapi.json",
    ):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert "There is no such page." in answer.text, path
    assert client.get(f"/documents/{shared.ids['failed']}/pages/1.webp").status_code == 422


def test_embedded_data_shows_its_path_instead_of_a_page(desk: Desk) -> None:
    found = Attachment("main", 77, "77", "invoice.xml", "application/xml", 9, BILL, 77, desk.clock())
    desk.ledger.remember("main", Poll((found,), SyncCursor(desk.clock(), 77)))
    while (job := desk.ledger.claim("worker", ["main"])) is not None and job.record_id != 77:
        pass
    assert job is not None
    desk.ledger.keep_document(job, desk.documents.put(b"<Invoice><ID>R-1</ID></Invoice>"))
    field = Field("R-1", 1.0, (Evidence(xpath="/Invoice/ID", text="R-1"),))
    desk.ledger.keep_reading(job, "einvoice", "1", Reading("einvoice", {"invoice_number": field}).as_json())
    html = client_of(desk).get(f"/documents/{job.id}").text
    assert "/Invoice/ID" in html
    assert "100 %" in html
    assert "This document has no pages" in html


def test_a_photograph_is_shown_without_waiting_for_its_size(shared: Desk) -> None:
    out = BytesIO()
    Image.new("RGB", (600, 400), "white").save(out, "PNG")
    pages = PageImages(shared.documents, shared.deps.sandbox)
    sha256 = shared.documents.put(out.getvalue())
    assert pages.paper(sha256).sizes == (None,)
    assert pages.paper("0" * 64).problem == "gone"


def test_kept_pictures_stay_within_their_memory(shared: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = PageImages(shared.documents, shared.deps.sandbox)
    story = [shared.ledger.story(number) for number in (1, 2, 3)]
    hashes = [one.job.document_sha256 for one in story if one and one.job.document_sha256]
    sizes = [len(pages.picture(sha256, 1) or b"") for sha256 in hashes]
    monkeypatch.setattr("connector.review.pages.KEPT_BYTES", max(sizes))
    small = PageImages(shared.documents, shared.deps.sandbox)
    for sha256 in (*hashes, *hashes):
        assert small.picture(sha256, 1) == pages.picture(sha256, 1)
        assert sum(map(len, small._pictures.values())) == small._bytes <= max(sizes)


# -- hostile documents ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/reviews", "/documents", "/documents/15"])
def test_text_of_a_document_is_data(client: TestClient, path: str) -> None:
    html = client.get(path).text
    assert "alert(1)" in html
    assert "{{7*7}}" in html
    assert not re.search(r"<script(?! type=\"module\" src=\"/static/)", html)
    assert "\u202e" not in html
    assert "\u200b" not in html
    assert not re.search(r"\son\w+=|style=|javascript:", html)


@given(st.text())
def test_from_document_never_makes_markup_or_turns_the_text(text: str) -> None:
    html = str(from_document(text))
    assert html.startswith("<bdi>")
    assert html.endswith("</bdi>")
    assert not set("<>\"'") & set(html[5:-6])
    assert not set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200b\u200e\u200f\ufeff\0") & set(html)


def test_ordinary_scripts_are_not_touched() -> None:
    for name in ("Müller & Söhne", "深圳市华龙电子有限公司", "شرکت نفت\u200cکش", "क्\u200dष", "Ελλάς"):
        assert plain(name) == name
    assert plain("Donau\xaddampf") == "Donaudampf"


# -- security ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [*PAGES, "/healthz", "/metrics", "/static/vouch.css", "/nowhere", "/documents/1/pages/1.webp"]
)
def test_every_answer_is_hardened(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_a_defect_is_hardened_too_and_tells_nothing(shared: Desk) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError("a secret")

    answer = client_of(shared, record_url=broken).get("/reviews")
    assert answer.status_code == 500
    assert "content-security-policy" in answer.headers
    assert "a secret" not in answer.text


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8170", "", "localhost:8170@evil.example"]
)
def test_other_host_names_are_refused(client: TestClient, host: str) -> None:
    assert client.get("/reviews", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost:8170", "[::1]:8170", "vouch.example"])
def test_loopback_and_configured_names_are_served(shared: Desk, host: str) -> None:
    client = client_of(shared, hosts=("vouch.example",))
    assert client.get("/reviews", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": ADDRESS, "Sec-Fetch-Site": "cross-site"},
        {"Origin": ADDRESS, "Sec-Fetch-Site": "same-site"},
        {"Origin": "file://127.0.0.1:8170"},
    ],
)
def test_writes_from_elsewhere_are_refused(desk: Desk, headers: dict[str, str]) -> None:
    client = client_of(desk)
    token, job = token_of(client), desk.ids["failed"]
    answer = client.post(f"/documents/{job}/retry", data={"token": token}, headers=headers)
    assert answer.status_code == 403
    assert _state(desk, job) == JobState.FAILED


def test_writes_need_the_token_of_this_browser(desk: Desk) -> None:
    client, job = client_of(desk), desk.ids["failed"]
    other = token_of(client_of(desk))
    for data in ({"token": "0" * 64}, {"token": other}, {"token": "\xe9"}, {}):
        token_of(client)
        assert client.post(f"/documents/{job}/retry", data=data, headers=OWN).status_code in (403, 422)
    token = token_of(client)
    client.cookies.clear()
    assert client.post(f"/documents/{job}/retry", data={"token": token}, headers=OWN).status_code == 403
    assert _state(desk, job) == JobState.FAILED


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites_writes(client: TestClient) -> None:
    cookie = client.get("/reviews").headers["set-cookie"].lower()
    assert "samesite=lax" in cookie
    assert "httponly" in cookie


def test_large_and_endless_bodies_are_refused(client: TestClient) -> None:
    token = token_of(client)
    large = {"token": token, "code": "x" * LARGEST_FORM}
    assert client.post("/language", data=large, headers=OWN).status_code == 413
    assert client.post("/language", content=iter([b"a"]), headers=OWN).status_code == 411


@pytest.mark.parametrize("name", ["failed", "skipped", "review1"])
def test_retry_sends_a_document_again(desk: Desk, name: str) -> None:
    client, job = client_of(desk), desk.ids[name]
    answer = client.post(f"/documents/{job}/retry", data={"token": token_of(client)}, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/documents/{job}")
    assert _state(desk, job) == JobState.QUEUED
    assert "Waiting" in client.get(f"/documents/{job}").text
    again = client.post(f"/documents/{job}/retry", data={"token": token_of(client, "/reviews")}, headers=OWN)
    assert again.status_code == 409


def test_retry_leaves_a_filled_document_alone(desk: Desk) -> None:
    client, job = client_of(desk), desk.ids["filled"]
    answer = client.post(f"/documents/{job}/retry", data={"token": token_of(client)}, headers=OWN)
    assert answer.status_code == 409
    assert _state(desk, job) == JobState.FILLED
    assert client.get(f"/documents/{job}/retry").status_code == 405


def _state(desk: Desk, job: int) -> str:
    story = desk.ledger.story(job)
    assert story
    return story.job.state


# -- health -----------------------------------------------------------------------------------------------------


def test_ready_when_polled_lately(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"alive": True}
    assert client.get("/readyz").json() == {"ready": True, "problems": []}


def test_not_ready_says_why(desk: Desk) -> None:
    week = timedelta(days=7)
    desk.ledger.poll_failed("branch", "Odoo did not answer. Check its address.")
    backends = {"main": timedelta(minutes=5), "branch": week, "new": week}
    client = client_of(desk, backends=backends, problems=lambda: ["The API key expires tomorrow."])
    desk.clock.move(minutes=6)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problems"] == [
        "The last poll of main was 360 seconds ago. Is the scheduler running?",
        "The last poll of branch failed: Odoo did not answer. Check its address.",
        "new has not been polled yet.",
        "The API key expires tomorrow.",
    ]


def test_a_long_poll_that_gets_further_is_ready_and_one_that_hangs_is_not(desk: Desk) -> None:
    """A first poll of eight minutes, after one that failed, beside one that takes longer than the last."""
    longest = timedelta(minutes=3)
    client = client_of(desk, backends={"main": longest, "new": longest})
    desk.ledger.poll_failed("new", "Odoo did not answer. Check its address.")
    assert client.get("/readyz").json()["problems"] == [
        "The last poll of new failed: Odoo did not answer. Check its address."
    ]
    for _ in range(3):
        for backend in ("main", "new"):
            desk.ledger.poll_goes_on(backend)
        desk.clock.move(minutes=3)
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"ready": True, "problems": []})
    desk.clock.move(seconds=1)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problems"] == [
        f"The poll of {backend} has got no further for 181 seconds. Does that Odoo answer? Is the scheduler running?"
        for backend in ("main", "new")
    ]
    desk.ledger.remember("new", Poll((), SyncCursor()))
    desk.ledger.poll_failed("main", "Odoo is away.")
    assert client.get("/readyz").json()["problems"] == ["The last poll of main failed: Odoo is away."]


def test_not_ready_when_the_ledger_cannot_be_written(desk: Desk) -> None:
    from sqlalchemy import event

    desk.ledger.engine.dispose()
    event.listen(
        desk.ledger.engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only=ON")
    )
    client = client_of(desk)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "The ledger cannot be written" in answer.json()["problems"][0]
    assert client.get("/healthz").status_code == 200


def test_a_ledger_that_is_gone_is_said_on_the_page(desk: Desk) -> None:
    with desk.ledger.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE review RENAME TO elsewhere")
    answer = client_of(desk).get("/reviews")
    assert answer.status_code == 503
    assert "The ledger cannot be read now." in answer.text


def test_metrics_come_from_the_ledger(desk: Desk) -> None:
    client = client_of(desk)
    before = client.get("/metrics").text
    assert 'vouch_jobs{state="in_review"} 12.0' in before
    assert "vouch_reviews_open 12.0" in before
    oldest = re.search(r"(?m)^vouch_review_oldest_opened_timestamp_seconds (\S+)", before)
    assert oldest
    assert abs(float(oldest[1]) - (desk.clock() - timedelta(days=12)).timestamp()) < 60
    polled = re.search(r'(?m)^vouch_poll_last_success_timestamp_seconds\{backend="main"\} (\S+)', before)
    assert polled
    assert float(polled[1]) == desk.clock().timestamp()
    assert 'vouch_poll_ok{backend="main"} 1.0' in before
    desk.ledger.poll_failed("main", "away")
    desk.ledger.retry("test", [JobState.IN_REVIEW])
    after = client.get("/metrics").text
    assert 'vouch_poll_ok{backend="main"} 0.0' in after
    assert "vouch_reviews_open 0.0" in after


# -- languages --------------------------------------------------------------------------------------------------


def test_both_languages_have_the_same_texts_with_the_same_places() -> None:
    english, chinese = (Languages("en").all[code] for code in ("en", "zh_CN"))
    assert english.texts.keys() == chinese.texts.keys()
    for key, text in english.texts.items():
        assert _places(text) == _places(chinese.texts[key]), key


def test_every_term_has_a_label_and_every_group_exists() -> None:
    texts = Languages("en").default.texts
    for term in (*HEADER_TERMS, *LINE_TERMS, *VAT_TERMS):
        assert f"term.{term.name}" in texts
    for kind in DocumentType:
        assert f"document_type.{kind}" in texts
    for group, names in GROUPS.items():
        assert f"group.{group}" in texts
        assert set(names) <= set(HEADER)
    for state in JobState:
        assert f"job_state.{state}" in texts


def _places(text: object) -> set[str]:
    texts = [text] if isinstance(text, str) else list(text.values())  # type: ignore[attr-defined]
    return {name for one in texts for _, name, _, _ in string.Formatter().parse(one) if name}


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("accept", "tag"), [("de-DE,de;q=0.9,en;q=0.1", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN")]
)
def test_pages_follow_the_browser(client: TestClient, path: str, accept: str, tag: str) -> None:
    html = client.get(path, headers={"Accept-Language": accept}).text
    assert f'<html lang="{tag}">' in html
    assert ("待审核" in html) == (tag == "zh-CN")


def test_broken_language_headers_fall_back(client: TestClient) -> None:
    for header in (";;;q=x,,", "zh;q=0", "x" * 5000):
        assert '<html lang="en">' in client.get("/reviews", headers={"Accept-Language": header}).text


def test_the_switch_is_remembered_and_stays_on_the_page(client: TestClient) -> None:
    form = {"token": token_of(client), "code": "zh_CN", "back": "/documents/1"}
    answer = client.post("/language", data=form, headers=OWN)
    assert answer.headers["location"] == "/documents/1"
    html = client.get("/documents/1").text
    assert "2025年2月28日" in html
    assert "发票号码" in html


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "evil",
        "/\t/evil.example",
        "/\n/evil.example",
    ],
)
def test_the_switch_leads_nowhere_else(client: TestClient, back: str) -> None:
    form = {"token": token_of(client), "code": "en", "back": back}
    assert client.post("/language", data=form, headers=OWN).headers["location"] == "/"


def test_numbers_keep_what_was_printed() -> None:
    language = Languages("en").default
    assert language.amount(Decimal("1234.5"), "EUR") == "1,234.50"
    assert language.amount(Decimal("0.1234"), "EUR") == "0.1234"
    assert language.amount(Decimal("1E+3"), "JPY") == "1,000"
    assert language.number(Decimal("3.000")) == "3"
    assert language.percent(0.999) == "99 %"
    assert language.percent(0.29) == "29 %"
    assert language.percent(1.0) == "100 %"


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_any_number_can_be_shown(number: Decimal) -> None:
    shown = Languages("en").default.amount(number, "EUR")
    if number.is_finite() and abs(number.adjusted()) <= 25:
        assert Decimal(shown.replace(",", "")) == number or -number.as_tuple().exponent > 30  # type: ignore[operator]


def test_no_script_is_over_forty_kilobytes() -> None:
    sizes = {file.name: file.stat().st_size for file in STATIC.glob("*.js")}
    assert len(sizes) > 10
    assert {name: size for name, size in sizes.items() if size > 40 * 1024} == {}
