"""The web server's app: the review queue, the bill page, health and metrics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import APIRouter, Depends, FastAPI, Form, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from connector.errors import LedgerAway, NoRoom
from connector.review import documents, health, history, insight, reviews, sign_in, you
from connector.review.access import SignedOut, is_local
from connector.review.api import bills, choices, description, hooks, together, uploads, words
from connector.review.language import LANGUAGE_COOKIE
from connector.review.pages import PageImages
from connector.review.screen import Screen
from connector.review.security import API, LOOPBACK, SecurityMiddleware, harden, inside, is_https
from connector.review.sign_in import sign_in_address

if TYPE_CHECKING:
    from connector.review.deps import ReviewDeps

STATIC = Path(__file__).with_name("static")
EXPLAINED = frozenset({"no_such_page", "stale_form", "not_retriable", "not_in_scope", "too_many", "too_slow"})
A_YEAR = 365 * 24 * 3600


def create_app(deps: ReviewDeps) -> FastAPI:
    """Build the app. Raises ValueError when the default language is unknown or the registry is used already."""
    # The interactive API pages load scripts from a third site.
    screen = Screen(deps)
    app = FastAPI(
        title="Vouch",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(screen.access.admit)],
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, *deps.hosts], www_redirect=False)
    app.add_middleware(SecurityMiddleware, largest_document=deps.max_upload_bytes)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.include_router(health.make_router(deps, screen))
    app.include_router(reviews.make_router(deps, screen))
    images = PageImages(deps.documents, deps.sandbox)
    app.include_router(documents.make_router(deps, screen, images))
    app.include_router(choices.make_router(deps, screen))
    app.include_router(words.make_router(deps, screen, images))
    app.include_router(together.make_router(deps, screen, images))
    app.include_router(bills.make_router(deps, screen, images))
    app.include_router(uploads.make_router(deps, screen))
    app.include_router(hooks.make_router(deps, screen))
    app.include_router(sign_in.make_router(screen))
    app.include_router(history.make_router(deps, screen, images))
    app.include_router(insight.make_router(deps, screen))
    app.include_router(you.make_router(screen))
    app.include_router(description.make_router(app))
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
        response = RedirectResponse(back if inside(back) else "/", 303)
        response.set_cookie(
            LANGUAGE_COOKIE,
            code,
            max_age=A_YEAR,
            httponly=True,
            samesite="strict",
            secure=is_https(request),
        )
        return response

    return router


def _explain_errors(app: FastAPI, screen: Screen) -> None:
    """Every error says what happened: on a page in the person's language, and to a program as JSON."""

    def explain(request: Request, status: int, key: str, detail: str = "") -> Response:
        if request.url.path.startswith(API):
            said = detail or screen.language(request).t(f"error.{key}")
            response: Response = JSONResponse({"error": key, "message": said}, status)
        else:
            response = screen.render(request, "error.html", status, key=key, detail=detail, code=status)
        harden(response.headers)
        return response

    @app.exception_handler(SignedOut)
    def signed_out(request: Request, _error: SignedOut) -> Response:
        if request.url.path.startswith(API):
            return explain(request, 401, "signed_out")
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(sign_in_address(back if request.method == "GET" else "/"), 303)

    @app.exception_handler(StarletteHTTPException)
    def refused(request: Request, error: StarletteHTTPException) -> Response:
        # Routes of the API give a whole body as the detail.
        detail = cast(Any, error.detail)
        if isinstance(detail, dict):
            return JSONResponse(detail, error.status_code, dict(error.headers or {}))
        if detail in EXPLAINED:
            response = explain(request, error.status_code, detail)
        else:
            known = {400: "malformed", 404: "no_such_page"}.get(error.status_code, "other")
            response = explain(request, error.status_code, known, detail)
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    def malformed(request: Request, error: RequestValidationError) -> Response:
        if request.url.path.startswith(API):
            return explain(request, 422, "malformed", _what_is_wrong(error))
        return explain(request, 404 if request.method == "GET" else 422, "no_such_page")

    def no_ledger(request: Request, cause: str) -> Response:
        # Its database's name and address are not for strangers, and without it nobody is known.
        told = hasattr(request.state, "person") or is_local(request)
        return explain(request, 503, "no_ledger", cause if told else "")

    @app.exception_handler(LedgerAway)
    def ledger_away(request: Request, error: LedgerAway) -> Response:
        return no_ledger(request, str(error))

    @app.exception_handler(DBAPIError)
    def damaged_ledger(request: Request, error: DBAPIError) -> Response:
        return no_ledger(request, str(error.orig))

    @app.exception_handler(NoRoom)
    def no_room(request: Request, error: NoRoom) -> Response:
        return explain(request, 507, "no_room", str(error))

    @app.exception_handler(Exception)
    def defect(request: Request, _error: Exception) -> Response:
        return explain(request, 500, "defect")


def _what_is_wrong(error: RequestValidationError) -> str:
    """What a body or a parameter is asked to be, without what it was."""
    return "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors())
