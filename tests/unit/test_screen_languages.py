"""Every language of the screens is complete, and sentences that the code writes are known by patterns that fit the code."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.review.language import LOCALES, Language, Languages
from connector.review.sentences import PLACE, Pattern
from connector.review.sought import query_of, sought_of

ROOT = Path(__file__).parents[2]
LANGUAGES = Languages("en").all
TEMPLATES = sorted((ROOT / "connector/review/templates").rglob("*.html"))
WORDS = re.compile(r"[A-Za-z]{2,}")
NAMES = {"CSV", "JSON", "Vouch", "Esc", "Enter", "Tab", "Ctrl", "Alt", "Del", "Odoo", "SHA"}
"""What is the same in every language."""


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_a_language_has_every_text_with_its_placeholders(code: str) -> None:
    english, other = LANGUAGES["en"].texts, LANGUAGES[code].texts
    assert set(other) == set(english)
    for key, text in english.items():
        forms = [text] if isinstance(text, str) else list(text.values())
        told = other[key]
        for form in [told] if isinstance(told, str) else told.values():
            assert places(form) == set().union(*map(places, forms)), key


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.stem)
def test_no_word_of_a_language_stands_in_a_template(template: Path) -> None:
    source = re.sub(r"\{% block body_class %\}.*?\{% endblock %\}", " ", template.read_text("utf-8"))
    text = re.sub(r"\{[%#].*?[%#]\}|\{\{.*?\}\}|<kbd>.*?</kbd>", " ", source, flags=re.DOTALL)
    shown = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)
    assert [word for word in WORDS.findall(re.sub(r"&\w+;", " ", shown)) if word not in NAMES] == []


def written() -> set[str]:
    """The shape of every text in the code, with a place for each value."""
    shapes: set[str] = set()
    for package in ("connector", "mappings", "inference"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    shapes.add(node.value)
                elif isinstance(node, ast.JoinedStr):
                    shapes.add(
                        "".join(
                            part.value if isinstance(part, ast.Constant) else "{}" for part in node.values
                        )
                    )
    return shapes


def letters(shape: str) -> int:
    """How many letters of a shape are fixed."""
    return sum(char.isalpha() for char in shape.replace("VALUE", ""))


def test_the_code_writes_what_the_patterns_know() -> None:
    shapes = [
        (letters(shape), re.compile(re.sub(r"\\\{\\\}", ".+?", re.escape(shape)), re.DOTALL))
        for shape in written()
        if 4 < len(shape) < 400
    ]
    for language in LANGUAGES.values():
        for pattern in language.sentences.patterns:
            sample = re.sub(r"\\(.)", r"\1", re.sub(r"\(\?P<\w+>[^)]*\)", "VALUE", pattern.shape.pattern))
            # A pattern may fix what the code puts together from parts (a label with its line), but not most of it.
            assert any(shape.match(sample) for fixed, shape in shapes if fixed >= 0.4 * letters(sample)), (
                sample
            )


def test_frequent_reasons_are_told_in_chinese() -> None:
    chinese: Language = LANGUAGES["zh_CN"]
    assert len(chinese.sentences.patterns) >= 90
    for sentence in (
        "The due date is not sure (61 %): Another value on the page could be meant.",
        "The tax of 3 of 5 lines, such as line 2 is not sure (70 %).",
        "Line 1: the price is 12.50, the order says 11.90.",
        "The bank account DE89 on the document is new: Odoo has none for Acme. Ltd.",
        "Probably entered before: RE-1 (BILL/2026/01/0007) has the same number.",
    ):
        told = chinese.say(sentence)
        assert re.search(r"[\u4e00-\u9fff]", told)
        assert not set(WORDS.findall(told)) - {
            "DE",
            "RE",
            "BILL",
            "Acme",
            "Ltd",
            "Odoo",
            "has",
            "the",
            "same",
            "number",
        }
    assert chinese.say("Something new.") == "Something new."
    assert LANGUAGES["en"].say("The lines differ.") == "The lines differ."


@given(st.text(max_size=60), st.text(max_size=20))
def test_whatever_stands_in_a_sentence_is_put_over_unchanged(name: str, code: str) -> None:
    pattern = Pattern.of("The {a} of {b} is new.", "{b}：{a}。")
    found = pattern.shape.fullmatch(f"The {name} of {code} is new.")
    if name and code:
        assert found
        assert f"The {found['a']} of {found['b']} is new." == f"The {name} of {code} is new."


def test_a_pattern_without_its_places_is_refused() -> None:
    with pytest.raises(ValueError, match="places"):
        Pattern.of("The {a}.", "{b}。")
    assert (LOCALES / "sentences/zh_CN.toml").exists()
    assert PLACE.findall("{a} {b}") == ["a", "b"]


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_look_at_the_queue_survives_its_address(vendor: str, words: str) -> None:
    from urllib.parse import parse_qs

    sought = sought_of(vendor=vendor, q=words)
    again = {
        name: values[0] for name, values in parse_qs(query_of(sought)[1:], keep_blank_values=True).items()
    }
    assert sought_of(**again) == sought
