"""X-Lite's demo as a Gradio Space runs it: `python app.py`, with the model and the package beside it.

Whoever may open the Space may use the demo: who that is, the Space's owner says in its settings. It answers
by the Space's own name and by those in XLITE_HOSTS. Run elsewhere it answers on this machine alone.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Runs the demo in this process's place."""
    environment = dict(os.environ)
    environment.pop("SYSTEM", None)  # by it Gradio would start a second server, which reloads code
    environment["PYTHONPATH"] = _joined(os.pathsep, str(HERE), environment.get("PYTHONPATH"))
    environment["XLITE_HOSTS"] = _joined(" ", environment.get("XLITE_HOSTS"), environment.get("SPACE_HOST"))
    [model] = HERE.glob("*.onnx")
    words = [str(HERE / "xlite" / "bundled" / "app" / "share.py"), str(model)]
    if "SPACE_ID" in environment:
        words += ["--space", "--host", environment.get("GRADIO_SERVER_NAME") or "0.0.0.0"]
    if port := environment.get("GRADIO_SERVER_PORT"):
        words += ["--port", port]
    os.execve(sys.executable, [sys.executable, *words], environment)


def _joined(mark: str, *parts: str | None) -> str:
    return mark.join(part for part in parts if part)


if __name__ == "__main__":
    main()
