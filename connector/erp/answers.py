"""Answers held against the form that Odoo gives them, before anything is taken out of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from connector.erp.faults import OutcomeUnknownError

Row = dict[str, Any]


def as_rows(answer: Any, what: str, names: Iterable[str] = ()) -> list[Row]:
    """A list of records with these fields, as `search_read`, `web_read` and `web_save` give.

    Raises OutcomeUnknownError for anything else; `what` names the call.
    """
    if not isinstance(answer, list):
        raise odd(what, "a list of records")
    wanted = tuple(names)
    found = [as_row(row, what, wanted) for row in cast("list[Any]", answer)]
    if not all(isinstance(row.get("id", 0), int) and row.get("id") is not True for row in found):
        raise odd(what, "a list of records with their numbers")
    return found


def as_row(answer: Any, what: str, names: Iterable[str] = ()) -> Row:
    """A record with these fields; see `as_rows`."""
    if not isinstance(answer, dict) or not all(name in answer for name in names):
        raise odd(what, "a record with the fields asked for")
    return cast("Row", answer)


def as_numbers(answer: Any, what: str, count: int) -> list[int]:
    """So many ids, as `create` gives."""
    found = cast("list[Any]", answer) if isinstance(answer, list) else []
    if len(found) != count or not all(isinstance(one, int) and one > 0 for one in found):
        raise odd(what, f"{count} record numbers")
    return cast("list[int]", found)


def as_number(answer: Any, what: str) -> int:
    """A whole number."""
    if not isinstance(answer, int) or isinstance(answer, bool):
        raise odd(what, "a number")
    return answer


def as_truth(answer: Any, what: str) -> bool:
    """Yes or no."""
    if not isinstance(answer, bool):
        raise odd(what, "yes or no")
    return answer


def odd(what: str, wanted: str) -> OutcomeUnknownError:
    """The error for an answer that is not what was `wanted`, in the words of its readers."""
    return OutcomeUnknownError(
        f"Odoo's answer to {what} is not {wanted}: look whether a proxy or an app in Odoo changes answers"
    )
