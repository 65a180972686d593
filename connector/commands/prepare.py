"""`vouch prepare`: what only an administrator can do in Odoo, once."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from connector.bootstrap import connection
from connector.commands.output import OUT
from connector.erp import guarded, mailed_images
from connector.erp.odoo import connect
from connector.erp.wire import JSONRPC
from connector.settings import chosen_backend, load_settings


def prepare_odoo(login: str, password: str, backend: str | None, config: Path | None) -> int:
    """Install the scheduled action for mailed images, and the action that writes where nobody changed a record; 0.

    Raises AccessError for a login without the right.
    """
    settings = load_settings(config)
    name = chosen_backend(settings, backend)
    reached = connection(name, settings.backends[name], settings)
    erp = connect(reached.of(login, SecretStr(password), JSONRPC))
    try:
        added = mailed_images.install(erp.session)
        guards = guarded.install(erp.session)
    finally:
        erp.close()
    OUT.print(
        f"The scheduled action “{mailed_images.NAME}” {'is installed' if added else 'was there already'}: it attaches "
        f"images that came by mail to their draft bills every {mailed_images.EVERY_MINUTES} minutes.",
        markup=False,
    )
    OUT.print(
        f"The action “{guarded.NAME}” {'is installed' if guards else 'was there already'}: Odoo compares a record with "
        "what Vouch has read in the moment of writing, so that nothing a person saves is written over.",
        markup=False,
    )
    return 0
