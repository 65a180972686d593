"""`/api/v1/openapi.json`: what FastAPI knows of the API's routes, with how to get in and what errors look like."""

from __future__ import annotations

from typing import Any, cast

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from connector.review.access import HEADER_NAME, OPENAPI
from connector.review.security import API, COOKIE, HOOKS

METHODS = frozenset({"get", "post", "put", "delete", "patch"})
ERRORS = {
    "400": "The body or its form cannot be taken apart, or the host is not one of the server's names",
    "401": "Nobody is signed in, and there is no good token",
    "403": "Not for this token, or a change without the token of its page",
    "404": "It is not there, or not theirs",
    "408": "The body came too slowly",
    "409": "Somebody else was faster, or it cannot be done in its state",
    "411": "The request does not say its length",
    "413": "The body is too large",
    "422": "The request is not as it should be, or the document or Odoo says no",
    "429": "Too many requests; `Retry-After` has the seconds",
    "502": "Odoo failed in what it was asked",
    "503": "Odoo or the ledger is away; nothing is lost",
}
ERROR = {
    "type": "object",
    "required": ["error", "message"],
    "properties": {
        "error": {"type": "string", "description": "For programs.", "examples": ["signed_out"]},
        "message": {"type": "string", "description": "For people."},
    },
    "additionalProperties": True,
}
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "`vouch token create NAME --scope …`"},
    "hook": {"type": "http", "scheme": "basic", "description": "Any name, with a token as the password."},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A person's sign-in."},
    "page": {
        "type": "apiKey",
        "in": "header",
        "name": HEADER_NAME,
        "description": 'With the session, for changes: the value of `<meta name="vouch-token">`.',
    },
}


def make_router(app: FastAPI) -> APIRouter:
    """The description of all routes of the app, made when it is first asked for."""
    router = APIRouter()
    made: dict[str, Any] = {}

    @router.get(OPENAPI, include_in_schema=False)
    def description() -> JSONResponse:
        if not made:
            made.update(_described(app))
        return JSONResponse(made)

    return router


def _described(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title="Vouch",
        version="1",
        description="Bills read in Odoo: their reviews, and documents brought in. See docs/api.md.",
        routes=app.routes,
    )
    schema["paths"] = {path: node for path, node in schema["paths"].items() if path.startswith(API)}
    components = schema.setdefault("components", {})
    components["securitySchemes"] = SCHEMES
    components.setdefault("schemas", {})["Error"] = ERROR
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    for path, node in schema["paths"].items():
        for method in METHODS & node.keys():
            _complete(path, method, node[method])
    return schema


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    if path.startswith(HOOKS):
        operation["security"] = [{"token": []}, {"hook": []}, {}]
    else:
        own: dict[str, list[str]] = {"session": []} if method == "get" else {"session": [], "page": []}
        operation["security"] = [{"token": []}, own]
    answers = cast("dict[str, Any]", operation.setdefault("responses", {}))
    for status, description in ERRORS.items():
        answers[status] = {
            "description": description,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
