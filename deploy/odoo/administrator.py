"""An administrator's hands on an Odoo database: put documents in as people and mail servers do, and look."""

import base64
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any

import httpx

from deploy.odoo.places import ADMIN_LOGIN, ADMIN_PASSWORD

BILLS_ADDRESS = "bills@kestrel.example"


@dataclass(frozen=True)
class MailedFile:
    """An attachment of a mail: its name, media type such as `application/pdf`, and bytes."""

    name: str
    media_type: str
    content: bytes


class Administrator:
    """Calls over JSON-RPC as one user, by default the administrator of the development databases."""

    def __init__(
        self, url: str, database: str, login: str = ADMIN_LOGIN, password: str = ADMIN_PASSWORD
    ) -> None:
        self._url, self._database, self._password = url, database, password
        self._numbers = itertools.count(1)
        self.uid: int = self._rpc("common", "authenticate", [database, login, password, {}])
        if not self.uid:
            raise AssertionError(f"Odoo refuses {login} on {database}")

    def call(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a public model method; AssertionError with Odoo's own message when it fails."""
        words = [self._database, self.uid, self._password, model, method, list(args), kwargs]
        return self._rpc("object", "execute_kw", words)

    def find(self, model: str, domain: Sequence[Any], fields: Sequence[str]) -> list[dict[str, Any]]:
        """All matching records by id."""
        return self.call(model, "search_read", list(domain), fields=list(fields), order="id")

    def mail_bill(self, sender: str, subject: str, *files: MailedFile) -> list[int]:
        """Deliver a mail to the purchase journal's alias, and return the ids of the draft bills it made."""
        before = self.call("account.move", "search", [], order="id desc", limit=1)
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, BILLS_ADDRESS, subject
        message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">"))
        message.set_content("Please find the invoice attached.\n")
        for file in files:
            main, _, sub = file.media_type.partition("/")
            message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
        self.call("mail.thread", "message_process", False, message.as_bytes().decode("ascii"))
        return self.call("account.move", "search", [["id", ">", max(before, default=0)]], order="id")

    def draft_bill(self, *files: MailedFile, move_type: str = "in_invoice", **values: Any) -> int:
        """A draft bill as a person makes it, with the files attached; the id of the `account.move`."""
        return self._draft("account.move", {"move_type": move_type, **values}, files)

    def draft_order(self, partner_id: int, *files: MailedFile, **values: Any) -> int:
        """A draft purchase order of the vendor, with the files attached; its id."""
        return self._draft("purchase.order", {"partner_id": partner_id, **values}, files)

    def attach(self, model: str, record_id: int, file: MailedFile) -> int:
        """Attach a file to a record as the upload button does; the id of the `ir.attachment`."""
        values = {"name": file.name, "mimetype": file.media_type, "res_model": model, "res_id": record_id}
        return self.call(
            "ir.attachment", "create", {**values, "datas": base64.b64encode(file.content).decode()}
        )

    def run_scheduled(self, name: str) -> None:
        """Run a scheduled action now instead of when it is due."""
        [action] = self.find("ir.cron", [["name", "=", name]], ["id"])
        self.call("ir.cron", "method_direct_trigger", [action["id"]])

    def grant(self, login: str, group: str) -> None:
        """Give the user with that login the role with that external id, such as `base.group_partner_manager`."""
        module, _, name = group.partition(".")
        [found] = self.find("ir.model.data", [["module", "=", module], ["name", "=", name]], ["res_id"])
        [user] = self.find("res.users", [["login", "=", login]], ["id"])
        self.call("res.users", "write", [user["id"]], {"group_ids": [(4, found["res_id"])]})

    def _draft(self, model: str, values: dict[str, Any], files: Sequence[MailedFile]) -> int:
        record_id: int = self.call(model, "create", values)
        for file in files:
            self.attach(model, record_id, file)
        return record_id

    def _rpc(self, service: str, method: str, args: list[Any]) -> Any:
        body = {"service": service, "method": method, "args": args}
        request = {"jsonrpc": "2.0", "method": "call", "id": next(self._numbers), "params": body}
        answer = httpx.post(f"{self._url}/jsonrpc", json=request, timeout=120).raise_for_status().json()
        if "error" in answer:
            data = answer["error"].get("data", {})
            raise AssertionError(
                f"Odoo: {data.get('message') or answer['error']['message']}\n{data.get('debug', '')}"
            )
        return answer.get("result")
