"""The metric of `vouch eval`, its comparison of runs, its gate, and what it says about folders that are wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.commands.eval import Request, eval_folder
from connector.errors import FatalError, RegressionError, SettingsError
from inference.document import Origin, open_document
from inference.evaluation import Truth, TruthError, figures, parse_truth, same, score_document
from inference.evaluation.compare import compare
from inference.evaluation.figures import Calibration, Counts, Share
from inference.evaluation.folder import find_cases
from inference.evaluation.outcome import LineCount, Outcome, Value, Verdict
from inference.evaluation.record import Record, read_record
from inference.evaluation.report import MOST_PICTURES, Gallery, render_report
from inference.evaluation.run import MOST_BYTES, Scored
from inference.evaluation.targets import TargetsError, reached, read_targets
from inference.invoice import HEADER, Box, Evidence, Field, Kind, Reading
from tests.bench.degraded import write_scan
from tests.bench.evaluate import TARGETS
from tests.samples.generate import Sample, samples

RIGHT, WRONG, MISSING = Verdict.RIGHT, Verdict.WRONG, Verdict.MISSING

names = st.text(st.characters(categories=["Lu", "Ll", "Nd"]), min_size=1, max_size=30)
amounts = st.decimals(-99999, 99999, places=2)
header = st.fixed_dictionaries(
    {},
    optional={
        "seller_name": names,
        "invoice_number": names,
        "issue_date": st.dates(date(1990, 1, 1)),
        "currency": st.sampled_from(["EUR", "CNY", "USD"]),
        "total_with_vat": amounts,
        "total_vat": amounts,
    },
)
rows = st.lists(st.fixed_dictionaries({"item_name": names, "line_net_amount": amounts, "quantity": amounts}))
verdicts = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=80)


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    fields = {name: Field(value, 0.9) for name, value in draw(header).items()}
    lines = tuple({name: Field(value, 0.9) for name, value in row.items()} for row in draw(rows))
    return Reading("layout", {"document_type": Field("invoice", 0.9), **fields}, lines)


def document(right: int, wrong: int = 0, missing: int = 0, sure: float = 0.9, name: str = "a") -> Outcome:
    """A document with so many values of the header."""
    verdicts = [RIGHT] * right + [WRONG] * wrong + [MISSING] * missing
    values = [
        Value("seller_name", "x", one) if one is MISSING else Value("seller_name", "x", one, "y", sure)
        for one in verdicts
    ]
    return Outcome(name, "s", tuple(values), lines=LineCount(4, 4, 4))


def run_of(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [replace(outcome, id=str(place)) for place, outcome in enumerate(outcomes)]


@given(readings())
def test_a_perfect_reading_scores_one_and_no_reading_scores_nothing(reading: Reading) -> None:
    truth = Truth.of_reading(reading)
    perfect = figures([score_document(truth, reading)])
    assert perfect.header.wrong == perfect.header.missing == 0
    assert perfect.header.right == len(reading.fields) - 1
    assert perfect.type.accuracy == Share(1, 1)
    assert perfect.lines.exact.value == perfect.lines.f1 == (1 if reading.lines else 0)
    nothing = figures([score_document(truth, None)])
    assert nothing.header == Counts(missing=perfect.header.n)
    assert nothing.lines.f1 == nothing.type.accuracy.value == nothing.calibration.n == 0
    assert nothing.lines.recall.n == len(reading.lines)


@given(readings())
def test_a_truth_may_be_what_was_read_or_labels(reading: Reading) -> None:
    truth = Truth.of_reading(reading)
    assert parse_truth(json.loads(json.dumps(reading.as_json()))) == truth
    lines = [dict(line) for line in truth.lines]
    labels: dict[str, Any] = {"doc_type": "invoice", "fields": dict(truth.fields) | {"lines": lines}}
    if "total_with_vat" in labels["fields"]:
        labels["fields"]["total"] = labels["fields"].pop("total_with_vat")
    assert parse_truth(labels) == truth


@given(amounts, amounts)
def test_an_amount_is_right_to_the_cent(one: Decimal, other: Decimal) -> None:
    assert same(Kind.AMOUNT, str(one), str(other)) == (one == other)


@pytest.mark.parametrize(
    ("kind", "truth", "given_value", "right"),
    [
        (Kind.IDENTIFIER, "DE 811-907-980", "de811907980", True),
        (Kind.IDENTIFIER, "811907980", "DE811907980", True),
        (Kind.IDENTIFIER, "000123", "123", True),
        (Kind.IDENTIFIER, "AB12", "CD12", False),
        (Kind.TEXT, "Brunnhuber Büroservice GmbH", "BRUNNHUBER BÜROSERVICE", True),
        (Kind.TEXT, "Nordlicht Elektronik", "Kestrel Works", False),
        (Kind.TEXT, "Kestrel Works", "KG", False),
        (Kind.DATE, "2026-01-31", "2026-01-31", True),
        (Kind.DATE, "2026-01-31", "2026-01-30", False),
        (Kind.AMOUNT, "1234.50", "NaN", False),
        (Kind.AMOUNT, "10", "10.004", True),
    ],
)
def test_what_says_the_same_is_right(kind: Kind, truth: str, given_value: str, right: bool) -> None:
    assert same(kind, truth, given_value) is right


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_holds_the_share_and_narrows_with_more_values(hits: int, n: int) -> None:
    share = Share(min(hits, n), n)
    low, high = share.interval
    assert 0 <= low <= share.value <= high <= 1
    more_low, more_high = Share(share.hits * 4, n * 4).interval
    assert more_high - more_low < high - low


def values_of(pairs: Sequence[tuple[float, bool]]) -> list[Value]:
    return [Value("currency", "x", RIGHT if right else WRONG, "x", sure) for sure, right in pairs]


def test_confidence_that_means_what_it_says_has_no_error() -> None:
    honest = [(tenth / 10, place < tenth) for tenth in range(1, 11) for place in range(10)]
    assert Calibration.of(values_of(honest)).ece == pytest.approx(0)
    boasting = [(1.0, right) for _, right in honest]
    assert Calibration.of(values_of(boasting)).ece == pytest.approx(0.45)


@given(verdicts, st.data())
def test_a_value_put_right_lowers_no_figure(pairs: list[tuple[float, bool]], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(pairs) - 1))
    better = [(sure, right or at == place) for at, (sure, right) in enumerate(pairs)]
    old, new = Calibration.of(values_of(pairs)), Calibration.of(values_of(better))
    assert new.coverage.hits >= old.coverage.hits
    assert Counts.of(values_of(better)).accuracy.value >= Counts.of(values_of(pairs)).accuracy.value
    assert 0 <= new.ece <= 1
    assert sum(one.right.n for one in new.bins) == len(pairs)


def test_coverage_counts_the_values_that_were_not_given() -> None:
    found = figures([document(right=99, wrong=1, missing=100, sure=0.8)])
    assert found.calibration.coverage == Share(100, 200)
    assert figures([document(right=98, wrong=2, sure=0.8)]).calibration.coverage.hits < 100


def test_the_same_run_twice_and_chance_close_no_gate() -> None:
    old = run_of([document(10)] * 40)
    assert compare(old, old).fell == []
    one_worse = run_of([document(8, wrong=2), *[document(10)] * 39])
    assert compare(old, one_worse).fell == []
    mixed = run_of([document(9, 1), document(9, 1), *[document(10)] * 38])
    assert compare(run_of([*[document(10)] * 38, document(9, 1), document(9, 1)]), mixed).fell == []


def test_what_fell_in_many_documents_closes_the_gate() -> None:
    old = run_of([document(10, missing=1)] * 40)
    new = run_of([document(8, wrong=2, missing=1)] * 8 + [document(10, missing=1)] * 32)
    found = compare(old, new)
    assert {"header.accuracy", "header.precision"} <= set(found.fell)
    assert compare(new, old).fell == []


def test_calibration_and_lines_close_the_gate_too() -> None:
    old = run_of([document(9, wrong=1, sure=0.9)] * 40)
    assert compare(old, run_of([document(9, wrong=1, sure=0.99)] * 40)).fell == ["calibration.ece"]
    fewer = run_of([replace(one, lines=LineCount(4, 4, 2)) for one in old])
    assert compare(old, fewer).fell == ["lines.f1"]
    assert [change.better for change in compare(old, fewer).lines] == [False] * 40


def test_a_change_of_each_value_is_named() -> None:
    def one(total: Verdict, number: Verdict) -> list[Outcome]:
        values = (Value("total_vat", "1", total, "1", 0.9), Value("invoice_number", "n", number))
        return [Outcome("a", "s", values)]

    found = compare(one(RIGHT, MISSING), one(WRONG, RIGHT))
    assert [(change.new.name, change.better) for change in found.values] == [
        ("total_vat", False),
        ("invoice_number", True),
    ]
    assert compare([*one(RIGHT, RIGHT), document(1, name="gone")], one(RIGHT, RIGHT)).only_old == ("s/gone",)


def sample(name: str) -> Sample:
    return next(one for one in samples() if one.name == name)


def put(folder: Path, one: Sample, **wrong: str) -> None:
    """A document and its truth, some of it not true."""
    folder.mkdir(parents=True)
    (folder / "doc.pdf").write_bytes(one.data)
    truth = one.as_json()
    (folder / "truth.json").write_text(json.dumps(truth | {"fields": truth["fields"] | wrong}))


@pytest.fixture(scope="module")
def bills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets: one with a truth that is not true and a damaged file, one side by side."""
    folder = tmp_path_factory.mktemp("bills")
    put(folder / "own" / "english", sample("english"), total_with_vat="1.23")
    put(folder / "own" / "facturx", sample("facturx"))
    put(folder / "own" / "broken", sample("french"))
    (folder / "own" / "broken" / "doc.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    (folder / "beside").mkdir()
    (folder / "beside" / "french.pdf").write_bytes(sample("french").data)
    (folder / "beside" / "french.json").write_text(json.dumps(sample("french").as_json()))
    return folder


def test_a_folder_is_read_scored_compared_and_reported(
    bills: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, html = tmp_path / "first.json", tmp_path / "report.html"
    asked = Request(bills, jobs=2, json=first, html=html, predictions=tmp_path / "read")
    assert eval_folder(asked) == 0
    record = read_record(first)
    by_id = {outcome.id: outcome for outcome in record.outcomes}
    assert {outcome.set for outcome in record.outcomes} == {"own", "beside"}
    assert by_id["broken"].failure is not None
    assert {value.verdict for value in by_id["broken"].values} == {MISSING}
    wrong = {
        (one.id, value.name) for one in record.outcomes for value in one.values if value.verdict is WRONG
    }
    assert ("english", "total_with_vat") in wrong
    assert by_id["facturx"].clean
    assert "own/broken: damaged" in capsys.readouterr().out
    page = html.read_text("utf-8")
    assert "1.23" in page
    assert "data:image/webp;base64," in page
    assert "<script" not in page

    again = Request(bills, jobs=2, json=tmp_path / "again.json", compare=first, gate=True)
    assert eval_folder(again) == 0
    node = json.loads((tmp_path / "again.json").read_text("utf-8"))
    assert node["comparison"]["documents"] == 4
    assert node["comparison"]["values"] == []

    # What was read, taken as the truth, is read right.
    for file in (tmp_path / "read").rglob("*.json"):
        own = bills / file.parent.name / file.stem / "doc.pdf"
        data = (own if own.exists() else bills / "beside" / "french.pdf").read_bytes()
        file.with_suffix(".pdf").write_bytes(data)
    assert eval_folder(Request(tmp_path / "read", jobs=2, json=first)) == 0
    reviewed = figures(read_record(first).outcomes)
    assert reviewed.documents == 3
    assert reviewed.header.accuracy.value == reviewed.lines.exact.value == reviewed.type.accuracy.value == 1


def test_a_folder_becomes_scans_with_the_same_truth(bills: Path, tmp_path: Path) -> None:
    case = next(case for case in find_cases(bills) if case.id == "english")
    for out in (tmp_path / "one", tmp_path / "two"):
        assert write_scan(case, out)
    (scan,) = find_cases(tmp_path / "one")
    assert (scan.set, scan.id) == ("own", "english")
    assert scan.truth.read_bytes() == case.truth.read_bytes()
    data = scan.document.read_bytes()
    assert data == (tmp_path / "two" / "own" / "english" / "doc.pdf").read_bytes()
    assert open_document(data, "doc.pdf").origin is Origin.SCAN


def test_a_document_that_takes_too_long_is_missing(bills: Path, tmp_path: Path) -> None:
    record = tmp_path / "run.json"
    assert eval_folder(Request(bills, sets=["beside"], seconds=0.001, json=record)) == 0
    (outcome,) = read_record(record).outcomes
    assert outcome.failure is not None
    assert outcome.failure[0] == "slow"
    assert {value.verdict for value in outcome.values} == {MISSING}


def test_the_gate_names_the_target_that_was_missed(bills: Path, tmp_path: Path) -> None:
    targets = tmp_path / "targets.toml"
    targets.write_text('[[target]]\nname = "All totals"\nmeasure = "total_with_vat.accuracy"\nleast = 1.0\n')
    with pytest.raises(RegressionError, match="All totals"):
        eval_folder(Request(bills, sets=["own"], jobs=2, targets=targets, gate=True))


def test_targets_of_sets_that_are_not_there_are_not_measured(tmp_path: Path) -> None:
    file = tmp_path / "targets.toml"
    file.write_text(
        '[[target]]\nmeasure = "header.accuracy"\nsets = ["s"]\nleast = 0.95\n'
        '[[target]]\nmeasure = "calibration.ece"\nmost = 0.1\n'
        '[[target]]\nmeasure = "due_date.precision"\nleast = 0.9\n'
        '[[target]]\nmeasure = "lines.f1"\nsets = ["elsewhere"]\nleast = 0.9\n'
    )
    found = reached(read_targets(file), [document(19, wrong=1, sure=0.95)])
    assert [one.met for one in found] == [True, True, None, None]


def test_the_targets_of_this_project_are_understood() -> None:
    found = [target for file in TARGETS.glob("*.toml") for target in read_targets(file)]
    assert len(found) == 13


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[[target]]\nmeasure = 'speed'\nleast = 1", "no measure “speed”"),
        ("[[target]]\nmeasure = 'lines.f1'\n", "least"),
        ("[[target]]\nmeasure = 'lines.f1'\nleast = 1\nsets = 'a'", "sets"),
        ("[[target]]\nmeasure = 'lines.f1'\nleast = 1\nset = ['a']", "“set”"),
        ("", "no [[target]]"),
        ("nonsense", "not TOML"),
    ],
)
def test_targets_that_are_wrong_are_named(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "targets.toml"
    file.write_text(content)
    with pytest.raises(TargetsError) as caught:
        read_targets(file)
    assert words in str(caught.value)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("node", "key"),
    [
        ({"doc_type": "invoice"}, "fields"),
        ({"fields": {"invoice_date": "31.01.2026"}}, "fields.invoice_date"),
        ({"fields": {"total": "twelve"}}, "fields.total"),
        ({"fields": {"total_with_vat": {"value": None}}}, "fields.total_with_vat"),
        ({"fields": {}, "doc_type": "letter"}, "doc_type"),
        ({"fields": {}, "lines": [{"quantity": "many"}]}, "lines[1].quantity"),
        ({"fields": {}, "lines": {}}, "lines"),
        ([], "object"),
    ],
)
def test_a_truth_that_is_wrong_names_its_key(node: Any, key: str) -> None:
    with pytest.raises(TruthError) as caught:
        parse_truth(node)
    assert key in str(caught.value)


def test_folders_and_options_that_are_wrong_end_in_a_sentence(bills: Path, tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="holds no document with truth"):
        eval_folder(Request(tmp_path))
    with pytest.raises(FatalError, match="not a folder"):
        eval_folder(Request(tmp_path / "nowhere"))
    with pytest.raises(FatalError, match="no set “other”"):
        eval_folder(Request(bills, sets=["other"]))
    with pytest.raises(SettingsError, match="no reader"):
        eval_folder(Request(bills, reader="guess"))
    with pytest.raises(SettingsError, match="--compare"):
        eval_folder(Request(bills, gate=True))
    with pytest.raises(FatalError, match="not what vouch eval"):
        eval_folder(Request(bills, compare=bills / "beside" / "french.json"))
    put(tmp_path / "one", sample("english"), issue_date="yesterday")
    with pytest.raises(FatalError) as caught:
        eval_folder(Request(tmp_path))
    assert str(tmp_path / "one" / "truth.json") in str(caught.value)
    assert "fields.issue_date" in str(caught.value)


def test_the_index_gives_the_order_and_names_are_made_legible(tmp_path: Path) -> None:
    for name in ("a", "b", "evil\x1b[2J"):
        put(tmp_path / "s" / name, sample("english"))
    (tmp_path / "index.csv").write_text("id,set\nb,s\na,s\n")
    assert [case.id for case in find_cases(tmp_path)] == ["b", "a", "evil\\x1b[2J"]


def test_a_report_of_many_hostile_documents_is_small_and_holds_no_markup_of_theirs() -> None:
    evil = "</style><script>alert(1)</script><img src=x onerror=alert(1)>" * 20
    seen = Evidence(1, Box(0.1, 0.1, 0.3, 0.12), evil)
    values = tuple(Value(name, evil, WRONG, evil, 0.99, seen) for name in list(HEADER)[1:9])
    webp = b"RIFF0000WEBPVP8 " + b"0" * 10 + b"\x00\x03\x00\x04" + b"0" * MOST_BYTES
    outcomes = [Outcome(f"{evil}{n}", evil, values, failure=("defect", evil)) for n in range(3000)]
    gallery = Gallery()
    for outcome in outcomes:
        gallery.add(Scored(outcome, {value.name: webp for value in values[:3]}))
    record = Record("0", evil, "doc", "auto", "2026-01-01T00:00:00+00:00", 3001, tuple(outcomes))
    changed = compare(outcomes, [replace(one, values=()) for one in outcomes])
    page = render_report(record, [], changed, gallery)
    assert len(page.encode()) < 10_000_000
    assert "<script" not in page
    assert "<img src=x" not in page
    assert page.count("</style>") == 1
    assert page.count("data:image/webp") == MOST_PICTURES
    assert "interrupted" in page
