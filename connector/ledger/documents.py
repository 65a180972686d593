"""The bytes that were read, kept beside the ledger by their hash, so that pages can be shown and read again."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

from connector.errors import NoRoom

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})


class DocumentStore:
    """Files named by the SHA-256 of their content, two levels deep."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes) -> str:
        """Keep bytes; their SHA-256 in hex. Either the whole file is there afterwards or none.

        A draft that a killed process left of the same document goes. Raises NoRoom where the disk takes no more.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        if not path.exists():
            try:
                self._write(path, data)
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                raise NoRoom(
                    f"The documents cannot be kept in {self.folder} ({error.strerror}): make room on its disk. Nothing is "
                    "lost, and the work goes on by itself."
                ) from error
        return sha256

    def adopt(self, file: Path) -> None:
        """Move a file named by the SHA-256 of its content, of this file system, to its place."""
        path = self._path(file.name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.replace(file, path)

    def get(self, sha256: str) -> bytes | None:
        """The bytes with that hash, or None where they were never kept or were purged."""
        path = self._path(sha256)
        return path.read_bytes() if path.exists() else None

    def size(self, sha256: str) -> int:
        """Bytes of a kept document, 0 where it is not kept."""
        path = self._path(sha256)
        return path.stat().st_size if path.exists() else 0

    def remove(self, sha256: str) -> None:
        """Delete a document, where it is kept."""
        self._path(sha256).unlink(missing_ok=True)

    def files(self) -> Iterator[Path]:
        """The files of all documents kept, also such that no Job names."""
        for path in self.folder.glob("??/*"):
            if path.is_file() and "." not in path.name:
                yield path

    def sweep(self, before: float) -> int:
        """Delete drafts that killed processes left before that time (in seconds since 1970); how many."""
        left = [path for path in self.folder.glob("??/*.*") if path.stat().st_mtime < before]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A name of its own: the same document may come twice at once.
        with NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", delete=False) as draft:
            try:
                draft.write(data)
                draft.flush()
                os.fsync(draft.fileno())
            except OSError:
                Path(draft.name).unlink(missing_ok=True)
                raise
        try:
            os.replace(draft.name, path)
        except FileNotFoundError:
            # Who kept the same document in this moment took our draft for one left behind.
            if not path.exists():
                raise
        for left in path.parent.glob(f"{path.name}.*"):
            left.unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise ValueError("not a SHA-256 in hex")
        return self.folder / sha256[:2] / sha256
