"""Command line: ``python -m deploy.vllm [PROFILE]`` serves a tiny random model on this CPU until stopped."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from deploy.vllm import development


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Install what is missing, then become the server; exit code 3 where it cannot be had."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.vllm",
        description="A real vLLM on this CPU with tiny random weights, for development: form, no truth.",
    )
    parser.add_argument("profile", nargs="?", default="glm-4v-9b", choices=sorted(development.MODELS))
    parser.add_argument("--port", type=int, default=8171)
    options = parser.parse_args(arguments)
    try:
        development.install()
        words = development.command(options.profile, options.port)
    except development.VllmSetupError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(3)
    os.execve(words[0], words, development.environment())


if __name__ == "__main__":
    main()
