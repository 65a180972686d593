"""`vouch push`: files become draft bills in Odoo, each with its attachment."""

from __future__ import annotations

import getpass
import hashlib
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from connector.bootstrap import Service, make_uploads, open_service
from connector.commands.output import OUT, print_json
from connector.erp.port import BILL, Upload
from connector.errors import RetriableError, SkippableError
from connector.ledger.uploads import Sent, UploadState
from connector.logs import configure_logs
from connector.sandbox import opened_sandbox
from connector.settings import chosen_backend, load_settings
from inference.errors import DocumentError
from inference.isolation import Sandbox

if TYPE_CHECKING:
    from connector.uploads import Uploads


def push_files(
    files: Sequence[Path], refund: bool, backend: str | None, as_json: bool, config: Path | None
) -> int:
    """Make one draft per file; nothing is made unless every file can be opened. The same file again gives the draft that it
    has, also where the command was broken off. The exit code."""
    settings = load_settings(config)
    configure_logs(settings)
    with opened_sandbox(settings) as sandbox:
        documents = [_document(file, refund, sandbox) for file in files]
    with open_service(settings) as service:
        name = chosen_backend(settings, backend)
        erp, uploads = service.pipelines[name].erp, make_uploads(service, lambda _: None)
        made: list[dict[str, str | int]] = []
        for file, document in zip(files, documents, strict=True):
            record_id = _pushed(service, uploads, name, document)
            made.append({"file": str(file), "record": record_id, "url": erp.record_url(BILL, record_id)})
    if as_json:
        print_json({"drafts": made})
    else:
        for draft in made:
            OUT.print(f"{draft['file']} → {draft['url']}", markup=False)
    return 0


def _document(file: Path, refund: bool, sandbox: Sandbox) -> Upload:
    try:
        data = file.read_bytes()
        sandbox.open(data, file.name)
    except OSError as error:
        raise SkippableError(
            f"{file} cannot be opened: {error.strerror}. Nothing was put into Odoo."
        ) from error
    except DocumentError as error:
        raise SkippableError(f"{file}: {error} Nothing was put into Odoo.") from error
    return Upload(file.name, data, "in_refund" if refund else "in_invoice")


def _pushed(service: Service, uploads: Uploads, backend: str, document: Upload) -> int:
    """The draft bill of the document. Raises SkippableError where Odoo refuses it, RetriableError where it is kept and not
    sent yet."""
    sha256 = service.documents.put(document.data)
    # A draft that was deleted in Odoo, or refused, is no reason not to make another.
    for again in itertools.count():
        asked = json.dumps([backend, document.move_type, document.name, sha256, again])
        key = hashlib.sha256(asked.encode()).hexdigest()
        actor = f"person:{getpass.getuser()}"[:128]
        kept = uploads.kept.receive(
            Sent(backend, actor, key, key, document.name[-255:], sha256, document.move_type, None)
        )
        if kept.state == UploadState.REFUSED:
            continue
        upload = uploads.send(kept.id) or kept
        if upload.state == UploadState.REFUSED:
            raise SkippableError(upload.message, "refused")
        if upload.record_id is None:
            raise RetriableError(
                f"{document.name} is kept, but not in Odoo yet: {upload.message or 'another process is at it.'} The next "
                "round sends it; the same command again makes no second draft."
            )
        if upload is not kept or service.pipelines[backend].erp.states(BILL, [upload.record_id]):
            return upload.record_id
    raise AssertionError("unreachable: it counts without an end")
