"""The web server's app: the review queue, the bill page, health and metrics."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, FastAPI, Form, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from connector.review import documents, health, reviews
from connector.review.api import choices, words
from connector.review.language import LANGUAGE_COOKIE
from connector.review.pages import PageImages
from connector.review.screen import Screen
from connector.review.security import LOOPBACK, SecurityMiddleware, harden

if TYPE_CHECKING:
    from connector.review.deps import ReviewDeps

STATIC = Path(__file__).with_name("static")
EXPLAINED = frozenset({"no_such_page", "stale_form", "not_retriable"})
A_YEAR = 365 * 24 * 3600
# A path of ours: browsers read `//` and `/\` as another host, and drop tabs and line breaks before they look.
INSIDE = re.compile(r"/(?![/\\])[\x21-\x7e]*")


def create_app(deps: ReviewDeps) -> FastAPI:
    """Build the app. Raises ValueError when the default language is unknown or the registry is used already."""
    # The interactive API pages load scripts from a third site.
    app = FastAPI(title="Vouch", docs_url=None, redoc_url=None, openapi_url=None)
    screen = Screen(deps)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, *deps.hosts], www_redirect=False)
    app.add_middleware(SecurityMiddleware)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.include_router(health.make_router(deps))
    app.include_router(reviews.make_router(deps, screen))
    images = PageImages(deps.documents, deps.sandbox)
    app.include_router(documents.make_router(deps, screen, images))
    app.include_router(choices.make_router(deps, screen))
    app.include_router(words.make_router(deps, screen, images))
    app.include_router(_choices(screen))
    _explain_errors(app, screen)
    return app


def _choices(screen: Screen) -> APIRouter:
    router = APIRouter()

    @router.get("/")
    def start() -> RedirectResponse:
        return RedirectResponse("/reviews")

    @router.post("/language")
    def choose_language(
        request: Request,
        code: Annotated[str, Form(max_length=20)],
        token: Annotated[str, Form(max_length=100)],
        back: Annotated[str, Form(max_length=500)] = "/",
    ) -> Response:
        screen.tokens.require(request, token)
        if code not in screen.languages.all:
            raise HTTPException(404, "no_such_page")
        response = RedirectResponse(back if INSIDE.fullmatch(back) else "/", 303)
        response.set_cookie(LANGUAGE_COOKIE, code, max_age=A_YEAR, httponly=True, samesite="strict")
        return response

    return router


def _explain_errors(app: FastAPI, screen: Screen) -> None:
    """Every error is a page in the person's language that says what happened."""

    def page(request: Request, status: int, key: str, detail: str = "") -> Response:
        response = screen.render(request, "error.html", status, key=key, detail=detail, code=status)
        harden(response.headers)
        return response

    @app.exception_handler(StarletteHTTPException)
    def refused(request: Request, error: StarletteHTTPException) -> Response:
        if error.detail in EXPLAINED:
            return page(request, error.status_code, error.detail)
        return page(
            request, error.status_code, "no_such_page" if error.status_code == 404 else "other", error.detail
        )

    @app.exception_handler(RequestValidationError)
    def malformed(request: Request, _error: RequestValidationError) -> Response:
        return page(request, 404 if request.method == "GET" else 422, "no_such_page")

    @app.exception_handler(DBAPIError)
    def no_ledger(request: Request, error: DBAPIError) -> Response:
        return page(request, 503, "no_ledger", str(error.orig))

    @app.exception_handler(Exception)
    def defect(request: Request, _error: Exception) -> Response:
        return page(request, 500, "defect")
