"""Every language of the screens is complete, and sentences that the code writes are known by patterns that fit the code."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import connector.errors
import inference.errors
from connector.ledger.settling import NotInReview
from connector.ledger.states import JobState
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
        (letters(shape), re.compile(re.sub(r"\\\{\\\}", ".+?", re.escape(shape)), re.DOTALL), shape)
        for shape in written()
        if 4 < len(shape) < 400
    ]

    def in_code(text: str) -> bool:
        return any(text in shape for _, _, shape in shapes)

    vocabulary = {word for _, _, shape in shapes for word in WORDS.findall(shape)}
    for language in LANGUAGES.values():
        for pattern in language.sentences.patterns:
            sample = re.sub(r"\\(.)", r"\1", re.sub(r"\(\?P<\w+>[^)]*\)", "VALUE", pattern.shape.pattern))
            # A pattern may fix what the code puts together from parts (a label with its line), but not most of it.
            if any(shape.match(sample) for fixed, shape, _ in shapes if fixed >= 0.4 * letters(sample)):
                continue
            parts = [part.strip(" .,:;") for part in sample.split("VALUE")]
            for part in parts:
                words = WORDS.findall(part)
                ends = [at.start() for at in re.finditer(r"[ .:;,]|$", part)]
                known = any(in_code(part[:end]) and in_code(part[end:]) for end in ends)
                assert known or (len(words) <= 4 and vocabulary.issuperset(words)), (sample, part)


ON_A_SCREEN = (
    "inference",
    "mappings",
    "connector/erp",
    "connector/settling",
    "connector/pipeline.py",
    "connector/printed.py",
    "connector/unsure.py",
    "connector/ledger/engine.py",
    "connector/ledger/documents.py",
    "connector/judgement.py",
    "connector/recognition.py",
    "connector/ledger/jobs.py",
    "connector/ledger/settling.py",
)
ELSEWHERE = (
    "inference/evaluation",
    "inference/isolation/child.py",
    "inference/ocr_models.py",
    "inference/readers/vlm/prompt.py",
    "inference/training",
    "inference/vllm",
    "mappings/field_map.py",
    "connector/erp/field_check.py",
    "connector/erp/keys.py",
    "connector/erp/people.py",
    "connector/erp/mailed_images.py",
)
"""What is said to the model, to another process, or by commands alone."""
SETTINGS_ERRORS = re.compile(
    r"address of .* must be|needs a login beside|CA file .* cannot be read|has no vendor bills|"
    r"protocol of .* must be|not allowed in the companies|user (?:cannot see|may not)|version that cannot be read|has no database .* or does not"
)
"""Errors of the settings end the start of the program, and stand in its log."""
IN_PARTS = {
    "The model reads “{}”{}.": ["The model reads “1”, which stands nowhere on the page."],
    "Probably entered before: {} ({}){} has {}.": [
        "Probably entered before: R-1 (draft) has the same vendor and number.",
        "Probably entered before: R-1 (BILL/1, posted) in Acme has the same number and total.",
    ],
    "The name {} mixes alphabets in {}: it is written to look like another{}.": [
        "The name A mixes alphabets in A: it is written to look like another.",
        "The name A mixes alphabets in A: it is written to look like another, like B.",
    ],
    "As promised{}.": ["As promised.", "As promised; Odoo planned 2025-01-01."],
    "All is sure and proven on the document: {}{}.": [
        "All is sure and proven on the document: 3 values.",
        "All is sure and proven on the document: 1 value.",
        "All is sure and proven on the document: 1 value, 1 line.",
        "All is sure and proven on the document: 1 value, 2 lines.",
        "All is sure and proven on the document: 3 values, 1 line.",
        "All is sure and proven on the document: 3 values, 2 lines.",
    ],
    "Odoo has {} {} {}, which the document names.": [
        "Odoo has no partner A, which the document names.",
        "Odoo has several partner A, which the document names.",
    ],
    "The document takes off {} paid before{}: the bill in Odoo will ask for the whole.": [
        "The document takes off 1.00 paid before: the bill in Odoo will ask for the whole.",
        "The document takes off 1.00 paid before, 2.00 is left to pay: the bill in Odoo will ask for the whole.",
    ],
    "Odoo has no purchase tax of {} %{}.": [
        "Odoo has no purchase tax of 19 %.",
        "Odoo has no purchase tax of 19 % included in the price.",
    ],
    "The document speaks of an intra-community supply{}, but {} is in {}, {}.": [
        "The document speaks of an intra-community supply, but A is in US, outside the European Union.",
        "The document speaks of an intra-community supply (“x”), but A is in DE, as we are.",
    ],
    "No VAT is charged{}.": ["No VAT is charged.", "No VAT is charged (“x”)."],
    "No VAT is charged{}, and several taxes could apply: {}.": [
        "No VAT is charged (“x”), and several taxes could apply: A, B.",
    ],
    "Odoo {}, the document says {}.": [
        "Odoo has no vendor, the document says A.",
        "Odoo has the vendor B, the document says A.",
    ],
    "{} something else there.": [
        "The file has “A” as the invoice number, but page 1 shows something else there."
    ],
    "{} The amounts agree.": ["Odoo has 2 lines, the document 3. The amounts agree."],
}
"""What the code puts together from parts, in every form that it takes."""


def said_in(file: Path) -> Iterator[str]:
    """The sentences in a file, with {} for each value: what begins like one and ends with a full stop, and what is raised."""
    tree = ast.parse(file.read_text("utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    told |= {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    raised = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and isinstance(node.exc.func, ast.Name)
        and node.exc.func.id in SPOKEN_ERRORS
        for argument in node.exc.args[:1]
    }
    for node in ast.walk(tree):
        if id(node) in told or not isinstance(node, ast.Constant | ast.JoinedStr):
            continue
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        shape = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
        sentence = re.fullmatch(r"[A-Z“{].* .*[^.]\.", shape, re.DOTALL)
        if letters(shape) >= 8 and (sentence or id(node) in raised) and not SETTINGS_ERRORS.search(shape):
            yield shape


SPOKEN_ERRORS = {
    name
    for module in (connector.errors, inference.errors)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, Exception)
}


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_sentence_of_the_program_is_known_in_every_language(code: str) -> None:
    say = LANGUAGES[code].sentences.find
    files = [
        file
        for one in ON_A_SCREEN
        for file in ([ROOT / one] if one.endswith(".py") else sorted((ROOT / one).rglob("*.py")))
        if not str(file.relative_to(ROOT)).startswith(ELSEWHERE)
    ]
    said = {shape: file.relative_to(ROOT) for file in files for shape in said_in(file)}
    assert len(said) > 350
    assert IN_PARTS.keys() <= said.keys()
    unknown = [
        f"{file}: {shape}"
        for shape, file in said.items()
        # A place may ask for a word that is known, or for a code.
        if not all(
            any(say(sample.replace("{}", value)) for value in ("vendor", "EUR"))
            for sample in IN_PARTS.get(shape, [shape])
        )
    ]
    assert unknown == []


@pytest.mark.parametrize("state", [*JobState, "posted", "cancel", "purchase", "done"])
def test_why_nobody_is_asked_any_more_is_told_in_words(state: str) -> None:
    told = str(NotInReview(state))
    assert "_" not in told
    assert told.endswith(".")
    assert state in ("posted", "purchase", "done", "cancel") or "document" in told
    assert LANGUAGES["zh_CN"].sentences.find(told)


def test_frequent_reasons_are_told_in_chinese() -> None:
    chinese: Language = LANGUAGES["zh_CN"]
    assert len(chinese.sentences.patterns) >= 90
    for sentence in (
        "The due date is not sure (61 %): Another value on the page could be meant.",
        "The tax of 3 of 5 lines, such as line 2 is not sure (70 %).",
        "Line 1: the price is 12.50, the order says 11.90.",
        "The bank account DE89 on the document is new: Odoo has none for Acme. Ltd.",
        "Probably entered before: RE-1 (BILL/2026/01/0007) has the same vendor and number.",
        "Probably entered before: RE-1 (BILL/2026/01/0007, posted) in Acme has the same vendor and number.",
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
        }
    assert chinese.say("Something new.") == "Something new."
    assert LANGUAGES["en"].say("The lines differ.") == "The lines differ."


def test_a_reason_of_many_sentences_is_told_to_its_end() -> None:
    why = "The lines add up to 673.92, but the net total is 336.96."
    last = f"The price of 4 of 4 lines, such as line 1 is not sure (60 %): {why}"
    told = LANGUAGES["zh_CN"].say(" ".join([*["The bill date is not sure (88 %)."] * 8, last]))
    assert not WORDS.findall(told)


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
