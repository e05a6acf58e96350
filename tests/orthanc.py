"""A real Orthanc with its DICOMweb plugin on this machine, started by the tests that need one."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers import free_port

DICOMWEB = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
# What docs/PACS.md hands out.
ROUTE = """
function OnStoredInstance(instanceId, tags, metadata)
  if tags['Modality'] == 'CR' or tags['Modality'] == 'DX' then
    SendToModality(instanceId, 'xlite')
  end
end
"""
VALIDATORS = ("dciodvfy", "dsrdump", "dcm2xml")


@dataclass(frozen=True)
class Orthanc:
    """A running one: where it answers over HTTP, and its DICOM port."""

    url: str
    port: int

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.url}{path}", timeout=30).raise_for_status().json()

    def put_in(self, film: bytes) -> str:
        """Uploads a film; returns what Orthanc calls its study."""
        answer = httpx.post(f"{self.url}/instances", content=film, timeout=60).raise_for_status()
        return str(answer.json()["ParentStudy"])

    def file(self, instance: str) -> bytes:
        """An instance as it keeps it."""
        return httpx.get(f"{self.url}/instances/{instance}/file", timeout=60).raise_for_status().content

    def series(self, study: str) -> dict[str, list[str]]:
        """The instances of a study by modality."""
        found = [self.get(f"/series/{one}") for one in self.get(f"/studies/{study}")["Series"]]
        return {one["MainDicomTags"]["Modality"]: one["Instances"] for one in found}


def program(*names: str) -> list[str]:
    """Where programs are; skips the test if one is missing, or fails it if CI requires them."""
    found = [shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in names]
    missing = [name for name, path in zip(names, found, strict=True) if path is None]
    missing += ["orthanc-dicomweb"] if "Orthanc" in names and not Path(DICOMWEB).exists() else []
    if missing:
        words = "apt install orthanc orthanc-dicomweb dcmtk dicom3tools"
        sentence = f"no {', '.join(missing)} here ({words})"
        if os.environ.get("XLITE_REQUIRE_ORTHANC"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return [path for path in found if path]


@contextmanager
def running(folder: Path, node: int, lua: str = "", **settings: object) -> Iterator[Orthanc]:
    """An Orthanc that knows a node XLITE on a port of this machine, and runs a script, while it lasts."""
    [orthanc] = program("Orthanc")
    script = folder / "route.lua"
    script.write_text(lua)
    web, dicom = free_port(), free_port()
    config = {
        "Name": "Orthanc",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "Plugins": [DICOMWEB],
        "HttpPort": web,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAet": "ORTHANC",
        "DicomPort": dicom,
        "DicomModalities": {"xlite": ["XLITE", "127.0.0.1", node]},
        "LuaScripts": [str(script)],
        "StableAge": 1,
        **settings,
    }
    path = folder / "orthanc.json"
    path.write_text(json.dumps(config, indent=1))
    log = (folder / "orthanc.log").open("wb")
    server = subprocess.Popen([orthanc, str(path)], stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    url = f"http://127.0.0.1:{web}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{url}/system", timeout=5).raise_for_status()
                break
            except httpx.HTTPError:
                assert time.monotonic() < deadline and server.poll() is None, "Orthanc does not answer"
                time.sleep(0.1)
        yield Orthanc(url, dicom)
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def faults(data: bytes, folder: Path) -> list[str]:
    """What the validators of dicom3tools and dcmtk have against an object; nothing if it is right."""
    dciodvfy, dsrdump, dcm2xml = program(*VALIDATORS)
    path = folder / "object.dcm"
    path.write_bytes(data)
    found = []
    done = subprocess.run([dciodvfy, str(path)], capture_output=True, text=True, timeout=60)
    found += [line for line in done.stderr.splitlines() if line.startswith("Error")]
    commands = [[dcm2xml, str(path), os.devnull]]
    if b"1.2.840.10008.5.1.4.1.1.88." in data:
        commands.append([dsrdump, str(path)])
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        lines = [line for line in done.stderr.splitlines() if line.startswith(("E:", "F:"))]
        found += lines or ([f"{command[0]} ends with {done.returncode}"] if done.returncode else [])
    return found
