"""A Chinese digital VAT invoice (数电票，增值税专用发票) with its official layout of boxes."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate

from reportlab.lib.colors import Color, HexColor

from tests.samples.bill import Bill, cents
from tests.samples.paper import Column, Grid, Paper
from tests.samples.printing import Printing

FORM = HexColor("#9a4a1e")
SEAL = HexColor("#c8281e")
LEFT, RIGHT, TOP = 8.0, 202.0, 29.0
DIGITS = "零壹贰叁肆伍陆柒捌玖"


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the one page of the document."""
    p = Printing.of(bill)
    _title(bill, paper, p)
    _party(paper, LEFT, "购买方信息", bill.buyer.name, bill.buyer.vat_id)
    _party(paper, LEFT + 97, "销售方信息", bill.seller.name, bill.seller.vat_id)
    taxes = line_taxes(bill)
    rows = [
        Column("项目名称", 54, "left", [line.item_name for line in bill.lines]),
        Column("规格型号", 26, "left", [line.item_seller_id for line in bill.lines]),
        Column("单位", 12, "center", [p.unit(line.unit) for line in bill.lines]),
        Column("数量", 18, "right", [p.quantity(line.quantity) for line in bill.lines]),
        Column("单价", 22, "right", [p.price(line.net_price) for line in bill.lines]),
        Column("金额", 24, "right", [p.amount(line.line_net_amount) for line in bill.lines]),
        Column("税率/征收率", 16, "center", [p.percent(line.vat_rate) for line in bill.lines]),
        Column("税额", 22, "right", [p.amount(tax) for tax in taxes]),
    ]
    grid = Grid(paper, LEFT, rows, 8, padding=0.6)
    grid.rows(grid.head(TOP + 20, ink=FORM, rules=False), 98, lambda _: 98.0)
    paper.text(LEFT + 12, 102.5, "合        计", 9, ink=FORM, family="kai")
    paper.text(LEFT + 155, 102.5, f"¥{p.amount(bill.total_without_vat)}", 9, align="right")
    paper.text(RIGHT - 1, 102.5, f"¥{p.amount(bill.total_vat)}", 9, align="right")
    _sum(bill, paper, p)
    _remarks(bill, paper)
    paper.frame(LEFT, TOP, RIGHT - LEFT, 102, ink=FORM, line=0.8)
    for y in (TOP + 20, 105.0, 112.5):
        paper.rule(LEFT, y, RIGHT, ink=FORM)
    paper.text(LEFT + 12, 136, "开票人：", 9, ink=FORM, family="kai")
    paper.text(LEFT + 26, 136, "系统开具", 9)


def line_taxes(bill: Bill) -> list[Decimal]:
    """The tax of each line, rounded so that the lines of a rate sum to the tax of that rate."""
    taxes: dict[int, Decimal] = {}
    for row in bill.vat_breakdown:
        numbers = [n for n, line in enumerate(bill.lines) if line.vat_rate == row.vat_rate]
        nets = accumulate(bill.lines[n].line_net_amount for n in numbers)
        sums = [cents(net * row.vat_rate / 100) for net in nets]
        taxes |= {n: now - before for n, now, before in zip(numbers, sums, [Decimal(0), *sums], strict=False)}
    return [taxes[n] for n in range(len(bill.lines))]


def in_words(amount: Decimal) -> str:
    """An amount in the capital numerals of Chinese bookkeeping: 1205.30 is 壹仟贰佰零伍圆叁角整."""
    whole, fraction = divmod(int(cents(amount) * 100), 100)
    groups: list[str] = []
    for place, unit in enumerate(("", "万", "亿")):
        group = whole // 10000**place % 10000
        if group:
            head = "零" if whole // 10000 ** (place + 1) and group < 1000 else ""
            groups.insert(0, head + _thousands(group) + unit)
    jiao, fen = divmod(fraction, 10)
    tail = (DIGITS[jiao] + "角" if jiao else "零" if fen else "") + (DIGITS[fen] + "分" if fen else "整")
    return ("".join(groups) or "零") + "圆" + tail


def _thousands(group: int) -> str:
    words, gap = "", False
    for place, unit in ((1000, "仟"), (100, "佰"), (10, "拾"), (1, "")):
        digit = group // place % 10
        if digit:
            words += ("零" if gap and words else "") + DIGITS[digit] + unit
            gap = False
        else:
            gap = True
    return words


def _title(bill: Bill, paper: Paper, p: Printing) -> None:
    stamp = bill.issue_date.strftime("%Y%m%d")
    paper.code(LEFT, 5, 20, f"01,31,,{bill.number},{bill.total_with_vat},{stamp},,7B3C")
    paper.text(105, 14, "电子发票（增值税专用发票）", 18, align="center", ink=FORM, family="kai")
    for y in (17.5, 18.5):
        paper.rule(62, y, 148, ink=FORM, width=0.7)
    _seal(paper, 105, 20.5, SEAL)
    paper.text(150, 16, "发票号码：", 9, ink=FORM, family="kai")
    paper.text(167, 16, bill.number, 9)
    paper.text(150, 22, "开票日期：", 9, ink=FORM, family="kai")
    paper.text(167, 22, p.day(bill.issue_date), 9)


def _seal(paper: Paper, x: float, y: float, ink: Color) -> None:
    paper.frame(x - 13, y, 26, 7, ink=ink, line=1, radius=3.4)
    paper.text(x, y + 3.2, "全国统一发票监制章", 5.5, align="center", ink=ink, family="kai")
    paper.text(x, y + 5.8, "国家税务总局", 5, align="center", ink=ink, family="kai")


def _party(paper: Paper, x: float, label: str, name: str, number: str) -> None:
    for index, letter in enumerate(label):
        paper.text(x + 3.5, TOP + 4 + index * 3.7, letter, 8.5, align="center", ink=FORM, family="kai")
    paper.rule(x + 7, TOP, x + 7, TOP + 20, ink=FORM)
    paper.rule(x, TOP, x, TOP + 20, ink=FORM)
    width = paper.text(x + 9, TOP + 7, "名称：", 9, ink=FORM, family="kai")
    paper.text(x + 9 + width, TOP + 7, name, 9)
    width = paper.text(x + 9, TOP + 15.5, "统一社会信用代码/纳税人识别号：", 8.5, ink=FORM, family="kai")
    paper.text(x + 9 + width, TOP + 15.5, number, 8.5)


def _sum(bill: Bill, paper: Paper, p: Printing) -> None:
    paper.text(LEFT + 6, 110, "价税合计（大写）", 9.5, ink=FORM, family="kai")
    paper.text(LEFT + 48, 110, f"⊗{in_words(bill.total_with_vat)}", 9.5)
    paper.text(LEFT + 130, 110, "（小写）", 9.5, ink=FORM, family="kai")
    paper.text(LEFT + 147, 110, f"¥{p.amount(bill.total_with_vat)}", 10)
    paper.rule(LEFT + 42, 105, LEFT + 42, 112.5, ink=FORM)


def _remarks(bill: Bill, paper: Paper) -> None:
    for index, letter in enumerate("备注"):
        paper.text(LEFT + 3.5, 118.5 + index * 6, letter, 9, align="center", ink=FORM, family="kai")
    paper.rule(LEFT + 7, 112.5, LEFT + 7, TOP + 102, ink=FORM)
    seller = bill.seller
    rows = [
        f"销方地址：{seller.address}；电话：{seller.phone}",
        f"销方开户银行：{seller.bank}；银行账号：{seller.account}",
        f"订单号：{bill.order_reference}" if bill.order_reference else "",
        *bill.notes,
    ]
    paper.stack(LEFT + 9, 117, rows, 8, leading=1.45)
