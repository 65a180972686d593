"""What is deployed by our files has no way out but the ones that its owner adds, no rights, and names nothing that is not there."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from connector.cli import app
from connector.review.access import OPEN_PATHS
from connector.settings import Settings, load_settings
from tests.unit.test_docs import settings_names

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted(DEPLOY.rglob("*.service"))
COMPOSED = sorted(DEPLOY.rglob("compose*.yaml"))
CONTAINERFILE = DEPLOY / "vouch" / "Containerfile"
KUBERNETES = [
    node
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for node in yaml.safe_load_all(file.read_text("utf-8"))
]
OURS = [*UNITS, *COMPOSED, CONTAINERFILE, *(DEPLOY / "kubernetes").glob("*.yaml")]


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [node for node in KUBERNETES if node["kind"] == kind]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_of_systemd_reaches_this_machine_only(unit: Path) -> None:
    said = re.findall(r"^(\w+)=(.*)$", unit.read_text("utf-8"), re.MULTILINE)
    assert ("IPAddressDeny", "any") in said
    # Not `localhost`: it holds 127.0.0.53, where a resolver passes questions on to anybody.
    assert [value for name, value in said if name == "IPAddressAllow"] == ["127.0.0.1 ::1"]
    [hidden] = [value.split() for name, value in said if name == "InaccessiblePaths"]
    assert "-/run/systemd/resolve/io.systemd.Resolve" in hidden
    needed = {
        **dict.fromkeys(
            ("NoNewPrivileges", "RestrictNamespaces", "LockPersonality", "RestrictSUIDSGID"), "yes"
        ),
        "ProtectSystem": "strict",
        "CapabilityBoundingSet": "",
        "UMask": "0077",
        "StateDirectoryMode": "0700",
    }
    assert set(needed.items()) <= set(said)
    assert {name for name, _ in said} >= {"RestrictAddressFamilies", "User"}


def test_what_reads_documents_may_shut_itself_in() -> None:
    """Under systemd the service's calls are named; those that take rights away are among them."""
    [calls] = re.findall(
        r"^SystemCallFilter=(.*)$", (DEPLOY / "vouch" / "vouch.service").read_text(), re.MULTILINE
    )
    landlock = {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"}
    assert {"@system-service", "seccomp", *landlock} <= set(calls.split())


def test_there_is_memory_for_what_reads() -> None:
    """Reading and drawing may each take what the settings allow, before the kernel ends the service for all."""
    reading = Settings.model_fields["reading"].default
    needed = (reading.processes + 1) * reading.max_memory_megabytes * 1_000_000 + 1_000_000_000
    [unit] = re.findall(r"^MemoryMax=(\d+)G$", (DEPLOY / "vouch" / "vouch.service").read_text(), re.MULTILINE)
    composed = yaml.safe_load((DEPLOY / "vouch" / "compose.yaml").read_text("utf-8"))["services"]["vouch"]
    [deployment] = of_kind("Deployment")
    pod = deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]
    for gigabytes in (unit, composed["mem_limit"].removesuffix("g"), pod.removesuffix("Gi")):
        assert int(gigabytes) * 2**30 >= needed


@pytest.mark.parametrize("file", COMPOSED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_runs_composed_has_no_way_out(file: Path) -> None:
    """Only plain forwarders, which hold no secret and no document of ours, are on a network that leads elsewhere."""
    node = yaml.safe_load(file.read_text("utf-8"))
    internal = {name for name, network in node["networks"].items() if network.get("internal")}
    lasting = {name: one for name, one in node["services"].items() if "fetch" not in one.get("profiles", ())}
    assert lasting
    for name, service in lasting.items():
        if "extends" in service:
            assert set(service) == {"extends", "profiles"}
            continue
        assert "network_mode" not in service
        assert service.get("ipc") != "host"
        assert service["cap_drop"] == ["ALL"]
        assert set(service.get("cap_add", ())) <= {
            "front": {"NET_BIND_SERVICE"},
            "vllm": {"DAC_READ_SEARCH"},
        }.get(name, set())
        # Only the proxy, whose store of certificates is root's, and the model server begin as root, without its rights.
        assert name in ("front", "vllm") or re.fullmatch(r"[1-9]\d+:[1-9]\d+", service["user"])
        assert name == "vllm" or (service["read_only"] and service["mem_limit"] and service["pids_limit"])
        assert "no-new-privileges:true" in service["security_opt"]
        if set(service["networks"]) <= internal:
            assert "ports" not in service
            # Docker's own resolver would pass questions on to anybody.
            assert service["dns"] == ["127.0.0.1"]
            continue
        assert name in ("gate", "front")
        assert "secrets" not in service
        assert "environment" not in service
        assert set(service.get("volumes", ())) <= {"certificates:/data"}
        assert service["read_only"]
    if "gate" in lasting:
        listening, to = lasting["gate"]["command"]
        assert listening.startswith("TCP-LISTEN:443,")
        assert re.fullmatch(r"TCP:\$\{ODOO_ADDRESS:\?[^}]*\}:443", to)


def test_vouch_composed_has_no_rights() -> None:
    service = yaml.safe_load((DEPLOY / "vouch" / "compose.yaml").read_text("utf-8"))["services"]["vouch"]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service


def test_what_compose_tells_vouch_are_settings_that_it_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = yaml.safe_load((DEPLOY / "vouch" / "compose.yaml").read_text("utf-8"))["services"]["vouch"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vouch.toml").write_text(
        '[backends.main]\nurl = "https://odoo.example.com"\ndatabase = "production"\n'
    )
    for name, value in service["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{(\w+):[-?]?[^}]*\}", lambda m: VALUES[m[1]], value))
    told = load_settings()
    front = yaml.safe_load((DEPLOY / "vouch" / "compose.yaml").read_text("utf-8"))["services"]["front"]
    assert told.web.proxies == (front["networks"]["house"]["ipv4_address"],)
    assert (told.web.host, told.web.url) == ("0.0.0.0", "https://vouch.example.com")
    assert told.ledger.startswith("sqlite:///")
    address = f"{service['networks']['house']['ipv4_address']}:{told.web.port}"
    assert front["command"][-1] == address
    assert str(told.backends["main"].api_key_file).startswith("/run/secrets/")


VALUES = {"VOUCH_HOST": "vouch.example.com", "LEDGER_URL": ""}


def test_the_image_runs_without_rights_and_with_what_is_locked() -> None:
    said = CONTAINERFILE.read_text("utf-8")
    final = said.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.*)$", final, re.MULTILINE) == ["10001:10001"]
    assert "--uid 10001" in final
    for line in re.findall(r"pip (?:install|wheel) .*", said):
        assert "--require-hashes" in line or "--no-index" in line, line
    assert "--no-build-isolation" in said
    pinned = dict(
        re.findall(r"^([\w.-]+)==(\S+)", (DEPLOY.parent / "requirements.lock").read_text(), re.MULTILINE)
    )
    locked = re.findall(r"^([\w.-]+)==(\S+)", (DEPLOY / "vouch" / "image.lock").read_text(), re.MULTILINE)
    assert dict(locked).items() <= pinned.items()
    assert {"psycopg2-binary", "pypdfium2"} <= dict(locked).keys()
    assert not {"pytest", "playwright", "pyright"} & dict(locked).keys()
    assert "VOUCH_BACKENDS" not in said
    root = DEPLOY.parent
    for copied in re.findall(r"^COPY (?!--from)(.*) \S+$", said, re.MULTILINE):
        assert all((root / name).exists() for name in copied.split()), copied
        assert all(sent(name) for name in copied.split()), copied
    # Keys beside the files of compose are not even given to the builder.
    assert not any(
        map(sent, ("deploy/vouch/odoo.key", "deploy/vouch/vouch.toml", ".git", ".venv", "deploy/vouch/.env"))
    )


def sent(name: str) -> bool:
    """Whether `.dockerignore` lets a file or folder through: the last rule that fits it counts."""
    rules = [
        line for line in (DEPLOY.parent / ".dockerignore").read_text().splitlines() if line and line[0] != "#"
    ]
    fitting = [rule for rule in rules if fnmatch(name, rule.removeprefix("!"))]
    return fitting[-1].startswith("!")


@pytest.mark.parametrize("file", OURS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_variables_and_commands_that_are_named_exist(file: Path) -> None:
    said = re.sub(r"^\s*#.*$", "", file.read_text("utf-8"), flags=re.MULTILINE)
    known = {name.replace(".NAME.", ".").replace(".", "__").upper() for name in settings_names(Settings)}
    for variable in re.findall(r"\bVOUCH_(?!HOST\b|CONFIG\b)(\w+)", said):
        assert variable.replace("BACKENDS__MAIN__", "BACKENDS__") in known, variable
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    started = [line.split("/bin/vouch ")[1].split()[0] for line in said.splitlines() if "/bin/vouch " in line]
    started += re.findall(r'^\s*(?:args|command|CMD):? \["(\w+)"\]$', said, re.MULTILINE)
    assert set(started) <= commands
    assert started or "vllm" in str(file)


def test_ports_and_probes_are_those_of_the_server() -> None:
    port = Settings.model_fields["web"].default.port
    [deployment] = of_kind("Deployment")
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert [one["containerPort"] for one in container["ports"]] == [port]
    assert of_kind("Service")[0]["spec"]["ports"][0]["port"] == port
    assert f"EXPOSE {port}" in CONTAINERFILE.read_text("utf-8")
    assert f"http://127.0.0.1:{port}/healthz" in CONTAINERFILE.read_text("utf-8")
    # People settle bills also while Odoo is away or a poll is late, when /readyz says 503.
    assert container["readinessProbe"]["httpGet"]["path"] == "/healthz"
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["path"] in OPEN_PATHS
        # Any other name than these would be refused as the Host.
        assert asked["httpHeaders"] == [{"name": "Host", "value": "localhost"}]


def test_kubernetes_gives_vouch_no_rights() -> None:
    [deployment] = of_kind("Deployment")
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
    assert not any("hostPath" in volume for volume in pod["volumes"])
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    assert "stringData" not in str(KUBERNETES)
    assert of_kind("Secret") == []


def test_kubernetes_denies_every_way_out_but_the_named_ones() -> None:
    everything, vouch = sorted(of_kind("NetworkPolicy"), key=lambda node: len(node["spec"]))
    assert everything["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert set(vouch["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    for rule in vouch["spec"]["egress"]:
        assert rule["to"]
        assert rule["ports"]
        for place in rule["to"]:
            assert place["ipBlock"]["cidr"].endswith("/32")
    # No name server is reached: it would pass questions on to anybody. Odoo's name is told.
    [rule] = vouch["spec"]["egress"]
    [deployment] = of_kind("Deployment")
    [alias] = deployment["spec"]["template"]["spec"]["hostAliases"]
    assert [f"{alias['ip']}/32"] == [place["ipBlock"]["cidr"] for place in rule["to"]]
    toml = of_kind("ConfigMap")[0]["data"]["vouch.toml"]
    assert all(f'"https://{name}"' in toml for name in alias["hostnames"])


def test_the_settings_for_kubernetes_are_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    [deployment] = of_kind("Deployment")
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    file = tmp_path / "vouch.toml"
    file.write_text(of_kind("ConfigMap")[0]["data"]["vouch.toml"])
    for one in container["env"]:
        monkeypatch.setenv(one["name"], one["value"])
    told = load_settings(file)
    assert told.web.host == "0.0.0.0"
    assert told.retention.documents_days == 90
    mounts = [mount["mountPath"] for mount in container["volumeMounts"] if "readOnly" not in mount]
    assert any(told.folder.is_relative_to(mount) for mount in mounts)
    key = told.backends["main"].api_key_file
    assert key is not None
    assert str(key.parent) in [mount["mountPath"] for mount in container["volumeMounts"]]


def test_there_are_files_to_look_at() -> None:
    assert {path.name for path in UNITS} >= {"vouch.service", "vllm.service"}
    assert len(COMPOSED) == 2
    assert len(KUBERNETES) == 7
