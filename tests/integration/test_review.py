"""The review app in a real Chromium against a live server: keyboard, evidence, layout, both languages."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.axe import violations
from tests.integration.browser import open_page, served
from tests.review_ledger import Desk, fill


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return fill(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def address(desk: Desk) -> Generator[str]:
    with served(desk.deps) as address:
        yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Generator[Page]:
    yield from open_page(browser, address)


def focused_row(page: Page) -> str:
    return page.evaluate("document.activeElement.id")


def test_queue_by_keyboard(page: Page) -> None:
    page.goto("/reviews")
    for key, row in (("j", 1), ("j", 2), ("ArrowDown", 3), ("k", 2), ("ArrowUp", 1), ("k", 1)):
        page.keyboard.press(key)
        assert focused_row(page) == f"job-{row}"
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/documents/2")
    page.goto("/documents/2?read=1")
    page.keyboard.press("u")
    page.wait_for_url("**/reviews#job-2")
    assert focused_row(page) == "job-2"


def test_a_click_on_the_row_opens_it(page: Page) -> None:
    page.goto("/reviews")
    page.get_by_text("The vendor is not in Odoo yet.").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Yamato Parts K.K.")


def test_o_opens_the_record_of_the_row(page: Page) -> None:
    opened: list[str] = []
    page.context.route("http://127.0.0.1:9/**", lambda route: route.fulfill(body="odoo"))
    page.context.on("request", lambda request: opened.append(request.url))
    page.goto("/reviews")
    page.keyboard.press("j")
    page.keyboard.press("j")
    with page.context.expect_page() as other:
        page.keyboard.press("o")
    other.value.wait_for_url("http://127.0.0.1:9/main/account.move/42")
    assert other.value.evaluate("window.opener") is None
    page.goto("/documents/4?read=1")
    with page.context.expect_page() as other:
        page.keyboard.press("o")
    other.value.wait_for_url("http://127.0.0.1:9/main/purchase.order/44")


def test_key_sheet(page: Page) -> None:
    page.goto("/reviews")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Keyboard").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_value_and_its_box_light_up_together(page: Page) -> None:
    page.goto("/documents/1?read=1")
    row = page.locator("tr[data-boxes]", has_text="Invoice number")
    box = page.locator(f"#{row.get_attribute('data-boxes')}")
    lit = page.locator("rect.lit")
    row.get_by_role("link").focus()
    expect(lit).to_have_count(1)
    assert lit.get_attribute("id") == box.get_attribute("id")
    page.keyboard.press("j")
    expect(box).not_to_have_class("lit")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Invoice number"
    page.keyboard.press("j")
    page.get_by_text("What happened").hover()
    box.hover()
    expect(row).to_have_class("lit")
    box.click()
    assert page.evaluate("document.activeElement.textContent") == "Invoice number"


def test_the_box_is_where_the_words_are_printed(page: Page) -> None:
    page.goto("/documents/1?read=1")
    page.wait_for_function("document.querySelector('.page img').complete")
    row = page.locator("tr[data-boxes]", has_text="Invoice number")
    share = page.evaluate(
        """id => {
          const box = document.getElementById(id).getBoundingClientRect();
          const page = document.querySelector('.page img').getBoundingClientRect();
          return [(box.left - page.left) / page.width, (box.top + box.height / 2 - page.top) / page.height];
        }""",
        row.get_attribute("data-boxes"),
    )
    # `draw_bill` prints the number at x = 160, y = 640 points on A4.
    assert share[0] == pytest.approx(160 / 595.3, abs=0.01)
    assert share[1] == pytest.approx((841.9 - 643.5) / 841.9, abs=0.01)


def test_line_cells_light_their_own_box(page: Page) -> None:
    page.goto("/documents/1?read=1")
    page.get_by_role("cell", name="1,500.00").hover()
    expect(page.locator("rect.lit")).to_have_count(1)
    expect(page.locator("rect.lit")).to_be_in_viewport()


def test_read_again_asks_for_the_document_again(page: Page, desk: Desk) -> None:
    page.goto(f"/documents/{desk.ids['failed']}")
    page.get_by_role("button", name="Read again").click()
    expect(page.locator(".title .state")).to_have_text("Waiting")
    assert page.url.endswith(f"/documents/{desk.ids['failed']}")


def test_the_language_is_switched_on_the_spot(page: Page, desk: Desk) -> None:
    page.goto(f"/documents/{desk.ids['filled']}")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("link", name="发票号码")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("link", name="Invoice number")).to_be_visible()


@pytest.mark.parametrize(
    "path",
    [
        "/reviews",
        "/documents",
        "/documents/1",
        "/documents/1?read=1",
        "/documents/15",
        "/documents/12/history",
        "/insight",
    ],
)
def test_nothing_scrolls_sideways(page: Page, path: str) -> None:
    page.goto(path)
    page.keyboard.press("e")
    for width, height in ((1366, 768), (800, 600), (820, 1180), (3840, 2160)):
        page.set_viewport_size({"width": width, "height": height})
        apart = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert apart <= 0, (width, height)


def test_the_queue_is_searched_grouped_and_narrowed_by_keyboard(page: Page) -> None:
    page.goto("/reviews")
    rows = page.locator("a[data-row]")
    everything = rows.count()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("yamato")
    page.keyboard.press("Enter")
    page.wait_for_url("**/reviews?*q=yamato*")
    expect(rows).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/documents/*q=yamato*")
    page.go_back()
    expect(rows).to_have_count(1)
    page.locator(".chosen a").focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(everything)
    page.get_by_role("navigation", name="Groups").get_by_role("link", name="Vendor", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**group=vendor*")
    group = page.locator(".rail li a").first
    waiting = int(group.locator("b").inner_text())
    group.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**vendor=*")
    expect(rows).to_have_count(waiting)


def test_the_history_by_keyboard(page: Page, desk: Desk) -> None:
    page.goto(f"/documents/{desk.ids['filled']}/history")
    details = page.locator(".moment details")
    assert details.count() > 1
    page.get_by_text("What was read").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("rowheader", name="Invoice number")).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_role("button", name="All details")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".moment details:not([open])")).to_have_count(0)
    page.keyboard.press("e")
    expect(page.locator(".moment details[open]")).to_have_count(0)
    with page.expect_download() as kept:
        page.get_by_role("link", name="JSON").click()
    assert kept.value.suggested_filename == f"vouch-document-{desk.ids['filled']}.json"
    page.keyboard.press("u")
    page.wait_for_url(f"**/documents/{desk.ids['filled']}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_barriers_on_the_pages_about_the_past(
    browser: Browser, address: str, desk: Desk, scheme: str
) -> None:
    for page in open_page(browser, address, color_scheme=scheme):
        for path in ("/documents", f"/documents/{desk.ids['filled']}/history", "/insight"):
            page.goto(path)
            page.keyboard.press("e")
            assert violations(page) == [], path


def test_hostile_text_stays_text(page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    page.goto("/documents/15")
    expect(page.get_by_role("heading", level=1)).to_contain_text("<script>alert(1)</script>")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/reviews", "/documents", "/documents/1", "/documents/1?read=1", "/documents/12/history"]
)
def test_text_has_the_contrast_of_wcag_aa(browser: Browser, address: str, scheme: str, path: str) -> None:
    for page in open_page(browser, address, color_scheme=scheme):
        page.goto(path)
        assert page.evaluate(CONTRAST) == []


# Contrast ratio by WCAG 2.2, 1.4.3, of every element that holds text, on the first opaque ground behind it.
CONTRAST = """() => {
  const parse = colour => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest(".sr, .skip")) continue;
    const [one, two] = [parse(getComputedStyle(element).color), ground(element)].map(light).sort((a, b) => b - a);
    const ratio = (one + .05) / (two + .05);
    if (ratio < 4.5) poor.push(`${element.textContent.trim()}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""
