"""The model server as the settings name it: commands, errors by reaction, doctor, readiness, the notice it asks for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from connector.errors import AwayError, FatalError, SettingsError
from connector.model import opened_desk
from connector.review.app import create_app
from connector.settings import Settings, load_settings
from tests.integration.recorded_model import KEY, RecordedModel, true_answer
from tests.integration.vllm_server import KEY as REAL_KEY
from tests.integration.vllm_server import VllmServer
from tests.review_ledger import fill
from tests.samples.bad import html
from tests.samples.designs import render
from tests.samples.generate import samples
from tests.samples.random_bills import random_bill

ROOT = Path(__file__).parents[2]
BILL = random_bill(11, "modern")


@pytest.fixture
def model() -> Iterator[RecordedModel]:
    truth = BILL.truth()
    with RecordedModel(lambda asked: true_answer(truth, asked.keys)).serving() as serving:
        yield serving


def settings_file(folder: Path, url: str, key: str = KEY, **more: str | bool | int) -> Path:
    (folder / "key").write_text(key)
    (folder / "key").chmod(0o600)
    lines = [f'data_dir = "{folder}/data"', "[vlm]", f'url = "{url}"', f'api_key_file = "{folder}/key"']
    lines += [f"{name} = {json.dumps(value)}" for name, value in more.items()]
    (folder / "vouch.toml").write_text("\n".join(lines))
    return folder / "vouch.toml"


def settings(folder: Path, url: str, key: str = KEY, **more: str | bool | int) -> Settings:
    return load_settings(settings_file(folder, url, key, **more))


def vouch(file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VOUCH_")}
    return subprocess.run(
        [sys.executable, "-m", "connector.cli", *words, "--config", str(file)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=300,
    )


def test_an_e_invoice_is_not_shown_to_the_model(tmp_path: Path, model: RecordedModel) -> None:
    sample = next(sample for sample in samples() if sample.name == "facturx")
    with opened_desk(settings(tmp_path, model.url)) as desk:
        assert desk.read(sample.data, sample.filename)[1].reader == "einvoice"
        assert desk.read(render(BILL), "bill.pdf")[1].reader == "vlm"
        assert desk.attribution == "Built with glm-4"
    assert len(model.asked) == 1
    with opened_desk(settings(tmp_path, model.url), "layout") as desk:
        assert desk.read(render(BILL), "bill.pdf")[1].reader == "layout"
        assert desk.attribution == ""


def test_errors_are_named_by_reaction(tmp_path: Path, model: RecordedModel) -> None:
    data = render(BILL)
    with (
        opened_desk(settings(tmp_path, model.url, "wrong")) as desk,
        pytest.raises(FatalError, match="api_key_file"),
    ):
        desk.read(data, "bill.pdf")
    model.away = True
    with opened_desk(settings(tmp_path, model.url)) as desk:
        for _ in range(3):
            with pytest.raises(AwayError, match="vouch vllm serve"):
                desk.read(data, "bill.pdf")
        assert "cannot be reached" in desk.away()
    with opened_desk(settings(tmp_path, model.url, fallback="layout")) as desk:
        assert desk.read(data, "bill.pdf")[1].reader == "layout"
    none = Settings(data_dir=tmp_path)
    with pytest.raises(SettingsError, match=r"vlm\.url"), opened_desk(none, "vlm"):
        pass


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('profile = "gpt"', "glm-4v-9b"),
        ('api_key = "secret"', "VOUCH_VLM__API_KEY"),
        ("in_flight = 0", "in_flight"),
    ],
)
def test_wrong_settings_say_what_is_right(tmp_path: Path, wrong: str, said: str) -> None:
    file = tmp_path / "vouch.toml"
    file.write_text(f"[vlm]\n{wrong}\n")
    with pytest.raises(SettingsError, match=said) as caught:
        load_settings(file)
    assert '"secret"' not in str(caught.value)


def test_the_command_shows_what_it_took(tmp_path: Path, model: RecordedModel) -> None:
    file, bill = settings_file(tmp_path, model.url), tmp_path / "bill.pdf"
    bill.write_bytes(render(BILL))
    (tmp_path / "page.html").write_bytes(html())
    first = vouch(file, "read", str(bill), "--reader", "vlm", "--json")
    node = json.loads(first.stdout)
    assert first.returncode == 0
    assert node["reader"] == "vlm"
    assert node["fields"]["invoice_number"]["value"] == BILL.number
    assert node["usage"]["calls"] == 1
    assert {"vlm", "model", "layout"} <= node["timing_ms"].keys()
    assert first.stderr == ""
    assert KEY not in first.stdout + first.stderr
    again = vouch(file, "read", str(bill), str(tmp_path / "page.html"))
    assert again.returncode == 6
    assert "0 calls, 1 answers reused" in again.stdout
    assert "Built with glm-4" in again.stdout
    model.away = True
    assert vouch(file, "read", str(bill)).returncode == 0
    changed = tmp_path / "other.pdf"
    changed.write_bytes(render(random_bill(12, "modern")))
    away = vouch(file, "read", str(changed))
    assert away.returncode == 5
    assert "vouch vllm serve" in away.stderr


def test_eval_asks_the_model_as_read_does(tmp_path: Path, model: RecordedModel) -> None:
    file, folder = settings_file(tmp_path, model.url), tmp_path / "bills"
    folder.mkdir()
    (folder / "bill.pdf").write_bytes(render(BILL))
    (folder / "bill.json").write_text(vouch(file, "read", str(folder / "bill.pdf"), "--json").stdout)
    words = ("eval", str(folder), "--json", "-", "--predictions", str(tmp_path / "read"), "--reader")
    ran = vouch(file, *words, "vlm")
    node = json.loads(ran.stdout)
    assert (node["reader"], node["figures"]["header"]["accuracy"]["value"]) == ("vlm", 1.0), ran.stderr
    read = json.loads((tmp_path / "read" / "bills" / "bill.json").read_text())
    assert read["reader"] == "vlm"
    # The answer that `vouch read` was given is the one that is evaluated.
    assert (read["usage"]["calls"], read["usage"]["reused"]) == (0, 1)
    alone = vouch(file, *words, "layout")
    assert json.loads((tmp_path / "read" / "bills" / "bill.json").read_text())["reader"] == "layout", alone
    model.away = True
    (folder / "bill.pdf").write_bytes(render(random_bill(12, "modern")))
    away = vouch(file, *words, "auto")
    assert away.returncode == 5
    assert "vouch vllm serve" in away.stderr
    assert away.stdout == ""
    none = tmp_path / "none.toml"
    none.write_text("")
    assert vouch(none, *words, "vlm").returncode == 2


def test_doctor_examines_the_server(tmp_path: Path, model: RecordedModel) -> None:
    def found(file: Path) -> str:
        node = json.loads(vouch(file, "doctor", "--json").stdout)
        return "\n".join(f"{f['status']} {f['message']}" for f in node["findings"] if f["subject"] == "model")

    good = found(settings_file(tmp_path, model.url))
    assert "good GLM-4v-9b answers" in good
    assert "Built with glm-4" in good
    assert "0 reviewed values of glm-4v-9b, they learn from 200 on" in good
    assert "warning glm-4-9b licence" in good
    assert "leave this machine" not in good
    assert "licence" not in found(settings_file(tmp_path, model.url, acknowledge_licence=True))
    assert "bad" in found(settings_file(tmp_path, model.url, "wrong"))
    assert "does not serve “other”" in found(settings_file(tmp_path, model.url, model="other"))
    model.context = 4096
    assert "--max-model-len 8192" in found(settings_file(tmp_path, model.url))
    far = found(settings_file(tmp_path, "http://vllm.invalid:8000"))
    assert "bad" in far
    assert "cannot be reached" in far


def test_the_notice_stands_on_every_screen(tmp_path: Path) -> None:
    desk = fill(tmp_path)
    with_model = create_app(replace(desk.deps, attribution="Built with <glm-4>"))
    shown = TestClient(with_model, base_url="http://127.0.0.1:8170").get("/reviews").text
    assert "Built with &lt;glm-4&gt;" in shown


def test_documents_that_wait_are_a_problem_of_readiness(tmp_path: Path) -> None:
    desk = fill(tmp_path)
    app = create_app(replace(desk.deps, problems=lambda: ("Documents wait for the model server: away",)))
    answer = TestClient(app, base_url="http://127.0.0.1:8170").get("/readyz")
    assert answer.status_code == 503
    assert "model server" in answer.text


@pytest.mark.timeout(900)
def test_the_command_with_the_real_server(
    tmp_path: Path, vllm_server: Callable[[str], VllmServer], profile: str
) -> None:
    """Another model is another setting, and nothing else."""
    url = vllm_server(profile).url
    file = settings_file(
        tmp_path, url, REAL_KEY, profile=profile, timeout_seconds=240, document_seconds=600, second_look=False
    )
    bill = tmp_path / "bill.pdf"
    bill.write_bytes(render(BILL))
    first = json.loads(vouch(file, "read", str(bill), "--reader", "vlm", "--json").stdout)
    assert (first["reader"], first["usage"]["model"]) == ("vlm", profile)
    assert first["usage"]["prompt_tokens"] > 1000
    assert first["usage"]["answer_tokens"] > 100
    assert {"vlm", "model", "layout", "total"} <= first["timing_ms"].keys()
    assert first["fields"]
    assert first["lines"]
    again = json.loads(vouch(file, "read", str(bill), "--reader", "vlm", "--json").stdout)
    assert again["usage"]["calls"] == 0
    assert {**again, "usage": 0, "timing_ms": 0} == {**first, "usage": 0, "timing_ms": 0}
    shown = vouch(file, "read", str(bill), "--reader", "vlm").stdout
    reused = again["usage"]["reused"]
    assert f"{profile}: 0 calls, {reused} answers reused, 0 tokens read (0 from its cache)" in shown
