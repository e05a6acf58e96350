"""axe-core in the tests: what in a page keeps people out who see badly, or use no mouse.

It does not come with X-Lite: $XLITE_AXE names the npm package, packed or unpacked, else npm brings it once.
"""

import functools
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

VERSION = "4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
"""Of the file `axe.min.js` of that version."""
KEPT = Path(__file__).resolve().parents[1] / "cache" / f"axe-core-{VERSION}.tgz"
AGAIN, AGAIN_MS = 2, 1500
_RUN = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    // Streamlit wraps each item of its menu in a div: no app can change that.
    const streamlits = (id, node) => id.startsWith("list")
        && document.querySelector(node.target[0])?.closest("[data-testid=stSidebarNavItems]");
    return violations.flatMap(({ id, impact, nodes }) => nodes.filter((node) => !streamlits(id, node)).map(
        (node) => [id, node.impact ?? impact, node.html, node.failureSummary]));
}"""


@dataclass(frozen=True)
class Violation:
    """A rule that an element breaks: the rule's name, how grave it is, the element's HTML, and why."""

    rule: str
    impact: str
    html: str
    why: str

    def __str__(self) -> str:
        why = " ".join(self.why.split())
        return f"{self.rule} ({self.impact}): {self.html[:300]} — {why[:300]}"


def violations(page: Page) -> list[Violation]:
    """What axe-core calls serious or critical in the page as it is; without axe-core the test skips."""
    page.evaluate(script())
    found = [Violation(*one) for one in page.evaluate(_RUN)]
    return [one for one in found if one.impact in ("serious", "critical")]


def lasting(page: Page) -> list[Violation]:
    """The violations that stay for seconds, as those of parts that fade while a page is drawn anew do not."""
    found = violations(page)
    for _ in range(AGAIN):
        if not found:
            break
        page.wait_for_timeout(AGAIN_MS)
        found = [one for one in violations(page) if one in found]
    return found


@functools.cache
def script() -> str:
    """The source of axe-core."""
    given = os.environ.get("XLITE_AXE")
    if not given and not KEPT.is_file():
        _pack()
    content = _content(Path(given) if given else KEPT)
    assert hashlib.sha256(content).hexdigest() == SHA256, f"{given or KEPT} is not axe-core {VERSION}"
    return content.decode()


def _pack() -> None:
    npm = shutil.which("npm")
    if npm is None:
        _lacking("npm is not here")
    KEPT.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=KEPT.parent) as folder:
        command = [str(npm), "pack", f"axe-core@{VERSION}", "--silent", "--pack-destination", folder]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=300)
            (packed,) = Path(folder).glob("*.tgz")
        except (subprocess.SubprocessError, OSError, ValueError):
            _lacking("npm could not bring it")
        packed.replace(KEPT)


def _lacking(why: str) -> None:
    sentence = f"no axe-core: {why}; `npm pack axe-core@{VERSION}` makes a file for XLITE_AXE"
    if os.environ.get("XLITE_REQUIRE_WEB"):
        pytest.fail(sentence)
    pytest.skip(sentence)


def _content(source: Path) -> bytes:
    if source.is_dir():
        return next(source.rglob("axe.min.js")).read_bytes()
    with tarfile.open(source) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read()
