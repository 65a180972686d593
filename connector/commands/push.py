"""`vouch push`: files become draft bills in Odoo, each with its attachment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connector.bootstrap import open_service
from connector.commands.output import OUT, print_json
from connector.erp.port import BILL, Upload
from connector.errors import SkippableError
from connector.logs import configure_logs
from connector.sandbox import opened_sandbox
from connector.settings import chosen_backend, load_settings
from inference.errors import DocumentError
from inference.isolation import Sandbox


def push_files(
    files: Sequence[Path], refund: bool, backend: str | None, as_json: bool, config: Path | None
) -> int:
    """Make one draft per file; nothing is made unless every file can be opened. The exit code."""
    settings = load_settings(config)
    configure_logs(settings)
    with opened_sandbox(settings) as sandbox:
        uploads = [_upload(file, refund, sandbox) for file in files]
    with open_service(settings) as service:
        pipeline = service.pipelines[chosen_backend(settings, backend)]
        ids = pipeline.erp.upload(uploads)
        made = [
            {"file": str(file), "record": record_id, "url": pipeline.erp.record_url(BILL, record_id)}
            for file, record_id in zip(files, ids, strict=True)
        ]
    if as_json:
        print_json({"drafts": made})
    else:
        for draft in made:
            OUT.print(f"{draft['file']} → {draft['url']}", markup=False)
    return 0


def _upload(file: Path, refund: bool, sandbox: Sandbox) -> Upload:
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
