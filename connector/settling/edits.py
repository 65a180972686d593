"""What a person changes on a bill before they settle it, in the order they did it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

Target = Annotated[
    str, StringConstraints(max_length=128, pattern=r"^[a-z][A-Za-z0-9_]*(\.[a-z0-9]+\.[a-z_0-9]+)?$")
]
Key = Annotated[str, StringConstraints(max_length=20, pattern=r"^[a-z][0-9]+$")]
Text = Annotated[str, StringConstraints(max_length=2000)]
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
CheckId = Annotated[str, StringConstraints(max_length=64)]
Side = Annotated[float, Field(ge=0, le=1)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Place(_Body):
    """Where on the page a value stands: page (from 1), box in fractions of the page, and the words there."""

    page: Annotated[int, Field(ge=1, le=10_000)]
    box: tuple[Side, Side, Side, Side]
    text: Text = ""


class SetValue(_Body):
    """A value in place of the proposed one: as JSON (`value`), or as typed or clicked (`text`)."""

    target: Target
    value: bool | Id | Text | Annotated[list[Id], Field(max_length=50)] | None = None
    text: Text | None = None
    evidence: Place | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> SetValue:
        if ("value" in self.model_fields_set) == (self.text is not None):
            raise ValueError("an edit of a value has either `value` or `text`")
        return self


class AddLine(_Body):
    """A new empty line, after another one or first."""

    add_line: Key
    after: Key | None = None


class RemoveLine(_Body):
    """A line less."""

    remove_line: Key


class Accept(_Body):
    """A person looked at a value and leaves it as it is."""

    accept: Target


class Answer(_Body):
    """A person looked into what is asked of the whole document. It holds as long as the question says the same: `to` is
    the mark of what it said, which the server adds."""

    answer: CheckId
    to: Annotated[str, StringConstraints(max_length=32)] | None = None


Edit = SetValue | AddLine | RemoveLine | Accept | Answer
Edits = Annotated[list[Edit], Field(max_length=2000)]
_EDITS: TypeAdapter[list[Edit]] = TypeAdapter(list[Edit])


class DraftBody(_Body):
    """All edits of a draft; they replace those before."""

    edits: Edits


class VerdictBody(_Body):
    """How a person settles a bill. `key` is the same when the same wish is sent again; `acknowledged` has the ids of the
    Checks of the whole document that the person has answered."""

    verdict: Literal[
        "approve",
        "approve_and_post",
        "not_a_bill",
        "duplicate",
        "wrong_company",
        "split",
        "question",
        "skip",
        "switch_kind",
    ]
    version: Annotated[str, StringConstraints(max_length=64)]
    key: Annotated[str, StringConstraints(min_length=8, max_length=64)]
    reason: Text = ""
    question: Text = ""
    duplicate_of: Id | None = None
    company_id: Id | None = None
    ranges: Annotated[list[tuple[Id, Id]], Field(max_length=200)] = []
    acknowledged: Annotated[list[CheckId], Field(max_length=50)] = []


def parsed(edits: Any) -> list[Edit]:
    """Edits from JSON as the ledger keeps them. Raises ValidationError."""
    return _EDITS.validate_python(edits)


def of_lines(edit: Edit) -> str:
    """The key of the line that an edit is about; empty for the header and the whole document."""
    match edit:
        case SetValue(target=target) | Accept(accept=target):
            return target.split(".")[1] if target.startswith("lines.") else ""
        case AddLine(add_line=key) | RemoveLine(remove_line=key):
            return key
        case Answer():
            return ""


def once_written(edits: Sequence[Edit]) -> list[Edit]:
    """What of a draft still holds once it was written: its lines are the record's by now, and would be added again."""
    return [edit for edit in edits if not of_lines(edit)]


def once_taken_back(edits: Sequence[Edit], lines: Collection[int]) -> list[Edit]:
    """What of a draft still fits a record that was put back: a line that had been removed is another one there."""
    found: list[Edit] = []
    for edit in edits:
        key, after = of_lines(edit), edit.after if isinstance(edit, AddLine) else None
        if _is_gone(key, lines):
            continue
        found.append(
            AddLine(add_line=edit.add_line) if isinstance(edit, AddLine) and _is_gone(after, lines) else edit
        )
    return found


def _is_gone(key: str | None, lines: Collection[int]) -> bool:
    return key is not None and key.startswith("r") and int(key[1:]) not in lines


def as_json(edit: Edit) -> dict[str, Any]:
    """An edit as the ledger and the contract have it."""
    return edit.model_dump(mode="json", exclude_unset=True)
