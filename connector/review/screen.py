"""Renders a template for one request: language, form token and formatting are the same on every page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from connector.plain_text import plain
from connector.review.access import Access
from connector.review.language import LANGUAGE_COOKIE, Language, Languages, decimal, from_document, utc
from connector.review.security import FormTokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request

    from connector.review.deps import ReviewDeps


class Screen:
    """Turns templates and their context into HTML answers."""

    def __init__(self, deps: ReviewDeps) -> None:
        self.languages = Languages(deps.language)
        self.tokens = FormTokens()
        self.access = Access(deps, self.tokens)
        self._deps = deps
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
            **context,
        )
        response = HTMLResponse(html, status)
        self.tokens.give(request, response, cookie)
        return response

    def _age(self, language: Language) -> Callable[[datetime], str]:
        now = self._deps.clock()

        def age(since: datetime) -> str:
            return language.age(now - since)

        return age
