"""One document scored: each value right, wrong or missing, and its lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from inference.evaluation.likeness import pair_lines, same
from inference.evaluation.truth import CORE, HEADER_SCORED, LINE_SCORED
from inference.invoice import HEADER, Box, Evidence, Reading, value_as_json

if TYPE_CHECKING:
    from inference.evaluation.truth import Truth
    from inference.invoice import Field, Row


class Verdict(StrEnum):
    """What became of a value that is on the page."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the truth and what was read for it. `evidence` is where the reader saw it, if it did."""

    name: str
    truth: str
    verdict: Verdict
    given: str | None = None
    confidence: float | None = None
    evidence: Evidence | None = None

    def as_json(self) -> dict[str, Any]:
        """`{"name","truth","verdict"}`, and `given`, `confidence`, `evidence` where something was read."""
        node: dict[str, Any] = {"name": self.name, "truth": self.truth, "verdict": self.verdict.value}
        if self.given is not None:
            node |= {"given": self.given, "confidence": self.confidence}
        return node | ({"evidence": self.evidence.as_json()} if self.evidence else {})

    @classmethod
    def from_json(cls, node: Mapping[str, Any]) -> Value:
        """The inverse of `as_json`."""
        proof: Mapping[str, Any] | None = node.get("evidence")
        evidence = None
        if proof:
            box = Box(*proof["bbox"]) if proof.get("bbox") else None
            evidence = Evidence(proof.get("page"), box, proof.get("text"), proof.get("xpath"))
        return cls(
            node["name"],
            node["truth"],
            Verdict(node["verdict"]),
            node.get("given"),
            node.get("confidence"),
            evidence,
        )


@dataclass(frozen=True, slots=True)
class LineCount:
    """How many lines the truth has, how many were read, and how many of these are right."""

    truth: int
    given: int
    right: int

    @property
    def exact(self) -> bool:
        """Every line right, and none too many."""
        return self.right == self.truth == self.given


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one document came to.

    `values` are the values of the truth without the document type, which is `type`. `lines` is None where the
    truth has none. `failure` is why the document could not be read (`reason`, sentence); then every value counts
    as missing. `milliseconds` is the time to open and read it, `kind` its origin, `pages` how many it has.
    """

    id: str
    set: str
    values: tuple[Value, ...] = ()
    type: Value | None = None
    lines: LineCount | None = None
    failure: tuple[str, str] | None = None
    milliseconds: float = 0.0
    pages: int = 0
    kind: str = ""
    file: str = ""
    unused: tuple[str, ...] = field(default=())

    @property
    def header(self) -> tuple[Value, ...]:
        """The values that the figures of the header count."""
        return tuple(value for value in self.values if value.name in HEADER_SCORED)

    @property
    def clean(self) -> bool:
        """Every value of the header right."""
        return all(value.verdict is Verdict.RIGHT for value in self.header)

    @property
    def core_clean(self) -> bool:
        """Every scored value right that a bill cannot be booked without."""
        return all(value.verdict is Verdict.RIGHT for value in self.values if value.name in CORE)

    def as_json(self) -> dict[str, Any]:
        """The document's part of the JSON of `vouch eval`; see docs/eval.md."""
        node: dict[str, Any] = {
            "id": self.id,
            "set": self.set,
            "file": self.file,
            "kind": self.kind,
            "pages": self.pages,
            "ms": round(self.milliseconds, 1),
            "fields": [value.as_json() for value in self.values],
        }
        if self.type:
            node["document_type"] = self.type.as_json()
        if self.lines:
            node["lines"] = {"truth": self.lines.truth, "given": self.lines.given, "right": self.lines.right}
        if self.failure:
            node["failure"] = {"reason": self.failure[0], "message": self.failure[1]}
        return node | ({"unused": list(self.unused)} if self.unused else {})

    @classmethod
    def from_json(cls, node: Mapping[str, Any]) -> Outcome:
        """The inverse of `as_json`. Raises KeyError, TypeError or ValueError on anything else."""
        kind, lines, failure = node.get("document_type"), node.get("lines"), node.get("failure")
        return cls(
            id=node["id"],
            set=node["set"],
            values=tuple(Value.from_json(value) for value in node["fields"]),
            type=Value.from_json(kind) if kind else None,
            lines=LineCount(lines["truth"], lines["given"], lines["right"]) if lines else None,
            failure=(failure["reason"], failure["message"]) if failure else None,
            milliseconds=node["ms"],
            pages=node["pages"],
            kind=node["kind"],
            file=node["file"],
            unused=tuple(node.get("unused", ())),
        )


def score_document(truth: Truth, reading: Reading | None, *, name: str = "", group: str = "") -> Outcome:
    """A Reading against the truth; no Reading means that every value is missing."""
    reading = reading or Reading("")
    values = tuple(_value(term, wanted, reading.get(term)) for term, wanted in truth.fields.items())
    kind = lines = None
    if truth.document_type:
        kind = _value("document_type", truth.document_type.value, reading.get("document_type"))
    if truth.lines:
        given = [row for row in map(_plain, reading.lines) if "line_net_amount" in row or "quantity" in row]
        lines = LineCount(len(truth.lines), len(given), len(pair_lines(truth.lines, given)))
    return Outcome(name, group, values, kind, lines, unused=truth.unused)


def _value(name: str, truth: str, found: Field | None) -> Value:
    given = value_as_json(found.value) if found else ""
    if found is None or not given:
        return Value(name, truth, Verdict.MISSING)
    right = same(HEADER[name].kind, truth, given)
    proof = found.evidence[0] if found.evidence else None
    verdict = Verdict.RIGHT if right else Verdict.WRONG
    return Value(name, truth, verdict, given, round(found.confidence, 4), proof)


def _plain(row: Row) -> dict[str, str]:
    return {name: value_as_json(row[name].value) for name in LINE_SCORED if name in row}
