"""Decoders that take memory and time as a file says: each runs in a process of its own, within limits."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xlite.errors import ImageError

MAX_MEMORY = 420 * 2**20  # bytes above what an idle decoder takes
_DEADLINE = 4  # times the seconds allowed, as the machine may be busy


def decode_apart(
    decoder: str, *pieces: bytes | memoryview, seconds: float, kind: npt.DTypeLike, damaged: str
) -> np.ndarray:
    """What a decoder of `decode_process.py` makes of a stream, given in pieces: a flat array of `kind`.

    seconds: of processor time. Raises ImageError with the sentence `damaged` if the stream is damaged, takes
    more than its limits, or crashes the decoder.
    """
    script = Path(__file__).with_name("decode_process.py")
    command = [sys.executable, str(script), decoder, str(round(seconds)), str(MAX_MEMORY)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as result:
        source.writelines(pieces)
        source.seek(0)
        try:
            subprocess.run(
                command,
                stdin=source,
                stdout=result,
                stderr=subprocess.DEVNULL,
                env=environment,
                timeout=_DEADLINE * seconds,
                check=True,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise ImageError(damaged) from error
        result.seek(0)
        return np.fromfile(result, kind)
