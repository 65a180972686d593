"""What this Odoo and this login can do: version, fields, rights, companies. Probed, never guessed by version."""

from __future__ import annotations

from connector.erp import values
from connector.erp.answers import as_row, as_truth
from connector.erp.faults import NoModelError, role_for
from connector.erp.keys import endings
from connector.erp.port import BILL, ORDER, Capabilities
from connector.erp.transport import Session
from connector.erp.wire import Connection, Row
from connector.errors import AccessError, SettingsError

# Models whose fields and rights are looked at; the second part may be absent where its app is not installed.
MODELS = (
    BILL,
    "account.move.line",
    "account.account",
    "account.fiscal.position",
    "account.fiscal.position.account",
    "account.journal",
    "account.payment.term",
    "account.payment.term.line",
    "account.tax",
    "ir.attachment",
    "mail.activity",
    "mail.message",
    "product.category",
    "product.product",
    "product.supplierinfo",
    "res.company",
    "res.country",
    "res.country.group",
    "res.currency",
    "res.partner",
    "res.partner.bank",
    "res.users",
)
ORDER_MODELS = (ORDER, "purchase.order.line")
# Not missed where they are absent: the first is gone since Odoo 19; the second every internal user may read there.
OPTIONAL_MODELS = ("account.fiscal.position.tax", "account.analytic.account")

_RIGHTS = {
    BILL: ("read", "write", "create"),
    "account.move.line": ("read", "write", "create"),
    ORDER: ("read", "write"),
    "purchase.order.line": ("read", "write", "create"),
    "ir.attachment": ("read", "create"),
    "mail.activity": ("create",),
    "mail.message": ("read", "create"),
}

# A field that only its app brings.
_MODULES = {
    "account": (BILL, "move_type"),
    "purchase": (ORDER, "state"),
    "purchase_stock": (ORDER, "picking_type_id"),
    "account_invoice_extract": (BILL, "extract_state"),
    "account_edi_ubl_cii": ("res.partner", "invoice_edi_format"),
}


def probe(session: Session, settings: Connection) -> Capabilities:
    """Ask once; about forty short calls. Raises AccessError where even the bills cannot be read."""
    fields = {model: _fields(session, model) for model in (*MODELS, *ORDER_MODELS, *OPTIONAL_MODELS)}
    present = {model: names for model, names in fields.items() if names}
    if BILL not in present:
        raise SettingsError(
            f"The database {settings.database} has no vendor bills: install Odoo's app Invoicing or Accounting"
        )
    denied = {model: rights for model in present if (rights := _denied(session, model))}
    missing = (
        *(f"This user cannot see {model}: {_remedy(model)}" for model in MODELS if model not in present),
        *(
            f"This user may not {' or '.join(rights)} {model}: {_remedy(model)}"
            for model, rights in denied.items()
        ),
    )
    if any("read" in denied.get(model, ()) for model in ORDER_MODELS):
        # Bills go on without the right to see orders.
        present = {model: names for model, names in present.items() if model not in ORDER_MODELS}
    user = session.rows("res.users", [("id", "=", session.user_id)], ["login", "company_id", "company_ids"])
    allowed = _main_first(user[0]) if user else ()
    return Capabilities(
        version=session.version.text,
        major=session.version.major,
        protocol=session.protocol,
        login=values.text(user[0]["login"]) if user else settings.login,
        user_id=session.user_id,
        companies=_companies(settings, allowed),
        modules=frozenset(
            app for app, (model, name) in _MODULES.items() if name in present.get(model, frozenset())
        ),
        fields=present,
        missing_rights=missing,
        fills_orders=ORDER in present and not any(model in denied for model in ORDER_MODELS),
        key_expires=next((one.ends_at for one in endings(session)), None) if settings.has_key else None,
    )


def _fields(session: Session, model: str) -> frozenset[str]:
    """The fields that this user sees; none where the model is absent or forbidden."""
    try:
        found = as_row(session.read(model, "fields_get", attributes=["type"]), f"{model}.fields_get")
    except (NoModelError, AccessError):
        return frozenset()
    return frozenset(found)


def _denied(session: Session, model: str) -> list[str]:
    return [right for right in _RIGHTS.get(model, ("read",)) if not may(session, model, right)]


def _remedy(model: str) -> str:
    return f"give the user the role {role_for(model)}"


def may(session: Session, model: str, right: str) -> bool:
    """Whether the user has `read`, `write`, `create` or `unlink` on the model in general."""
    if session.version.major >= 18:
        allowed = session.read(model, "has_access", ids=[], args={"operation": right})
        return as_truth(allowed, f"{model}.has_access")
    allowed = session.read(model, "check_access_rights", operation=right, raise_exception=False)
    return as_truth(allowed, f"{model}.check_access_rights")


def _main_first(user: Row) -> tuple[int, ...]:
    """The user's companies, the one it works in by default before the others."""
    main = values.many2one(user["company_id"])
    return tuple(sorted(values.many(user["company_ids"]), key=lambda company: (company != main, company)))


def _companies(settings: Connection, allowed: tuple[int, ...]) -> tuple[int, ...]:
    unknown = set(settings.companies) - set(allowed)
    if unknown:
        raise AccessError(
            f"The user of {settings.name} is not allowed in the companies {sorted(unknown)}: "
            "add them to the user's allowed companies, or take them out of the settings"
        )
    return settings.companies or allowed
