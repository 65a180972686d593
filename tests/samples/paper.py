"""Pages to draw on, in millimetres from the top left corner, and a table of lines that runs over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import NamedTuple

from reportlab.lib.colors import Color, HexColor, black
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from tests.samples import fonts

POINT = 1 / mm
"""One point in millimetres."""
INK = black
GREY = HexColor("#5b6168")
PALE = HexColor("#f1f3f5")
WHITE = HexColor("#ffffff")
ACCENTS = tuple(
    HexColor(code)
    for code in (
        "#1f4e79", "#7a1f2b", "#2f6b3c", "#b4530a", "#3d3a8c", "#0f6e75", "#444c55", "#8a2f6b", "#9a7a0c",
    )
)  # fmt: skip


class Printed(NamedTuple):
    """Where a line of text stands: its page and box in millimetres, from the top of its capitals to its baseline."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float
    words: str


class Paper:
    """A PDF under construction. `count` is the number of pages to print in "page n of count"."""

    def __init__(self, family: str, width: float = 210, height: float = 297, count: int = 1) -> None:
        self.family, self.width, self.height, self.count = family, width, height, count
        self.number = 1
        self.boxes: list[Printed] = []
        self._bytes = BytesIO()
        self._canvas = Canvas(self._bytes, pagesize=(width * mm, height * mm), invariant=1, pageCompression=1)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 9,
        *,
        bold: bool = False,
        align: str = "left",
        ink: Color = INK,
        family: str = "",
    ) -> float:
        """Draw one line of text with its baseline at `y`; returns its width."""  # fmt: skip
        width = self.measure(words, size, bold, family)
        x -= {"left": 0.0, "right": width, "center": width / 2}[align]
        self.boxes.append(Printed(self.number, x, y - size * 0.68 * POINT, x + width, y, words))
        canvas = self._canvas
        canvas.setFillColor(ink)
        for name, run in self._runs(words, bold, family):
            canvas.setFont(name, size)
            canvas.drawString(x * mm, (self.height - y) * mm, run)
            x += stringWidth(run, name, size) * POINT
        return width

    def measure(self, words: str, size: float, bold: bool = False, family: str = "") -> float:
        """The width of a line of text."""
        return sum(stringWidth(run, name, size) for name, run in self._runs(words, bold, family)) * POINT

    def fit(self, words: str, width: float, size: float, bold: bool = False) -> float:
        """The size, at most `size`, at which the text fits in one line of that width."""
        return size * min(1.0, width / max(self.measure(words, size, bold), 1e-6))

    def fitted(
        self,
        x: float,
        y: float,
        width: float,
        words: str,
        size: float = 9,
        *,
        bold: bool = False,
        align: str = "left",
        ink: Color = INK,
    ) -> None:
        """Draw one line of text, smaller than `size` where it would be wider than `width`."""  # fmt: skip
        self.text(x, y, words, self.fit(words, width, size, bold), bold=bold, align=align, ink=ink)

    def wrap(self, words: str, width: float, size: float, bold: bool = False, family: str = "") -> list[str]:
        """The text in lines of at most `width`; Chinese breaks anywhere, a word that is too long where it must."""
        lines: list[str] = []
        for part in words.split("\n"):
            line = ""
            for piece in _pieces(part):
                if line and self.measure((line + piece).rstrip(" "), size, bold, family) > width:
                    lines.append(line.rstrip(" "))
                    line = ""
                while self.measure(piece.rstrip(" "), size, bold, family) > width and len(piece) > 1:
                    cut = next(
                        end
                        for end in range(len(piece) - 1, 0, -1)
                        if end == 1 or self.measure(piece[:end], size, bold, family) <= width
                    )
                    lines.append(piece[:cut])
                    piece = piece[cut:]
                line += piece
            lines.append(line.rstrip(" "))
        return lines

    def paragraph(
        self,
        x: float,
        y: float,
        width: float,
        words: str,
        size: float = 9,
        *,
        bold: bool = False,
        leading: float = 1.3,
        ink: Color = INK,
        align: str = "left",
        family: str = "",
    ) -> float:
        """Draw wrapped text from the baseline `y` on; returns the baseline after the last line."""  # fmt: skip
        at = {"left": x, "right": x + width, "center": x + width / 2}[align]
        for line in self.wrap(words, width, size, bold, family):
            self.text(at, y, line, size, bold=bold, align=align, ink=ink, family=family)
            y += size * leading * POINT
        return y

    def stack(
        self,
        x: float,
        y: float,
        rows: Sequence[str],
        size: float = 9,
        *,
        bold_first: bool = False,
        leading: float = 1.35,
        ink: Color = INK,
        align: str = "left",
    ) -> float:
        """Draw short lines under each other, leaving out empty ones; returns the baseline after the last."""  # fmt: skip
        for index, row in enumerate(row for row in rows if row):
            self.text(x, y, row, size, bold=bold_first and index == 0, ink=ink, align=align)
            y += size * leading * POINT
        return y

    def pairs(
        self,
        x: float,
        y: float,
        right: float,
        rows: Sequence[tuple[str, str]],
        size: float = 9,
        *,
        leading: float = 1.5,
        label_ink: Color = INK,
        bold: bool = False,
    ) -> float:
        """Draw labels at `x` with their values flush at `right`; returns the baseline after the last."""  # fmt: skip
        for label, value in rows:
            self.text(x, y, label, size, ink=label_ink)
            self.text(right, y, value, size, align="right", bold=bold)
            y += size * leading * POINT
        return y

    def rule(
        self, x0: float, y0: float, x1: float, y1: float | None = None, width: float = 0.5, ink: Color = INK
    ) -> None:
        """Draw a line; `width` in points."""
        self._canvas.setStrokeColor(ink)
        self._canvas.setLineWidth(width)
        self._canvas.line(
            x0 * mm, (self.height - y0) * mm, x1 * mm, (self.height - (y0 if y1 is None else y1)) * mm
        )

    def frame(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        ink: Color = INK,
        line: float = 0.5,
        radius: float = 0,
    ) -> None:
        """Draw an empty box whose top left corner is at x, y."""
        self._canvas.setStrokeColor(ink)
        self._canvas.setLineWidth(line)
        self._canvas.roundRect(x * mm, (self.height - y - height) * mm, width * mm, height * mm, radius * mm)

    def fill(self, x: float, y: float, width: float, height: float, ink: Color, radius: float = 0) -> None:
        """Draw a filled box whose top left corner is at x, y."""
        self._canvas.setFillColor(ink)
        self._canvas.roundRect(
            x * mm, (self.height - y - height) * mm, width * mm, height * mm, radius * mm, stroke=0, fill=1
        )

    def mark(self, x: float, y: float, size: float, accent: int) -> None:
        """Draw a company's mark: a shape of its own in its own colour."""
        ink, canvas = ACCENTS[accent % len(ACCENTS)], self._canvas
        shape = accent % 4
        if shape == 0:
            self.fill(x, y, size, size, ink, radius=size / 5)
            self.fill(x + size * 0.45, y + size * 0.2, size * 0.35, size * 0.35, WHITE)
            return
        canvas.setFillColor(ink)
        left, bottom, side = x * mm, (self.height - y - size) * mm, size * mm
        if shape == 1:
            canvas.circle(left + side / 2, bottom + side / 2, side / 2, stroke=0, fill=1)
            canvas.setFillColor(WHITE)
            canvas.circle(left + side * 0.62, bottom + side * 0.62, side / 4, stroke=0, fill=1)
            return
        corners = ((0, 0), (1, 0), (0.5, 1)) if shape == 2 else ((0, 0.5), (0.5, 0), (1, 0.5), (0.5, 1))
        path = canvas.beginPath()
        path.moveTo(left + corners[0][0] * side, bottom + corners[0][1] * side)
        for across, up in corners[1:]:
            path.lineTo(left + across * side, bottom + up * side)
        path.close()
        canvas.drawPath(path, stroke=0, fill=1)

    def code(self, x: float, y: float, size: float, content: str) -> None:
        """Draw a QR code."""
        from reportlab.graphics import renderPDF
        from reportlab.graphics.barcode.qr import QrCodeWidget
        from reportlab.graphics.shapes import Drawing

        drawing = Drawing(size * mm, size * mm)
        drawing.add(QrCodeWidget(content, barWidth=size * mm, barHeight=size * mm, barLevel="M"))
        renderPDF.draw(drawing, self._canvas, x * mm, (self.height - y - size) * mm)

    def next_page(self) -> None:
        """Go on with an empty page."""
        self._canvas.showPage()
        self.number += 1

    def done(self) -> bytes:
        """The finished PDF."""
        self._canvas.save()
        return self._bytes.getvalue()

    def _runs(self, words: str, bold: bool, family: str) -> list[tuple[str, str]]:
        """The text in runs of one font; what the family lacks is drawn by the fallback."""
        runs: list[tuple[str, str]] = []
        for letter in words:
            name = fonts.font_for(letter, family or self.family, bold)
            if runs and runs[-1][0] == name:
                runs[-1] = (name, runs[-1][1] + letter)
            else:
                runs.append((name, letter))
        return runs


class Column(NamedTuple):
    """A table column: title, width, alignment and the text of a cell."""

    title: str
    width: float
    align: str
    cells: Sequence[str]


class Grid:
    """A table of lines at `x`. `ruled` draws a rule under each row, `striped` tints every other one."""

    def __init__(
        self,
        paper: Paper,
        x: float,
        columns: Sequence[Column],
        size: float = 8.5,
        *,
        leading: float = 1.25,
        padding: float = 1.6,
        ruled: bool = False,
        striped: Color | None = None,
    ) -> None:
        self.paper, self.x, self.columns, self.size = paper, x, columns, size
        self.leading, self.padding, self.ruled, self.striped = leading, padding, ruled, striped
        self.width = sum(column.width for column in columns)

    def head(self, y: float, *, band: Color | None = None, ink: Color = INK, rules: bool = True) -> float:
        """Draw the titles with their top at `y`; returns the bottom."""
        size = min(self.size, *(self._title_size(column) for column in self.columns))
        titles = [self.paper.wrap(column.title, column.width - 2, size, bold=True) for column in self.columns]
        height = max(map(len, titles)) * self._step + 2 * self.padding
        if band is not None:
            self.paper.fill(self.x, y, self.width, height, band)
        self._cells(titles, y, size, bold=True, ink=ink)
        if rules:
            self.paper.rule(self.x, y + height, self.x + self.width)
        return y + height

    def rows(
        self,
        y: float,
        bottom: float,
        turn: Callable[[int], float],
        reserve: float = 0,
    ) -> float:
        """Draw all rows from `y` on; `turn(index)` goes to a new page before that row and returns where to go on.

        `reserve` is the height that must be left under the last row.
        """  # fmt: skip
        count = len(self.columns[0].cells)
        for index in range(count):
            cells = [self.paper.wrap(c.cells[index], c.width - 2, self.size) for c in self.columns]
            height = max(map(len, cells)) * self._step + 2 * self.padding
            if y + height + (reserve if index == count - 1 else 0) > bottom:
                y = turn(index)
            if self.striped is not None and index % 2:
                self.paper.fill(self.x, y, self.width, height, self.striped)
            self._cells(cells, y, self.size)
            y += height
            if self.ruled:
                self.paper.rule(self.x, y, self.x + self.width, width=0.3, ink=GREY)
        return y

    def verticals(self, top: float, bottom: float, ink: Color = INK) -> None:
        """Draw the rules between the columns and around them."""
        x = self.x
        for column in self.columns:
            self.paper.rule(x, top, x, bottom, ink=ink)
            x += column.width
        self.paper.rule(x, top, x, bottom, ink=ink)

    @property
    def _step(self) -> float:
        return self.size * self.leading * POINT

    def _title_size(self, column: Column) -> float:
        """The size at which the longest word of a title fits its column."""
        longest = max(self.paper.measure(word, self.size, bold=True) for word in column.title.split(" "))
        return self.size * min(1.0, (column.width - 2.1) / longest)

    def _cells(
        self, cells: Sequence[Sequence[str]], y: float, size: float, bold: bool = False, ink: Color = INK
    ) -> None:
        x = self.x
        for column, lines in zip(self.columns, cells, strict=True):
            at = {"left": x + 1, "right": x + column.width - 1, "center": x + column.width / 2}[column.align]
            for number, line in enumerate(lines):
                base = y + self.padding + self.size * POINT * 0.85 + number * self._step
                self.paper.text(at, base, line, size, bold=bold, align=column.align, ink=ink)
            x += column.width


def _pieces(words: str) -> list[str]:
    """Words with the space after them, Chinese characters one by one."""
    pieces: list[str] = []
    word = ""
    for letter in words:
        if ord(letter) > 0x2E7F:
            pieces += [word, letter] if word else [letter]
            word = ""
        else:
            word += letter
            if letter == " ":
                pieces.append(word)
                word = ""
    return [*pieces, word] if word else pieces
