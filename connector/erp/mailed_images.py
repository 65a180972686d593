"""A scheduled action in Odoo that gives mailed images back to their bills, so that Vouch's user may read them.

Odoo detaches an image that came by mail from the bill it made of it, and lets only administrators read it. The
action runs as Odoo itself: it attaches the images of a draft that has no other document. Logos in signatures are
below `SMALLEST` and stay where they are. An administrator installs it once; nothing else in Odoo is changed.
"""

from __future__ import annotations

from connector.erp.server_code import code_on_bills
from connector.erp.transport import Session

NAME = "Vouch: attach mailed images to their bills"
EVERY_MINUTES = 5
SMALLEST = 5_000

CODE = f"""
drafts = env['account.move'].search([
    ('state', '=', 'draft'),
    ('move_type', 'in', ('in_invoice', 'in_refund', 'in_receipt')),
    ('message_main_attachment_id', '!=', False),
    ('attachment_ids', '=', False),
])
for bill in drafts:
    images = bill.message_main_attachment_id | bill.message_ids.attachment_ids.filtered(
        lambda image: image.file_size >= {SMALLEST}
    )
    images.filtered(lambda image: not image.res_model and image.mimetype.startswith('image/')).write(
        {{'res_model': 'account.move', 'res_id': bill.id}}
    )
"""


def install(session: Session) -> bool:
    """Install the action where it is missing; whether it was. The session must be an administrator's."""
    if session.rows("ir.cron", [("name", "=", NAME)], ["id"], limit=1):
        return False
    action = {
        **code_on_bills(session, NAME, CODE),
        "interval_number": EVERY_MINUTES,
        "interval_type": "minutes",
    }
    session.write("ir.cron", "create", args={"vals_list": [action]})
    return True
