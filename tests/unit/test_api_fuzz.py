"""Schemathesis at every route of the API: whatever is sent, the answer is one that the description names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from prometheus_client import CollectorRegistry
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from connector.ledger.tokens import SCOPES, Tokens
from connector.ledger.uploads import UploadLog
from connector.review.app import create_app
from connector.review.deps import SignIn
from connector.uploads import Uploads
from tests.review_ledger import fill
from tests.unit.test_api_access import PATIENCE, Books

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


EXAMPLES = 25


def test_every_answer_is_one_that_is_described(tmp_path: Path) -> None:
    desk = fill(tmp_path)
    uploads = Uploads(
        UploadLog(desk.ledger.engine, desk.clock),
        desk.documents,
        {"main": Books()},  # type: ignore[dict-item]
        lambda _: None,
        PATIENCE,
    )
    app = create_app(
        replace(
            desk.deps,
            registry=CollectorRegistry(),
            sign_in=SignIn({}),
            uploads=uploads,
            requests_per_minute=10**9,
        )
    )
    token = Tokens(desk.ledger.engine, desk.clock).make("fuzz", "main", SCOPES)
    headers = {"Authorization": f"Bearer {token}", "Host": "127.0.0.1"}
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, headers=headers)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 8
    wrong: list[str] = []
    for operation in operations:

        @settings(
            max_examples=EXAMPLES,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
        )
        @given(case=operation.as_strategy())
        def sent(case: schemathesis.Case) -> None:
            answer = case.call(headers=headers)
            case.validate_response(answer, checks=CHECKS)

        try:
            sent()
        except (FailureGroup, ExceptionGroup, AssertionError) as failure:
            wrong.append(f"{operation.label}: {failure}")
    assert not wrong, "\n\n".join(wrong)
