"""Running commands, and keeping a background process by its pid file."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from .failure import ExitCode, OdooSetupError


def say(message: str) -> None:
    """Progress, on stderr: stdout carries only what a command answers."""
    print(message, file=sys.stderr, flush=True)


def run(
    command: Sequence[str | Path],
    *,
    code: ExitCode,
    remedy: str,
    user: int | None = None,
    group: int | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    log: Path | None = None,
    timeout: float = 900,
) -> str:
    """Run `command` to its end and return its stdout ('' when it goes to `log`).

    Raises OdooSetupError(code) with the end of its output and the remedy when it fails or takes too long.
    """
    words = [str(word) for word in command]
    try:
        with contextlib.ExitStack() as stack:
            sink = stack.enter_context(log.open("a")) if log else None
            done = subprocess.run(
                words,
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                stdout=sink or subprocess.PIPE,
                stderr=subprocess.STDOUT if sink else subprocess.PIPE,
                text=True,
                timeout=timeout,
                user=user,
                group=group,
                extra_groups=[] if user is not None else None,
                cwd=cwd,
                env=env,
                check=False,
            )
    except subprocess.TimeoutExpired as error:
        raise OdooSetupError(code, f"{words[0]} did not end within {timeout:.0f} s: {remedy}") from error
    except FileNotFoundError as error:
        raise OdooSetupError(code, f"{words[0]} is not there: {remedy}") from error
    if done.returncode:
        output = _tail(log) if log else (done.stderr or done.stdout)[-1500:]
        raise OdooSetupError(code, f"{' '.join(words[:3])} … failed: {remedy}\n{output.strip()}")
    return done.stdout or ""


def _tail(file: Path, lines: int = 12) -> str:
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])


def start_background(
    command: Sequence[str | Path], *, pid_file: Path, log: Path, env: Mapping[str, str], cwd: Path
) -> int:
    """Start a process of its own session and note its pid and start time in `pid_file`."""
    with log.open("a") as sink:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )
    # Not waited for on purpose: it lives on after this command.
    process.returncode = 0
    pid_file.write_text(f"{process.pid} {started(process.pid) or ''}\n")
    return process.pid


def running(pid_file: Path) -> int | None:
    """The pid in `pid_file` if that very process still lives; a stale file (pid reused or dead) is no process."""
    try:
        pid, start_time = pid_file.read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    return int(pid) if started(int(pid)) == start_time else None


def stop_background(pid_file: Path, patience: float = 20) -> bool:
    """End the process of `pid_file`: politely, then by force. False when there was none."""
    pid = running(pid_file)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        if not _gone(pid_file, patience):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            _gone(pid_file, patience)
    pid_file.unlink(missing_ok=True)
    return pid is not None


def _gone(pid_file: Path, patience: float) -> bool:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if running(pid_file) is None:
            return True
        time.sleep(0.1)
    return False


def started(pid: int) -> str | None:
    """Start time in clock ticks since boot, or None when `pid` is dead or a zombie (proc(5), stat field 22)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]
