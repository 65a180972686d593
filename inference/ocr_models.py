"""The two models of PP-OCRv6 on OpenVINO: where lines of text stand, and what each says.

The weights lie in RapidOCR's wheel; the network is never used. RapidOCR prepares what goes in and explains what comes
out; the detector is run from here, since it is made ready for one size of page at a time: with all sizes known
beforehand OpenVINO needs a third of the memory and three quarters of the time.
"""

from __future__ import annotations

import ctypes
import logging
import resource
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# Where the C library has it (glibc, malloc_trim(3)), freed memory goes back to the system.
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
THREADS = 2
# Pixels of the steps in which pages are stretched to the sizes that the detector is made ready for (a multiple of 32),
# and how many of the last sizes stay ready: to make one ready takes a quarter of a second.
SIZE_STEP, SIZES_KEPT = 96, 4
# Bytes in memory between two pages beyond which what the last page needed is given back, and beyond which, or beyond
# which address space, the engine is made anew.
AMPLE_RESIDENT, MOST_RESIDENT, MOST_ADDRESSED = 850_000_000, 560_000_000, 2_600_000_000
STATUS = Path("/proc/self/statm")


class Detector:
    """Finds lines on a page of any size."""

    def __init__(self, file: Path, settings: Any) -> None:
        from openvino import Core
        from rapidocr.ch_ppocr_det.utils import DBPostProcess

        self._core: Any = Core()
        self._core.set_property("CPU", {"INFERENCE_NUM_THREADS": str(THREADS)})
        self._model: Any = self._core.read_model(file)
        names = ("thresh", "box_thresh", "max_candidates", "unclip_ratio", "use_dilation", "score_mode")
        self._outline: Any = DBPostProcess(**{name: settings[name] for name in names})
        self._ready: dict[tuple[int, int], Any] = {}

    def __call__(self, pixels: Any) -> Any:
        """The corners of each line, from the upper left clockwise, shape (lines, 4, 2), on pixels of shape (height,
        width, 3) in BGR; in reading order."""
        import numpy
        from rapidocr.ch_ppocr_det.main import TextDetector

        height, width = pixels.shape[:2]
        size = _stepped(height), _stepped(width)
        cv2: Any = import_module("cv2")  # its types leave much unknown
        prepared = cv2.dnn.blobFromImage(cv2.resize(pixels, size[::-1]), 1 / 127.5, mean=(127.5,) * 3)
        request = self._made_ready(size)
        request.infer([prepared])
        corners, _ = self._outline(request.get_output_tensor().data, (height, width))
        return TextDetector.sorted_boxes(corners) if len(corners) else numpy.empty((0, 4, 2), numpy.float32)

    def _made_ready(self, size: tuple[int, int]) -> Any:
        """What answers for pages of `size`; the memory of the other sizes is given back."""
        request = self._ready.pop(size, None)
        if request is None:
            model = self._model.clone()
            model.reshape([1, 3, *size])
            request = self._core.compile_model(model, "CPU").create_infer_request()
        for other in self._ready.values():
            other.get_compiled_model().release_memory()
        self._ready[size] = request
        while len(self._ready) > SIZES_KEPT:
            del self._ready[next(iter(self._ready))]
        return request

    def release(self) -> None:
        """Give back what the last page needed; the weights stay."""
        for request in self._ready.values():
            request.get_compiled_model().release_memory()


class Engine:
    """Both models. Raises FileNotFoundError rather than let RapidOCR download one."""

    def __init__(self) -> None:
        import rapidocr
        from rapidocr import EngineType, RapidOCR

        logging.getLogger("RapidOCR").setLevel(logging.WARNING)
        models = Path(rapidocr.__file__).parent / "models"
        detector, recogniser = models / "PP-OCRv6_det_small.onnx", models / "PP-OCRv6_rec_small.onnx"
        for model in (detector, recogniser):
            if not model.is_file():
                raise FileNotFoundError(f"{model} is missing: install the package rapidocr again.")
        self._rapid: Any = RapidOCR(
            params={
                "Global.log_level": "warning",
                "Global.return_word_box": True,
                "Rec.engine_type": EngineType.OPENVINO,
                "Rec.model_path": str(recogniser),
                "EngineConfig.openvino.inference_num_threads": THREADS,
            }
        )
        self._recogniser: Any = self._rapid._load_rec_model()
        self._detector = Detector(detector, self._rapid.cfg.Det)

    def detect(self, pixels: Any) -> tuple[Any, Sequence[Any]]:
        """The corners of each line and the line cut out and straightened, on BGR `pixels`."""
        corners = self._detector(pixels)
        return corners, self._rapid.crop_text_regions(pixels, corners)

    def read(self, lines: Sequence[Any], height: int, width: int) -> Any:
        """RapidOCR's answer for lines as `detect` cuts them, read as strips of that size in pixels."""
        self._recogniser.rec_image_shape = [3, height, width]
        return self._rapid.recognize_txt(list(lines))

    def release(self) -> None:
        """Give back what the last page needed, some hundred megabytes; the weights stay."""
        self._detector.release()
        self._recogniser.session.session.get_compiled_model().release_memory()
        if _trim:
            _trim(0)


@cache
def engine() -> Engine:
    """The one engine of this process."""
    return Engine()


def keep_small() -> None:
    """To be called between two pages. OpenVINO keeps something for every length of line that it has seen: once that is
    too much, start afresh, which takes a second."""
    if _memory()[1] <= AMPLE_RESIDENT:
        return
    engine().release()
    total, resident = _memory()
    if resident > MOST_RESIDENT or total > MOST_ADDRESSED:
        engine.cache_clear()


def _memory() -> tuple[int, int]:
    """Bytes of address space and in memory; only Linux says it so cheaply."""
    if not STATUS.exists():
        return 0, 0
    total, resident = STATUS.read_text().split()[:2]
    return int(total) * resource.getpagesize(), int(resident) * resource.getpagesize()


def _stepped(side: int) -> int:
    return max(1, round(side / SIZE_STEP)) * SIZE_STEP
