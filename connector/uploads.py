"""Documents from programs become draft bills: each once, also where the ERP is away or this process dies meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from structlog.typing import FilteringBoundLogger

from connector.erp.port import Upload
from connector.errors import AccessError, SkippableError, VouchError
from connector.ledger.uploads import UploadState

if TYPE_CHECKING:
    from connector.erp.port import Erp
    from connector.ledger.documents import DocumentStore
    from connector.ledger.uploads import Sent, UploadLog, UploadRecord

LONGEST_PAUSE = timedelta(hours=1)
log: FilteringBoundLogger = structlog.get_logger()


class Uploads:
    """Sends what the ledger keeps. `patience` is longer than an ERP works on one request: only then is it known whether
    a try that broke off happened."""

    def __init__(
        self,
        kept: UploadLog,
        documents: DocumentStore,
        erps: Mapping[str, Erp],
        arrived: Callable[[str], None],
        patience: timedelta,
    ) -> None:
        self.kept, self._documents, self._erps = kept, documents, erps
        self._arrived, self._patience = arrived, patience

    def take(self, sent: Sent) -> UploadRecord:
        """Keep a document and try to send it now. Raises ValueError where its key stands for another."""
        kept = self.kept.receive(sent)
        return self.send(kept.id) or kept

    def sweep(self) -> None:
        """Send what waits and is due."""
        for number in self.kept.due(list(self._erps)):
            self.send(number)

    def send(self, number: int) -> UploadRecord | None:
        """One try; how it ended, or None where it is not to be tried now."""
        upload = self.kept.begin(number, self._patience)
        if upload is None:
            return None
        try:
            record_id = self._sent(upload)
        except (SkippableError, AccessError) as error:
            log.warning("upload refused", upload=number, cause=str(error))
            return self.kept.settle(number, UploadState.REFUSED, str(error))
        except VouchError as error:
            log.warning("upload waits", upload=number, cause=str(error))
            pause = max(self._patience, min(timedelta(seconds=2 ** min(upload.tries, 12)), LONGEST_PAUSE))
            return self.kept.settle(number, UploadState.WAITING, str(error), wait=pause)
        self._arrived(upload.backend)
        return self.kept.settle(number, UploadState.DONE, record_id=record_id)

    def _sent(self, upload: UploadRecord) -> int:
        erp = self._erps[upload.backend]
        # An earlier try may have got through without our hearing of it.
        if upload.tries > 1 and (found := erp.uploaded(upload.mark)) is not None:
            return found
        data = self._documents.get(upload.sha256)
        if data is None:
            raise SkippableError(f"{upload.name} is not kept any more: send it again.", "gone")
        document = Upload(upload.name, data, upload.move_type, upload.company_id, upload.mark)
        try:
            return erp.upload([document])[0]
        except (SkippableError, AccessError):
            # Refused in a later step, with the bill made.
            found = erp.uploaded(upload.mark)
            if found is None:
                raise
            return found
