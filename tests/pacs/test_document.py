"""What docs/PACS.md hands out and promises."""

import json
import re
from pathlib import Path

from orthanc import DICOMWEB, ROUTE

from xlite.access.addresses import DICOM_PORT
from xlite.images import MAX_UPLOAD_MB
from xlite.pacs import node, queue, receive, web

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "PACS.md").read_text(encoding="utf-8")


def test_the_script_and_the_settings_of_orthanc_are_those_that_the_tests_run() -> None:
    assert ROUTE.strip() in TEXT
    settings = json.loads(TEXT.partition("```json")[2].partition("```")[0])
    assert settings["Plugins"] == [DICOMWEB] and settings["DicomPort"] == 4242
    assert settings["DicomModalities"] == {"xlite": ["XLITE", "127.0.0.1", DICOM_PORT]}
    assert "--to ORTHANC@localhost:4242" in TEXT


def test_the_limits_are_those_of_the_code() -> None:
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", TEXT, re.M))
    assert rows["queue"].startswith(f"{queue.MOST_FILMS} films and {queue.MOST_MB} MB")
    assert f"film beyond {MAX_UPLOAD_MB} MB, queue full, disk full" in rows
    said = f"{receive.MOST_ASSOCIATIONS}; a node that says nothing for {receive.SLOW_S:.0f} s is cut off"
    assert rows["associations at once"] == said
    assert f"in {len(receive.SYNTAXES)} transfer syntaxes" in rows["takes"]
    assert f"up to {node.LONGEST_WAIT_S:.0f} s" in rows["destination away"]
    assert f"after {node.MOST_REFUSALS} times" in rows["destination refuses an object"]
    assert f"begun {queue.MOST_TRIES} times" in rows["film that ends the process"]
    assert f"last {queue.MOST_REMEMBERED:,} are remembered" in TEXT and f", {web.MOST_FILMS} at most" in TEXT
    codes = [receive.NOT_UNDERSTOOD, receive.MISMATCH, receive.NO_SOP_CLASS, receive.NO_ROOM]
    assert re.findall(r"refused with (?:status )?0x(\w{4})", TEXT) == [f"{code:04X}" for code in codes]
