"""The near side of isolation: processes that are started when needed, kept while they behave, and replaced."""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from inference import errors
from inference.errors import (
    BrokenReading,
    DocumentError,
    OversizedDocument,
    ReaderUnavailable,
    SlowDocument,
)
from inference.invoice import Box, Reading
from inference.isolation.confinement import Gaps
from inference.isolation.frames import receive, send
from inference.isolation.watch import Excess, Watch
from inference.page import Limits, Token
from inference.readers import Recipient

if TYPE_CHECKING:
    from inference.vllm.profile import ImagePolicy

START_SECONDS, LAST_SECONDS = 60.0, 2.0
# Libraries leak a little with every file.
MOST_DOCUMENTS = 500
MOST_PICTURE_BYTES = 20_000_000
# No variable crosses that is not named here: those of Vouch hold secrets.
VARIABLES = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
    "VOUCH_CACHE",
)
_ERRORS: dict[str, type[DocumentError]] = {
    name: found
    for name, found in vars(errors).items()
    if isinstance(found, type) and issubclass(found, DocumentError)
}
log = logging.getLogger(__name__)


class Opened(NamedTuple):
    """What is known of a document once it is open. `sizes` has per page (width, height) in points, or None for a page
    that must be recognised first; `origin` is one of `inference.document.Origin`."""

    sha256: str
    mime: str
    origin: str
    sizes: tuple[tuple[float, float] | None, ...]


class PageView(NamedTuple):
    """A page as a vision model and those who check its answer need it: its words, and an image as PNG (empty where
    the page is not to be shown)."""

    number: int
    tokens: tuple[Token, ...]
    png: bytes = b""


class View(NamedTuple):
    """A document opened and read here, with its pages for another Reader."""

    opened: Opened
    reading: Reading
    pages: tuple[PageView, ...]


class Sandbox:
    """Opens and reads documents in at most `processes` processes of its own. Safe to share between threads.

    Every question may raise a DocumentError, among them SlowDocument after `limits.seconds`, OversizedDocument beyond
    `limits.memory_megabytes` and BrokenReading where the process died, or ReaderUnavailable where none can be started.
    """

    def __init__(self, limits: Limits | None = None, reader: str = "auto", processes: int = 1) -> None:
        self.limits = limits or Limits()
        self._reader = reader
        self._places = threading.BoundedSemaphore(processes)
        self._idle: list[_Process] = []
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Gaps:
        """Make sure that a process is ready; what the system did not let be taken from it."""
        with self._process() as process:
            return process.gaps

    def read(self, data: bytes, name: str, recipient: Recipient | None = None) -> tuple[Opened, Reading]:
        """Open and read a document."""
        answer, _ = self._ask("read", data, name, recipient=dataclasses.asdict(recipient or Recipient()))
        with _believed():
            return _opened(answer["opened"]), Reading.from_json(answer["reading"])

    def shown(self, data: bytes, name: str, reading: Reading) -> Reading:
        """The Reading with the Check whether the pages show what their text says; see `inference.shown`."""
        answer, _ = self._ask("shown", data, name, reading=reading.as_json())
        with _believed():
            return Reading.from_json(answer["reading"])

    def open(self, data: bytes, name: str) -> Opened:
        """Open a document without reading it."""
        answer, _ = self._ask("open", data, name)
        with _believed():
            return _opened(answer["opened"])

    def picture(self, data: bytes, page: int, long_side: int, most_bytes: int) -> bytes | None:
        """Page `page` (from 1), upright, as WebP of at most `long_side` pixels and `most_bytes`; None where there is
        no such page."""
        answer, image = self._ask(
            "picture", data, "document", page=page, long_side=long_side, most_bytes=most_bytes
        )
        return image if answer.get("there") else None

    def words(self, data: bytes, page: int) -> tuple[Token, ...] | None:
        """The words of page `page` (from 1) with their boxes, by OCR where the page has no text; None where there is no
        such page."""
        answer, _ = self._ask("words_of", data, "document", page=page)
        if not answer.get("there"):
            return None
        with _believed():
            return tuple(map(_token, answer["words"]))

    def part(self, data: bytes, first: int, last: int) -> bytes:
        """The pages `first` to `last` (from 1) of a PDF as a PDF of their own. Raises DocumentError for anything else."""
        return self._ask("part", data, "document", first=first, last=last)[1]

    def peak_megabytes(self) -> float:
        """The most memory that the process at hand ever had."""
        answer, _ = self._ask("memory", b"", "")
        return float(answer["megabytes"])

    def view(
        self,
        data: bytes,
        name: str,
        recipient: Recipient | None,
        policy: ImagePolicy,
        wanted: Callable[[Reading, Sequence[PageView]], Collection[int]],
    ) -> View:
        """Open and read a document, and see its pages: the words of all, images by `policy` of those `wanted`."""
        with self._process() as process:
            known = dataclasses.asdict(recipient or Recipient())
            answer, _ = _told(process.ask({"ask": "read", "name": name, "recipient": known}, data))
            with _believed():
                opened, reading = _opened(answer["opened"]), Reading.from_json(answer["reading"])
            if not opened.sizes:
                return View(opened, reading, ())
            answer, _ = _told(process.ask({"ask": "words", "name": name}, data))
            with _believed():
                pages = [PageView(i, tuple(map(_token, page))) for i, page in enumerate(answer["pages"], 1)]
            for number in wanted(reading, pages):
                _, png = _told(process.ask(_for_model(name, number, policy, None), data))
                pages[number - 1] = pages[number - 1]._replace(png=png)
            return View(opened, reading, tuple(pages))

    def crop(self, data: bytes, name: str, page: int, box: Box, policy: ImagePolicy) -> bytes:
        """A part of page `page` (from 1) at full resolution, as PNG by `policy`; empty where there is no such page."""
        with self._process() as process:
            return _told(process.ask(_for_model(name, page, policy, box), data))[1]

    def whole(
        self, data: bytes, name: str, page: int, policy: ImagePolicy, covered: Sequence[Box] = ()
    ) -> bytes:
        """Page `page` (from 1) with the places `covered` black, as PNG by `policy`; empty where there is no such page."""
        with self._process() as process:
            return _told(process.ask(_for_model(name, page, policy, None, covered), data))[1]

    def close(self) -> None:
        """End the idle processes; those at work end with their question, and no other is started."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()

    def _ask(self, ask: str, data: bytes, name: str, **details: Any) -> tuple[dict[str, Any], bytes]:
        with self._process() as process:
            answer = process.ask({"ask": ask, "name": name, **details}, data)
        return _told(answer)

    @contextmanager
    def _process(self) -> Generator[_Process]:
        with self._places:
            with self._lock:
                if self._closed:
                    raise ReaderUnavailable("Vouch is ending and reads no more. Ask again when it runs.")
                process = self._idle.pop() if self._idle else None
            if process is not None and process.is_gone:
                process.end()
                process = None
            process = process or _Process(self.limits, self._reader)
            try:
                yield process
            except BaseException:
                process.end()
                raise
            with self._lock:
                kept = not (self._closed or process.is_worn)
                if kept:
                    self._idle.append(process)
            if not kept:
                process.end()


class _Process:
    """One child process and the two pipes to it."""

    def __init__(self, limits: Limits, reader: str) -> None:
        self._limits, self._answered = limits, 0
        variables = {name: os.environ[name] for name in VARIABLES if name in os.environ}
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "inference.isolation.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # One arena of memory per thread would use up the address space, and large blocks go back when freed.
            env=variables | {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "1000000"},
            # Ctrl-C is for the one who asks.
            start_new_session=True,
        )
        # Both are there, as PIPE was asked for.
        self._requests = cast("IO[bytes]", self._child.stdin)
        self._replies = cast("IO[bytes]", self._child.stdout)
        try:
            with self._watch(START_SECONDS):
                send(self._requests, {"limits": dataclasses.asdict(limits), "reader": reader})
                hello, _ = receive(self._replies, 0)
        except (OSError, EOFError, ValueError) as error:
            code = self._exit_code()
            self.end()
            raise ReaderUnavailable(
                f"The process that reads documents does not start: it ended {code}. Run"
                f" `{sys.executable} -m inference.isolation.child` to see why, and install Vouch again."
            ) from error
        self.gaps = Gaps(str(hello.get("open_to_network")), str(hello.get("open_files")))

    def ask(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """One question, one answer. Raises SlowDocument, OversizedDocument or BrokenReading; the process is of no use
        after that."""
        watch = self._watch(self._limits.seconds)
        try:
            with watch:
                send(self._requests, request, data)
                answer = receive(self._replies, MOST_PICTURE_BYTES)
        except (OSError, EOFError, ValueError) as error:
            if watch.found is Excess.MEMORY:
                raise OversizedDocument(self._limits.too_much_memory) from error
            if watch.found is Excess.TIME:
                raise SlowDocument(
                    f"Reading took longer than {self._limits.seconds:g} seconds, the limit."
                    " Split the document, or raise the limit of seconds."
                ) from error
            raise self._broken() from error
        self._answered += 1
        return answer

    @property
    def is_gone(self) -> bool:
        """Whether the process has ended by itself."""
        return self._child.poll() is not None

    @property
    def is_worn(self) -> bool:
        """Whether the process has done its share."""
        return self._answered >= MOST_DOCUMENTS

    def end(self) -> None:
        """Kill the process, if it still lives, and close the pipes."""
        self._kill()
        self._child.wait()
        self._replies.close()
        try:
            self._requests.close()
        except BrokenPipeError:
            return  # what was not sent yet will not be read

    def _watch(self, seconds: float) -> Watch:
        return Watch(self._child.pid, seconds, self._limits.memory_megabytes, self._kill)

    def _broken(self) -> BrokenReading:
        return BrokenReading(
            f"The process that read the document ended {self._exit_code()}: the file is damaged or made to do harm, or"
            f" it needs more than {self._limits.memory_megabytes} MB of memory. Ask the sender for it as a plain PDF."
        )

    def _exit_code(self) -> str:
        """How the process ended, in words, and how much memory it had at most; one that has closed its pipe and lives
        on is killed."""
        end = time.monotonic() + LAST_SECONDS
        megabytes = 0
        while self._child.returncode is None:
            try:
                pid, status, used = os.wait4(self._child.pid, os.WNOHANG)
            except ChildProcessError:
                self._child.poll()  # somebody else has waited for it
                break
            if pid:
                # KiB, as on Linux (getrusage(2)); macOS counts bytes.
                megabytes = used.ru_maxrss >> (20 if sys.platform == "darwin" else 10)
                self._child.returncode = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > end:
                return "without a word"
            else:
                time.sleep(0.01)
        code = self._child.returncode or 0
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return f"{how}, having taken {megabytes} MB" if megabytes else how

    def _kill(self) -> None:
        if self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGKILL)


def _told(answer: tuple[dict[str, Any], bytes]) -> tuple[dict[str, Any], bytes]:
    """The answer, unless it is the error that it names."""
    if "error" not in answer[0]:
        return answer
    kind, message = str(answer[0]["error"]), str(answer[0].get("message"))
    if kind in _ERRORS:
        raise _ERRORS[kind](message)
    log.error("defect while reading: %s at %s", message, answer[0].get("frames"))
    raise BrokenReading(f"A defect of Vouch: {message}. Enter the document by hand and report the defect.")


def _for_model(
    name: str, page: int, policy: ImagePolicy, box: Box | None, covered: Sequence[Box] = ()
) -> dict[str, Any]:
    asked = {"ask": "model_image", "name": name, "page": page, "policy": policy.model_dump(), "box": box}
    return asked | {"covered": list(covered)}


def _token(node: Any) -> Token:
    text, x0, y0, x1, y1, score = node
    return Token(str(text), Box(float(x0), float(y0), float(x1), float(y1)), float(score))


@contextmanager
def _believed() -> Generator[None]:
    """What a process sends that was taken over by its document is not believed."""
    try:
        yield
    except (KeyError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
        raise BrokenReading(
            "The process that read the document answered what no reader says. Ask the sender for a plain PDF."
        ) from error


def _opened(node: dict[str, Any]) -> Opened:
    sizes = tuple(None if size is None else (float(size[0]), float(size[1])) for size in node["sizes"])
    return Opened(str(node["sha256"]), str(node["mime"]), str(node["origin"]), sizes)
