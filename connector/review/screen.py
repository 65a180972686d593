"""Renders a template for one request: language, form token and formatting are the same on every page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from connector.ledger.key_ends import KeyEnds
from connector.plain_text import plain
from connector.review.access import Access
from connector.review.language import LANGUAGE_COOKIE, Language, Languages, decimal, from_document, utc
from connector.review.security import FormTokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request

    from connector.review.deps import ReviewDeps
    from connector.settling.person import Person

SOON = timedelta(days=14)


class Screen:
    """Turns templates and their context into HTML answers."""

    def __init__(self, deps: ReviewDeps) -> None:
        self.languages = Languages(deps.language)
        self.tokens = FormTokens()
        self.access = Access(deps, self.tokens)
        self._deps, self._keys = deps, KeyEnds(deps.ledger.engine)
        self._templates = Environment(
            loader=PackageLoader("connector.review"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        # Jinja's own type of this dictionary admits only the filters it comes with.
        filters = cast("dict[str, Any]", self._templates.filters)
        filters.update(doc=from_document, plain=plain, utc=utc, decimal=decimal)

    def language(self, request: Request) -> Language:
        """The language of this request."""
        return self.languages.choose(
            request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", "")
        )

    def render(self, request: Request, template: str, status: int = 200, **context: object) -> HTMLResponse:
        """The page, with the cookie that its forms need."""
        language = self.language(request)
        cookie, token = self.tokens.issue(request)
        html = self._templates.get_template(template).render(
            language=language,
            languages=self.languages.all.values(),
            t=language.t,
            token=token,
            path=request.url.path,
            here=str(request.url.path + (f"?{request.url.query}" if request.url.query else "")),
            person=getattr(request.state, "person", None),
            age=self._age(language),
            record_url=self._deps.record_url,
            attribution=self._deps.attribution,
            key_ends=self._key_ends(request),
            **context,
        )
        response = HTMLResponse(html, status)
        self.tokens.give(request, response, cookie)
        return response

    def _key_ends(self, request: Request) -> list[tuple[str, datetime]]:
        """Keys that end soon, for who may know of them: Vouch's own by Backend, and under no name the person's."""
        person: Person | None = getattr(request.state, "person", None)
        if person is None or person.scopes is not None:
            return []
        own = self.access.own_keys.ends(person.backend, person.user_id)
        now = self._deps.clock()
        ends = [(key.backend, key.ends_at) for key in self._keys.all()] + [("", own)]
        return [
            (backend, end)
            for backend, end in ends
            if end is not None
            and (not backend or person.sees(backend, None))
            and end - now < self._deps.key_warnings.get(backend or person.backend or "", SOON)
        ]

    def _age(self, language: Language) -> Callable[[datetime], str]:
        now = self._deps.clock()

        def age(since: datetime) -> str:
            return language.age(now - since)

        return age
