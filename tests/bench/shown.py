"""How many honest bills are doubted by the look at their pages before a fill, and what the look costs.

`python -m tests.bench.shown DIR` looks at every PDF below DIR that has a text layer.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median

from inference.document import open_document
from inference.errors import DocumentError
from inference.reading import read_document
from inference.shown import looked_at


def main(folder: Path) -> None:
    """Print what is doubted, and CPU time per document."""
    found, spent = Counter[str](), list[float]()
    for file in sorted(folder.rglob("*.pdf")):
        try:
            document = open_document(file.read_bytes(), file.name)
            if all(page.ocr for page in document.pages):
                continue
            reading = read_document(document)
        except DocumentError:
            continue
        started = time.process_time()
        check = looked_at(reading, document).checks[-1]
        spent.append(time.process_time() - started)
        found[str(check.status)] += 1
        if check.status == "fail":
            print(f"{file}: {check.message}")
    print(
        f"{dict(found)}; CPU {1000 * median(spent):.0f} ms a document in the median, {1000 * max(spent):.0f} ms at most"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
