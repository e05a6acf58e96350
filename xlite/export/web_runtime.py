"""onnxruntime for browsers: two files of the npm package onnxruntime-web, which does not come with X-Lite."""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from xlite.errors import CheckpointError
from xlite.places import home

VERSION = "1.30.0"
WASM = "ort-wasm-simd-threaded.wasm"
SHA256 = {
    "ort.wasm.bundle.min.mjs": "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    WASM: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
"""The build for processors alone, and its loader: the two files that a page needs, by their hashes."""
_SECONDS = 300
_WANTED = f"onnxruntime-web {VERSION}: `npm pack onnxruntime-web@{VERSION}` makes a file for --runtime"


def runtime_files(given: Path | None) -> dict[str, bytes]:
    """The files of the runtime by name, from a folder or a packed package, or else by npm.

    What npm brought is kept under `cache/` of X-Lite's home. Raises CheckpointError for another version.
    """
    if given is not None:
        return _checked(given)
    kept = home() / "cache" / f"onnxruntime-web-{VERSION}.tgz"
    if not kept.is_file():
        _pack(kept)
    return _checked(kept)


def _pack(target: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise CheckpointError(f"a page needs onnxruntime-web, and npm, which has it, is not here; {_WANTED}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command = [npm, "pack", f"onnxruntime-web@{VERSION}", "--silent", "--pack-destination", folder]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
            (packed,) = Path(folder).glob("*.tgz")
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            raise CheckpointError(
                f"a page needs onnxruntime-web, and npm could not bring it here; {_WANTED}"
            ) from error
        packed.replace(target)


def _checked(source: Path) -> dict[str, bytes]:
    try:
        files = {name: _content(source, name) for name in SHA256}
    except (OSError, KeyError, tarfile.TarError) as error:
        raise CheckpointError(f"{source} is not onnxruntime-web, packed or unpacked; {_WANTED}") from error
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != SHA256[name]:
            raise CheckpointError(f"{source} has another {name}; expected that of {_WANTED}")
    return files


def _content(source: Path, name: str) -> bytes:
    """A file of the package's `dist`. Nothing else is unpacked."""
    if source.is_dir():
        places = _places(source, name)
        return next((path for path in places if path.is_file()), places[-1]).read_bytes()
    with tarfile.open(source) as archive:
        member = archive.extractfile(f"package/dist/{name}")
        if member is None:
            raise KeyError(name)
        return member.read()


def _places(folder: Path, name: str) -> list[Path]:
    """Where an unpacked package may have it; the last is named if none does."""
    return [folder / name, folder / "package" / "dist" / name, folder / "dist" / name]
