"""The model server that the settings name, and documents read with it or without."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from connector.errors import AwayError, FailsError, FatalError, SettingsError
from connector.sandbox import opened_sandbox, unavailable_is_fatal
from inference.readers.vlm.confidence import BY_HAND
from inference.readers.vlm.desk import VisionDesk
from inference.readers.vlm.kept import KeptAnswers
from inference.readers.vlm.reader import VisionReader
from inference.reading import READERS as EMBEDDED
from inference.vllm.client import Endpoint
from inference.vllm.errors import ModelAway, ModelFails, ModelMisconfigured
from inference.vllm.profile import Profile, load_profile

if TYPE_CHECKING:
    from connector.ledger.judged import JudgedValues
    from connector.settings import Settings
    from inference.invoice import Reading
    from inference.isolation import Opened
    from inference.readers import Recipient

NO_SERVER = (
    "No model server is set. Set vlm.url (VOUCH_VLM__URL), or choose another reader; see docs/vllm.md."
)


READERS = (*EMBEDDED, "vlm")


def require_reader(name: str) -> None:
    """Raises SettingsError, with the names of those that there are, for a reader that there is not."""
    if name not in READERS:
        raise SettingsError(f"There is no reader “{name}”. Choose one of {', '.join(READERS)}.")


@contextmanager
def model_errors() -> Generator[None]:
    """Errors of the model server by what to do: AwayError to wait, FatalError for a person to mend."""
    try:
        yield
    except ModelFails as error:
        raise FailsError(str(error)) from error
    except ModelAway as error:
        raise AwayError(str(error)) from error
    except ModelMisconfigured as error:
        raise FatalError(str(error)) from error


class _Reads(Protocol):
    def read(self, data: bytes, name: str, recipient: Recipient | None = None) -> tuple[Opened, Reading]: ...

    def shown(self, data: bytes, name: str, reading: Reading) -> Reading: ...


def nothing_away() -> str:
    """No model server is asked."""
    return ""


@dataclass(frozen=True, slots=True)
class Desk:
    """Bytes in, what was opened and its Reading out. `away` says why the model server is not asked now, or nothing;
    `attribution` is what its licence wants shown."""

    _reads: _Reads
    away: Callable[[], str] = field(default=nothing_away)
    attribution: str = ""

    def read(self, data: bytes, name: str, recipient: Recipient | None = None) -> tuple[Opened, Reading]:
        """Read a document. Raises DocumentError, AwayError where it is to wait, FatalError where a person must mend
        the model server or what it is told."""
        with unavailable_is_fatal(), model_errors():
            return self._reads.read(data, name, recipient)

    def look_again(self, data: bytes, name: str, reading: Reading) -> Reading:
        """The Reading with the Check whether the pages show what their text says. Raises DocumentError."""
        with unavailable_is_fatal():
            return self._reads.shown(data, name, reading)


@contextmanager
def opened_desk(
    settings: Settings, reader: str = "", processes: int = 1, reviewed: JudgedValues | None = None
) -> Generator[Desk]:
    """Documents read by the reader named, else by that of the settings: with the model server for `vlm`, and for
    `auto` where one is set. Its confidences are learned from the values `reviewed`, where given.

    Raises SettingsError where `vlm` is asked for and no server is set."""
    with (
        opened_sandbox(settings, reader, processes) as sandbox,
        opened_vision(settings, reader, reviewed) as vision,
    ):
        if vision is None:
            yield Desk(sandbox)
            return
        licence = vision.endpoint.profile.licence
        yield Desk(
            VisionDesk(sandbox, vision, settings.vlm.fallback),
            lambda: vision.away,
            licence.attribution if licence else "",
        )


@contextmanager
def opened_vision(
    settings: Settings, reader: str = "", reviewed: JudgedValues | None = None
) -> Generator[VisionReader | None]:
    """What asks the model for the reader named, else for that of the settings; None where no model is asked.

    Raises SettingsError where `vlm` is asked for and no server is set.
    """
    chosen = reader or settings.reading.reader
    if chosen == "vlm" and settings.vlm.url is None:
        raise SettingsError(NO_SERVER)
    if chosen not in ("auto", "vlm") or settings.vlm.url is None:
        yield None
        return
    with opened_reader(settings, reviewed) as vision:
        yield vision


def unacknowledged(settings: Settings) -> str:
    """What the licence of the model in use asks and the owner has not acknowledged yet, or nothing."""
    licence = load_profile(settings.vlm.profile).licence
    if (
        settings.vlm.url is None
        or settings.vlm.acknowledge_licence
        or licence is None
        or not licence.condition
    ):
        return ""
    return f"{licence.name} ({licence.url}): {licence.condition} Then set vlm.acknowledge_licence"


@contextmanager
def opened_reader(settings: Settings, reviewed: JudgedValues | None = None) -> Generator[VisionReader]:
    """The vision reader of the settings, closed at the end. Raises SettingsError where there is none."""
    place = endpoint(settings)
    vlm = settings.vlm
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    reuse = KeptAnswers(settings.folder / "answers", vlm.answers_megabytes) if vlm.answers_megabytes else None
    reader = VisionReader(
        place,
        reuse,
        second_look=vlm.second_look,
        document_seconds=vlm.document_seconds,
        calibration=reviewed.calibration(place.served_model) if reviewed else lambda: BY_HAND,
    )
    try:
        yield reader
    finally:
        reader.close()


def endpoint(settings: Settings) -> Endpoint:
    """Where the model server is and how it is asked. Raises SettingsError where none is set."""
    vlm = settings.vlm
    if vlm.url is None:
        raise SettingsError(NO_SERVER)
    profile: Profile = load_profile(vlm.profile)
    return Endpoint(
        url=str(vlm.url).rstrip("/").removesuffix("/v1"),
        profile=profile,
        model=vlm.model,
        key=vlm.key(),
        ca_file=_authority(vlm.ca_file),
        timeout_seconds=vlm.timeout_seconds,
        in_flight=vlm.in_flight,
    )


def _authority(file: Path | None) -> str:
    """The file, once it was looked at. Raises SettingsError where it holds no certificates."""
    if file is None:
        return ""
    try:
        ssl.create_default_context(cafile=str(file))
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"vlm.ca_file cannot be used: {file}: {error}. Name a PEM file with the authority's certificate."
        ) from error
    return str(file)
