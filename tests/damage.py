"""Files as disks, editors and other programs leave them: the same damages for the same seed."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

ODD_VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        -1,
        10**30,
        1.5,
        -1e308,
        float("nan"),
        float("inf"),
        "",
        "x" * 300,
        "1",
        "\x1b[31m\u202e",
    ),
    *([], {}, [[]], {"a": 1}, [1, "a", None], json.loads("[" * 150 + "]" * 150)),
)


def damaged_bytes(whole: bytes, rng: np.random.Generator) -> bytes:
    """The file cut, or with bits flipped, a stretch of zeros, or a stretch of itself elsewhere."""
    if not whole:
        return b"\0"
    at, data = int(rng.integers(len(whole))), bytearray(whole)
    match int(rng.integers(4)):
        case 0:
            return whole[:at]
        case 1:
            for bit in rng.integers(8 * len(data), size=int(rng.integers(1, 9))):
                data[bit // 8] ^= 1 << bit % 8
        case 2:
            data[at : at + 64] = bytes(len(data[at : at + 64]))
        case _:
            data[at:at] = whole[: int(rng.integers(1, 200))]
    return bytes(data)


def damaged_json(content: Any, rng: np.random.Generator) -> bytes:
    """JSON with a value of another kind, a value less or one more, anywhere in it."""
    content = copy.deepcopy(content)
    places = list(_places(content))
    holder, key = places[int(rng.integers(len(places)))]
    odd = ODD_VALUES[int(rng.integers(len(ODD_VALUES)))]
    match int(rng.integers(4)):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder["something new"] = odd
        case _:
            holder[key] = odd
    return json.dumps(content).encode()


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    """Each list or object in the content, with each of its indices or keys."""
    keys = list(content) if isinstance(content, dict) else range(len(content))
    for key in keys:
        yield content, key
        if isinstance(content[key], dict | list) and content[key]:
            yield from _places(content[key])
