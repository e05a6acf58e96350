"""Pages as AppTest runs them, for the tests of each page."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from payloads import unpack
from streamlit.testing.v1 import AppTest

from xlite.places import bundled


def page(name: str, **state: object) -> AppTest:
    """The page before its first run, with that session state; Overview in the frame, which its links need."""
    file = bundled("app", "Home.py") if name == "overview" else bundled("pages", f"{name}.py")
    test = AppTest.from_file(file, default_timeout=300)
    for key, value in state.items():
        test.session_state[key] = value
    return test


def words(test: AppTest) -> str:
    """All prose of a page; fails if the page raised."""
    assert [error.message for error in test.exception] == []
    kinds = (test.title, test.subheader, test.markdown, test.caption, test.info, test.warning, test.code)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def viewer(test: AppTest) -> dict[str, Any]:
    """What the page's film viewer is given, with its film uint8 (H, W)."""
    data = {one.proto.component_name: one.proto.bytes for one in test.get("bidi_component")}
    shown, film = unpack(data["xlite_film_viewer"]), unpack(data["xlite_film"])
    assert shown["id"] == film["id"]
    return {**shown, "film": film["film"]}


def write_boxes(root: Path, *rows: str) -> None:
    """The radiologists' boxes of a data folder: `film.png,Mass,x,y,w,h` in px of the 1024 frame."""
    lines = ["Image Index,Finding Label,Bbox [x,y,w,h],,,", *rows]
    (root / "BBox_List_2017.csv").write_text("\n".join(lines) + "\n")


def write_examples(folder: Path) -> None:
    """Two bundled films, as the project lays them out."""
    folder.mkdir(parents=True)
    rows = ["image,findings"]
    for name, findings in (("a.png", "Edema|Pleural_Thickening"), ("b.png", "No Finding")):
        film = np.random.default_rng(len(rows)).integers(0, 256, (120, 100), dtype=np.uint8)
        cv2.imwrite(str(folder / name), film)
        rows.append(f"{name},{findings}")
    (folder / "examples.csv").write_text("\n".join(rows) + "\n")


def press_named(test: AppTest, label: str) -> None:
    """Presses the button with that label, and fails if the page then shows a traceback."""
    [button] = [button for button in test.button if button.label == label]
    button.click().run()
    assert [error.message for error in test.exception] == []
