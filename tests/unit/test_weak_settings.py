"""What `vouch doctor` says of settings that work and yet are weak; each has its remedy, and a good one says nothing."""

from __future__ import annotations

import json
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from connector.cli import app
from connector.commands import doctor, weak
from connector.commands.findings import BAD, WARNING, Finding
from connector.errors import SettingsError
from connector.ledger.audit import Deed, audit
from connector.ledger.states import JobState
from connector.ledger.store import Ledger
from connector.ledger.tokens import Tokens
from connector.purging import PUT_OFF, RESUMED
from connector.settings import Settings, load_settings
from tests.unit.test_ledger import attachment, clock, ledger, ledger_url, poll

__all__ = ["clock", "ledger", "ledger_url"]

GOOD_BACKEND = {"url": "https://odoo.example.com", "database": "p", "login": "vouch"}


def settings(folder: Path, **more: Any) -> Settings:
    return Settings(data_dir=folder, **more)


def backend(folder: Path, **more: Any):
    key = folder / "main.key"
    key.touch(mode=0o600)
    made = settings(folder, backends={"main": {**GOOD_BACKEND, "api_key_file": str(key), **more}})
    return made.backends["main"], key


def said(findings: Any) -> list[str]:
    found: list[Finding] = list(findings)
    assert {one.status for one in found} <= {WARNING}
    return [one.message for one in found]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "http://odoo.example.com"}, ["plain http", "use https"]),
        ({"verify_tls": False}, ["verify_tls is off", "ca_file"]),
        ({"url": "http://127.0.0.1:8069"}, []),
        ({}, []),
    ],
)
def test_how_odoo_is_reached(tmp_path: Path, change: dict[str, Any], words: list[str]) -> None:
    found = said(weak.weak_backend("main", backend(tmp_path, **change)[0]))
    assert len(found) == bool(words)
    assert all(word in found[0] for word in words)


@pytest.mark.parametrize(("mode", "who"), [(0o644, "everyone"), (0o640, "a whole group"), (0o600, None)])
def test_who_may_read_the_key(tmp_path: Path, mode: int, who: str | None) -> None:
    made, key = backend(tmp_path)
    key.chmod(mode)
    found = said(weak.weak_backend("main", made))
    if who is None:
        assert found == []
    else:
        assert found == [
            f"{who} {'on' if mode == 0o644 else 'of'} this machine can read {key}: chmod 600 {key}"
        ]


def test_a_key_of_somebody_else_is_for_its_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Secret of Kubernetes is root's, and readable by the group of the pod alone."""
    made, key = backend(tmp_path)
    key.chmod(0o440)
    monkeypatch.setattr(weak.os, "getuid", lambda: key.stat().st_uid + 1)
    assert said(weak.weak_backend("main", made)) == []


def test_a_key_that_is_to_be_renewed_must_be_replaceable(tmp_path: Path) -> None:
    made, key = backend(tmp_path, rotate_key=True)
    assert said(weak.weak_backend("main", made)) == []
    key.rename(tmp_path / "real")
    key.symlink_to(tmp_path / "real")
    [found] = said(weak.weak_backend("main", made))
    assert "cannot be replaced" in found


def test_a_settings_file_that_others_may_change_or_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "vouch.toml"
    file.write_text('ledger_url = "postgresql+psycopg2://vouch:hidden@db/vouch"\n')
    file.chmod(0o666)
    found = said(weak.weak_files(load_settings(file), file))
    assert [word in "".join(found) for word in ("may change", "stands in", "with that password")] == [
        True
    ] * 3
    assert "hidden" not in "".join(found)
    file.chmod(0o600)
    assert len(said(weak.weak_files(load_settings(file), file))) == 1
    file.write_text("")
    file.chmod(0o644)
    monkeypatch.setenv("VOUCH_LEDGER_URL", "postgresql+psycopg2://vouch:hidden@db/vouch")
    assert said(weak.weak_files(load_settings(file), file)) == []


def test_data_that_everyone_may_look_into(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    (folder / "ledger.db").touch()
    (folder / "ledger.db").chmod(0o644)
    (folder / "documents").mkdir(mode=0o700)
    [found] = said(weak.weak_files(settings(folder), None))
    assert found == f"everyone on this machine may look into {folder / 'ledger.db'}: chmod -R go= {folder}"
    folder.chmod(0o700)
    assert said(weak.weak_files(settings(folder), None)) == []


def test_a_ledger_on_a_network_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert weak.file_system(Path("/proc")) == "proc"
    mounts = tmp_path / "mountinfo"
    monkeypatch.setattr(weak, "MOUNTS", mounts)
    folder = tmp_path / "my data"
    folder.mkdir()
    place = str(folder).replace(" ", "\\040")
    mounts.write_text(
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        f"40 22 0:40 / {place} rw shared:9 - nfs4 server:/export rw\n"
    )
    [found] = said(weak.weak_place(settings(folder)))
    assert "a network file system (nfs4)" in found
    assert said(weak.weak_place(settings(tmp_path))) == []
    assert said(weak.weak_place(settings(folder, ledger_url="postgresql+psycopg2:///vouch"))) == []


@pytest.mark.parametrize(
    ("address", "warned"),
    [
        ("db.example/vouch", True),
        ("db.example/vouch?sslmode=prefer", True),
        ("/vouch?host=db.example", True),
        ("db.example/vouch?sslmode=verify-full", False),
        ("127.0.0.1/vouch", False),
        ("/vouch?host=/run/postgresql", False),
    ],
)
def test_a_ledger_reached_in_the_clear(tmp_path: Path, address: str, warned: bool) -> None:
    url = f"postgresql+psycopg2://vouch:hidden@{address}"
    found = said(weak.weak_place(settings(tmp_path, ledger_url=url)))
    assert len(found) == warned
    assert not warned or ("db.example" in found[0] and "sslmode=verify-full" in found[0])
    assert "hidden" not in "".join(found)


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        ("LEDGER_URL", "postgresql+psycopg2://vouch:hid:den@db:5432hidden/vouch"),
        ("LEDGER_URL", "postgresql+psycopg2//vouch:hidden@db/vouch"),
        ("VLM__URL", "https://vouch:hidden@model.example"),
        ("VLM__URL", "https://hidden@model.example"),
        ("WEB__URL", "https://vouch:hidden@vouch.example"),
        ("WEB__URL", "https://vouch.example/?key=hidden"),
    ],
)
def test_an_address_that_cannot_be_or_holds_a_secret_is_refused_without_telling_it(
    variable: str, address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"VOUCH_{variable}", address)
    with pytest.raises(SettingsError, match=variable.lower().replace("__", r"\.")) as refused:
        load_settings()
    assert "hidden" not in "".join(traceback.format_exception(refused.value))


def test_a_weak_model_server_is_told_of_also_while_it_is_away(tmp_path: Path) -> None:
    key = tmp_path / "vllm.key"
    key.write_text("changeme")
    key.chmod(0o640)
    # An address of this machine that does not count as one, where nobody listens.
    vlm = {"url": "http://127.0.0.9:9", "api_key_file": str(key)}
    found = list(doctor._model(settings(tmp_path, vlm=vlm)))
    told = [one.message for one in found if one.status == WARNING]
    for words in (
        "sent to 127.0.0.9",
        "plain http",
        f"a whole group of this machine can read {key}",
        "8 characters",
    ):
        assert any(words in one for one in told), (words, told)
    assert [one.exit_code for one in found if one.status == BAD] == [5]


def settled(ledger: Ledger) -> None:
    ledger.remember("main", poll(attachment(1)))
    job = ledger.claim("a", ["main"])
    assert job
    ledger.finish(job, JobState.SKIPPED, "test", "")


def test_documents_kept_for_ever_and_work_without_a_backup(ledger: Ledger, tmp_path: Path) -> None:
    assert said(weak.weak_keeping(settings(tmp_path), ledger)) == []
    settled(ledger)
    found = said(weak.weak_keeping(settings(tmp_path), ledger))
    assert [one.split(":")[0] for one in found] == [
        "documents are kept for ever, also after they are settled",
        "there is no backup",
    ]
    with Session(ledger.engine) as session, session.begin():
        audit(session, Deed("backup.made", "ledger", "vouch"))
    keeping = settings(tmp_path, retention={"documents_days": 90})
    assert said(weak.weak_keeping(keeping, ledger)) == []


def test_a_backup_of_long_ago(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(ledger)
    with Session(ledger.engine) as session, session.begin():
        audit(session, Deed("backup.made", "ledger", "vouch"))

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz or UTC) + timedelta(days=8)

    monkeypatch.setattr(weak, "datetime", Later)
    keeping = settings(tmp_path, retention={"documents_days": 90})
    [found] = said(weak.weak_keeping(keeping, ledger))
    assert found.startswith(f"the last backup is of {datetime.now(UTC):%Y-%m}")


def test_a_purge_that_was_put_off(ledger: Ledger, tmp_path: Path) -> None:
    settled(ledger)
    keeping = settings(tmp_path, retention={"documents_days": 90})
    for deed, told in ((PUT_OFF, True), (RESUMED, False)):
        with Session(ledger.engine) as session, session.begin():
            audit(session, Deed("backup.made", "ledger", "vouch"))
            audit(session, Deed(deed, "ledger", "vouch", {"why": "The clock is wrong: set it right."}))
        assert said(weak.weak_keeping(keeping, ledger)) == ["The clock is wrong: set it right."] * told


@pytest.mark.parametrize(("minutes", "word"), [(61, "ahead of"), (60, ""), (-60, ""), (-61, "behind")])
def test_a_clock_that_is_not_that_of_odoo(minutes: int, word: str) -> None:
    now = datetime.now(UTC)
    found = said(weak.weak_clock("main", now + timedelta(minutes=minutes), now))
    assert [word in one and "set right" in one for one in found] == [True] * bool(word)
    assert said(weak.weak_clock("main", now, None)) == []


@pytest.mark.parametrize(
    ("web", "words"),
    [
        ({"host": "0.0.0.0", "url": "https://vouch.example"}, "listens on 0.0.0.0:8170 in plain http"),
        ({"proxies": ("*",)}, "web.proxies believes everybody"),
        ({"url": "https://vouch.example"}, ""),
        ({}, ""),
    ],
)
def test_who_may_stand_before_the_server(tmp_path: Path, web: dict[str, Any], words: str) -> None:
    found = said(weak.weak_web(settings(tmp_path, web=web)))
    assert len(found) == bool(words)
    assert words in "".join(found)


def test_tokens_that_are_good_for_too_much(ledger: Ledger) -> None:
    tokens = Tokens(ledger.engine)
    tokens.make("rule", "main", ["hooks:write"])
    tokens.make("till", "main", ["documents:write"], lifetime=timedelta(days=90))
    assert said(weak.weak_tokens(ledger)) == []
    tokens.make("both", "main", ["hooks:write", "reviews:read"])
    tokens.make("ever", "main", ["reviews:write"])
    both, ever = said(weak.weak_tokens(ledger))
    assert "both may call from Odoo and also reviews:read" in both
    assert "ever never ends" in ever


@pytest.mark.parametrize(
    ("url", "key", "words"),
    [
        ("https://model.example", "", "asks for no key"),
        ("https://model.example", "changeme", "has a key of 8 characters"),
        ("https://model.example", "x" * 44, ""),
        ("http://127.0.0.1:8000", "", ""),
    ],
)
def test_a_model_key_that_can_be_guessed(tmp_path: Path, url: str, key: str, words: str) -> None:
    found = said(weak.weak_model_key(settings(tmp_path, vlm={"url": url, "api_key": key or None})))
    assert len(found) == bool(words)
    assert words in "".join(found)
    assert not key or key not in "".join(found)


def test_an_old_odoo() -> None:
    assert len(said(weak.weak_odoo("main", 16, "16.0"))) == 1
    assert said(weak.weak_odoo("main", 17, "17.0")) == []


def test_the_doctor_says_it_as_json_and_a_secret_in_the_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOUCH_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "vouch.toml").write_text('[web]\nproxies = ["*"]\n')
    (tmp_path / "vouch.toml").chmod(0o602)
    told = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)["findings"]
    warned = {one["subject"]: one["message"] for one in told if one["status"] == "warning"}
    assert warned["web"].startswith("web.proxies")
    assert warned["settings"].startswith("others on this machine may change")
    (tmp_path / "vouch.toml").write_text(
        '[backends.main]\nurl = "https://x"\ndatabase = "d"\napi_key = "s"\n'
    )
    [bad] = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)["findings"]
    assert (bad["status"], "holds a secret" in bad["message"]) == ("bad", True)
