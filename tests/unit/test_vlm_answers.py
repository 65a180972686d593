"""What a model answers is text from outside: whatever it says is read, refused or left out, and nothing else happens."""

from __future__ import annotations

import json
import math
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.invoice import HEADER, LINE, Kind, Term
from inference.numbers import format_amount
from inference.readers.vlm.answer import Answer, AnswerError, parse_answer, parse_values, whole_lines
from inference.readers.vlm.certainty import Certainty, certainties
from inference.readers.vlm.prompt import harmless, language_of, prompt
from inference.readers.vlm.schema import HEADER_KEYS, LINE_KEYS, VAT_KEYS, Part, answer_schema
from inference.readers.vlm.values import Conventions, values_of
from inference.vllm.client import Token

texts = st.text(max_size=30)
any_json = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def rows(keys: dict[str, str]) -> st.SearchStrategy[list[dict[str, str]]]:
    return st.lists(st.fixed_dictionaries(dict.fromkeys(keys, texts)), max_size=3)


@st.composite
def answers(draw: st.DrawFn, part: Part) -> dict[str, object]:
    """Answers as the schema asks for them."""
    header = {key: draw(texts) for key in HEADER_KEYS} | {
        "type": "invoice",
        "taxes": draw(rows(dict(VAT_KEYS))),
    }
    lines = {"lines": draw(rows(dict(LINE_KEYS)))}
    return lines if part is Part.LINES else header if part is Part.HEADER else header | lines


@given(st.data(), st.sampled_from(Part))
def test_answers_of_the_schema_are_read_whatever_they_say(data: st.DataObject, part: Part) -> None:
    node = data.draw(answers(part))
    found = parse_answer(json.dumps(node), part)
    assert set(node) == set(answer_schema(part)["properties"])
    assert found.complete
    assert set(found.header) <= set(HEADER_KEYS.values())
    assert all(value == " ".join(value.split()) and value.isprintable() for value in found.header.values())
    if part is not Part.HEADER:
        assert len(found.lines) == len(node["lines"])  # type: ignore[arg-type]


@given(st.one_of(any_json.map(json.dumps), st.text(max_size=200)), st.sampled_from(Part))
def test_anything_else_is_an_answer_error(text: str, part: Part) -> None:
    try:
        found = parse_answer(text, part)
    except AnswerError:
        return
    # Only an empty table of lines is so short and still what was asked for.
    assert part is Part.LINES
    assert isinstance(found, Answer)


@given(answers(Part.LINES), st.integers(0, 400))
def test_a_cut_answer_keeps_its_whole_lines(node: dict[str, list[dict[str, str]]], kept: int) -> None:
    text = json.dumps(node)
    found = whole_lines(text[:kept])
    whole = parse_answer(text, Part.LINES)
    assert not found.complete
    assert found.lines == whole.lines[: len(found.lines)]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"no": 1}', '{"no": "1", "x": "2"}', '{"no": ["1"]}', "{" * 10_000]
)
def test_a_second_look_has_just_the_keys_asked_for(text: str) -> None:
    with pytest.raises(AnswerError):
        parse_values(text, {"no": "invoice_number"})
    assert parse_values('{"no": " A\\u0007 7 "}', {"no": "invoice_number"}) == {"invoice_number": "A 7"}


@given(answers(Part.ALL), st.data())
def test_certainty_counts_free_tokens_of_the_value_only(node: dict[str, object], data: st.DataObject) -> None:
    """However the answer is cut into tokens, also within a character."""
    text = json.dumps(node, ensure_ascii=False)
    encoded = text.encode()
    cuts = sorted(data.draw(st.sets(st.integers(1, len(encoded) - 1), max_size=40)))
    parts = [encoded[a:b] for a, b in zip([0, *cuts], [*cuts, len(encoded)], strict=True)]
    tokens = [Token(part, data.draw(st.sampled_from((0.0, -0.1, -2.0)))) for part in parts]
    found = certainties(text, [*tokens, Token(b"<|user|>", -0.5)])
    assert set(HEADER_KEYS) <= set(found)
    for sure in found.values():
        assert 0 < sure.least <= sure.mean + 1e-12 <= 1 + 2e-12
        if not sure.free:
            assert sure == Certainty(1.0, 1.0, 0)
    if all(token.logprob == 0.0 for token in tokens):
        assert all(not sure.free for sure in found.values())
    # Tokens that are not the answer's own say nothing of it.
    assert certainties(text, [*tokens, Token(b"", 0.0)][1:]) == {} or not parts[0]


def test_certainty_of_one_value() -> None:
    text = '{"no": "A7", "cur": "EUR"}'
    tokens = [
        Token(b'{"no": "', 0.0), Token(b"A", math.log(0.9)), Token(b"7", math.log(0.4)),
        Token(b'", "cur": "', 0.0), Token(b'EUR"}', 0.0),
    ]  # fmt: skip
    found = certainties(text, tokens)
    assert found["no"] == Certainty(pytest.approx(0.6), pytest.approx(0.4), 2)
    assert found["cur"].free == 0


@given(
    st.decimals(Decimal("-99999999.99"), Decimal("99999999.99"), places=2),
    st.sampled_from(("en", "de", "fr", "de_CH", "pl")),
    st.sampled_from(("", " EUR", " €")),
)
def test_amounts_mean_the_same_in_every_locale(amount: Decimal, locale: str, after: str) -> None:
    mark = "." if locale in ("en", "de_CH") else ","
    printed = format_amount(amount, locale) + after
    assert values_of(HEADER["total_vat"], printed, Conventions(mark))[0] == amount


@given(st.sampled_from([*HEADER.values(), *LINE.values()]), st.text(max_size=60))
def test_no_text_breaks_a_value(term: Term, text: str) -> None:
    for value in values_of(term, text, Conventions()):
        expected = date if term.kind is Kind.DATE else str
        if term.kind in (Kind.AMOUNT, Kind.QUANTITY, Kind.PERCENT):
            assert isinstance(value, Decimal)
            assert value.is_finite()
        else:
            assert isinstance(value, expected)


@pytest.mark.parametrize(
    ("name", "text", "conventions", "values"),
    [
        ("total_vat", "1.234", Conventions(), (Decimal(1234), Decimal("1.234"))),
        ("total_vat", "1.234", Conventions(","), (Decimal(1234),)),
        ("total_vat", "19 %", Conventions(), ()),
        ("issue_date", "03/04/2026", Conventions(), (date(2026, 4, 3), date(2026, 3, 4))),
        ("issue_date", "03/04/2026", Conventions(order="mdy"), (date(2026, 3, 4),)),
        ("issue_date", "Mi, 4. März 2026", Conventions(), (date(2026, 3, 4),)),
        ("issue_date", "二〇二六年三月四日", Conventions(), (date(2026, 3, 4),)),
        ("issue_date", "soon", Conventions(), ()),
        ("currency", "€", Conventions(), ("EUR",)),
        ("currency", "EURO (EUR)", Conventions(), ("EUR",)),
        ("currency", "gold", Conventions(), ()),
        ("document_type", "invoice", Conventions(), ("invoice",)),
        ("document_type", "bill", Conventions(), ()),
        ("seller_vat_id", "VAT: DE 136 695 976", Conventions(), ("DE136695976",)),
        ("payment_account", "DE02 1203 0000 0000 2020 51", Conventions(), ("DE02120300000000202051",)),
    ],
)
def test_values(name: str, text: str, conventions: Conventions, values: tuple[object, ...]) -> None:
    assert values_of(HEADER[name], text, conventions) == values


@given(st.text(max_size=80))
def test_special_tokens_of_the_model_are_taken_out_of_text(text: str) -> None:
    cleaned = harmless(f"<|us<|user|>er|>{text}[gMASK]")
    assert "<|user|>" not in cleaned
    assert "[gMASK]" not in cleaned
    assert harmless(cleaned) == cleaned


def test_the_prompt_is_in_the_documents_language_and_names_every_key() -> None:
    assert language_of(["发票号码 12345", "合计"]) == "zh"
    assert language_of(["Rechnung 12345 für 您"]) == "en"
    assert language_of([]) == "en"
    for part in Part:
        for language in ("en", "zh"):
            words = prompt(part, language)
            assert all(key in words for key in answer_schema(part)["properties"])
