"""Payloads of the film viewer as the browser unpacks them, for tests."""

import json
from typing import Any

import cv2
import numpy as np


def unpack(payload: bytes) -> dict[str, Any]:
    """The header with the film uint8 (H, W), if it has one, grids uint8 (h, w) and tables uint8 (256, 3)."""
    start = 4 + int.from_bytes(payload[:4], "little")
    header: dict[str, Any] = json.loads(payload[4:start])

    def array(place: list[int]) -> np.ndarray:
        return np.frombuffer(payload, np.uint8, place[1], start + place[0])

    if "film" in header:
        header["film"] = cv2.imdecode(array(header["film"]), cv2.IMREAD_UNCHANGED)
    for scale in header.get("scales", ()):
        scale["table"] = array(scale["table"]).reshape(256, 3)
    for one in header.get("maps", ()):
        one["grid"] = array(one["grid"]).reshape(one["rows"], one["columns"])
    return header
