"""Dates as people print them, in the languages of the lexicon, with what is unsure about them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

_MONTHS = {
    1: "january jan januar janner janv janvier enero ene gennaio gen genn janeiro styczen stycznia sty januari"
    " ledna leden januara ianuarie tammikuu tammikuuta ιανουαριου ιανουαριος ocak gener sijecnja sijecanj",
    2: "february feb februar feber fev fevr fevrier febrero febbraio fevereiro luty lutego lut februari febr"
    " unora unor februara februarie helmikuu helmikuuta φεβρουαριου φεβρουαριος subat febrer veljace veljaca",
    3: "march mar marz maerz mrz mars marzo marco marzec marca maart mrt marts"
    " brezna brezen marcius martie maaliskuu maaliskuuta μαρτιου μαρτιος mart marec ozujka ozujak maret",
    4: "april apr avr avril abril abr aprile kwiecien kwietnia kwi"
    " dubna duben aprila aprilis aprilie huhtikuu huhtikuuta απριλιου απριλιος nisan travnja travanj",
    5: "may mai mayo maggio mag maio maj maja mei"
    " kvetna kveten majus toukokuu toukokuuta μαιου μαιος mayıs mayis maig svibnja svibanj",
    6: "june jun juni juin junio giugno giu junho czerwiec czerwca cze"
    " cervna cerven juna junius iunie kesakuu kesakuuta ιουνιου ιουνιος haziran juny junij lipnja lipanj",
    7: "july jul juli juil juillet julio luglio lug julho lipiec lipca lip"
    " cervence cervenec jula julius iulie heinakuu heinakuuta ιουλιου ιουλιος temmuz juliol julij srpnja srpanj",
    8: "august aug aout agosto ago sierpien sierpnia sie augustus augusti"
    " srpna srpen augusta augusztus elokuu elokuuta αυγουστου αυγουστος agustos agost avgust avgusta kolovoza kolovoz agustus agt",
    9: "september sep sept septembre septiembre settembre sett set setembro wrzesien wrzesnia wrz"
    " zari septembra szeptember septembrie syyskuu syyskuuta σεπτεμβριου σεπτεμβριος eylul rujna rujan",
    10: "october oct oktober okt octobre octubre ottobre ott outubro out pazdziernik pazdziernika paz"
    " rijna rijen oktobra octombrie lokakuu lokakuuta οκτωβριου οκτωβριος ekim",
    11: "november nov novembre noviembre novembro listopad listopada lis"
    " listopadu novembra noiembrie marraskuu marraskuuta νοεμβριου νοεμβριος kasım kasim studenoga studeni nopember",
    12: "december dec dezember dez decembre diciembre dic dicembre dezembro desember des grudzien grudnia gru"
    " prosince prosinec decembra decembrie joulukuu joulukuuta δεκεμβριου δεκεμβριος aralık aralik prosinca prosinac",
}
"""Names of months, folded. "Listopad" is November as in Polish and Czech; in Croatian it is October."""
MONTHS = {name: number for number, names in _MONTHS.items() for name in names.split()}

_CJK_DIGITS = {c: str(i) for i, c in enumerate("〇一二三四五六七八九")} | {"零": "0", "○": "0", "Ｏ": "0"}
_NUMERIC = r"(?<![\d.,/])(?P<a>\d{1,4})\s?(?P<s>[./\-–])\s?(?P<b>\d{1,2})\s?(?P=s)\s?(?P<c>\d{4}|\d{2})(?=\D|$|\d{1,2}:\d{2})(?!(?P=s)\d)"
_WORDED = (
    r"(?<!\w)(?P<d>\d{1,2})(?:st|nd|rd|th|er|\.|º|ª)?[\s\-./]*(?:de\s|of\s|d[’'])?(?P<m>[^\W\d_]{3,12})\.?,?[\s\-./]*(?:de\s|del\s)?(?P<y>\d{4}|(?<=[\-/ .])\d{2}|[’']\d{2})(?!\d)"
    r"|(?<!\w)(?P<m2>[^\W\d_]{3,12})\.?[\s\-./]*(?P<d2>\d{1,2})(?:st|nd|rd|th)?(?:,?[\s\-./]+|,|(?=[’']))(?P<y2>\d{4}|[’']\d{2})(?!\d)"
    r"|(?<!\w)(?P<y3>\d{4})[\-./ ]{1,2}(?P<m3>[^\W\d_]{3,10})[\-./ ](?P<d3>\d{1,2})(?!\d)"
)
_CJK = r"(?P<cy>[\d〇零○一二三四五六七八九]{2,4})\s*年\s*(?P<cm>[\d一二三四五六七八九十]{1,3})\s*月\s*(?P<cd>[\d一二三四五六七八九十]{1,3})\s*[日号]?"
_COMPACT = r"(?<![\w.,/\-])(?P<k>(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?![\w.,/\-])"
_ROC = r"(?:中[華华])?民[國国]\s*(?P<ry>\d{2,3})\s*(?:年|[./-])\s*(?P<rm>\d{1,2})\s*(?:月|[./-])\s*(?P<rd>\d{1,2})\s*日?"
_LABELLED = r"(?<=日期)[:：]?\s*(?P<ly>20\d{2})\s+(?P<lm>\d{1,2})\s+(?P<ld>\d{1,2})(?!\d)"
_DATE = re.compile(f"{_ROC}|{_CJK}|{_LABELLED}|{_NUMERIC}|{_WORDED}|{_COMPACT}")


ROC = 1911
"""The year before the first of the Republic of China, by which Taiwan counts."""


class FoundDate(NamedTuple):
    """A date in a text, where it stands (`start`, `end`), and whether day and month could be swapped.

    `other` is the date with day and month swapped, where that is one too and nothing settled the order.
    """

    value: date
    start: int
    end: int
    other: date | None = None


def find_dates(text: str, order: str = "") -> Iterator[FoundDate]:
    """Every date in a text.

    `order` is "dmy" or "mdy" where known, "mdy?" where likely, "" where unknown (then dmy); where it is not
    known, `other` is set.
    """
    position = 0
    while found := _DATE.search(text, position):
        result = _date_of(found, order)
        if result:
            yield result
        # What is no date may reach into one: "14 Lieferdatum 11.11.2026".
        position = found.end() if result else found.start() + 1


def parse_date(text: str, order: str = "") -> date | None:
    """The date that the text is, or None where it is not exactly one date.

    >>> parse_date("5. März 2026"), parse_date("2026年3月5日")
    (datetime.date(2026, 3, 5), datetime.date(2026, 3, 5))
    """
    stripped = text.strip()
    for found in find_dates(stripped, order):
        if found.start == 0 and found.end == len(stripped):
            return found.value
    return None


def day_order(texts: Iterable[str]) -> str:
    """The order of day and month that the unmistakable numeric dates in the texts use: "dmy", "mdy" or ""."""
    votes = {"dmy": 0, "mdy": 0}
    for text in texts:
        for found in re.finditer(_NUMERIC, text):
            first, second = int(found["a"]), int(found["b"])
            if len(found["a"]) > 2 or found["s"] == ".":
                continue
            if 12 < first <= 31 and second <= 12:
                votes["dmy"] += 1
            elif 12 < second <= 31 and first <= 12:
                votes["mdy"] += 1
    if votes["dmy"] == votes["mdy"]:
        return ""
    return "dmy" if votes["dmy"] > votes["mdy"] else "mdy"


def _date_of(found: re.Match[str], order: str) -> FoundDate | None:
    start, end = found.span()
    if found["ry"]:
        day = _day(int(found["ry"]) + ROC, int(found["rm"]), int(found["rd"]))
        return FoundDate(day, start, end) if day else None
    if found["cy"]:
        year = _cjk(found["cy"])
        # A year of three digits is one of the Republic of China.
        counted = int(year) + ROC if len(year) == 3 and year.isdigit() else _year(year)
        day = _day(counted, _cjk_number(found["cm"]), _cjk_number(found["cd"]))
        return FoundDate(day, start, end) if day else None
    if found["ly"]:
        # The ideographs between the figures are preprinted, and lost to OCR.
        day = _day(int(found["ly"]), int(found["lm"]), int(found["ld"]))
        return FoundDate(day, found.start("ly"), end) if day else None
    if found["k"]:
        compact = found["k"]
        day = _day(int(compact[:4]), int(compact[4:6]), int(compact[6:]))
        return FoundDate(day, start, end) if day else None
    if found["a"]:
        return _numeric(found, order)
    day_text = found["d"] or found["d2"] or found["d3"]
    month = MONTHS.get(_fold(found["m"] or found["m2"] or found["m3"]))
    year = (found["y"] or found["y2"] or found["y3"]).lstrip("’'")
    day = _day(_year(year), month, int(day_text)) if month else None
    return FoundDate(day, start, end) if day else None


def _numeric(found: re.Match[str], order: str) -> FoundDate | None:
    start, end = found.span()
    a, b, c = int(found["a"]), int(found["b"]), int(found["c"])
    if len(found["a"]) == 4:
        day = _day(a, b, c) if len(found["c"]) <= 2 else None
        return FoundDate(day, start, end) if day else None
    if len(found["a"]) == 3:
        return None
    european = _day(_year(found["c"]), b, a)
    american = _day(_year(found["c"]), a, b)
    if found["s"] == "." or (found["s"] == "-" and european):
        # The dotted form is day first wherever it is used (CLDR).
        american = None
    if order == "mdy":
        value, other = american or european, None
    elif order == "mdy?":
        value, other = american or european, european if american else None
    else:
        value, other = european or american, american if european and not order else None
    if value is None:
        return None
    return FoundDate(value, start, end, other if other != value else None)


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if c.isalpha())


def _cjk(text: str) -> str:
    return "".join(_CJK_DIGITS.get(c, c) for c in text)


def _cjk_number(text: str) -> int:
    """A number up to 39 in digits or in Chinese ("十二" is 12)."""
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.partition("十")
    digits = _cjk(tens or ("1" if ten else "0")) + (_cjk(ones or "0") if ten else "")
    return int(digits) if digits.isdigit() else 0


def _year(text: str) -> int:
    if not text.isdigit():
        return 0
    return int(text) + (2000 if len(text) == 2 and int(text) < 80 else 1900 if len(text) == 2 else 0)


def _day(year: int, month: int, day: int) -> date | None:
    """The calendar date, or None where there is none or no bill can bear it."""
    if not 1970 <= year <= 2100:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
