"""The reading of a film as a Gradio demo: `python app/share.py MODEL [--public --password] [--port N]`.

It serves this machine only, unless --public (a temporary link of Gradio's) or --host (an address in the local
network) opens it, and then it demands a password. It answers by the names of this machine, that of the link
and those in XLITE_HOSTS. A film is read when it has arrived and deleted at once; what it showed stays in
memory while its page is open. Nothing can be trained or browsed through the demo.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.middleware import Middleware

from xlite.access.addresses import HOST, PORT, check_port
from xlite.access.guesses import GuessDelay
from xlite.access.hosts import HostGuard, owner_names
from xlite.access.passwords import MIN_PASSWORD, USER, check_access, read_password
from xlite.errors import RunError, XliteError
from xlite.images import MAX_UPLOAD_MB

if TYPE_CHECKING:
    import gradio as gr


KEPT_S = 60
"""A film is deleted as soon as it has arrived and been read; a broken-off upload, after so many seconds."""
Seen = dict[tuple[Path, int], float]
"""When files were seen first, by the monotonic clock (s); a file by its path and when it was written (ns)."""
VISITORS = 60
"""For how many visitors films are held in memory: of a film up to 0.6 MB, twice if it can be turned."""


def main(argv: Sequence[str] | None = None) -> int:
    """Serves until interrupted; returns the exit status, 2 with one sentence on stderr for bad input."""
    options = parse(argv)
    try:
        password = read_password(options.password_file, options.password)
        if options.public or not options.space:  # whose owner says who may open it
            check_access(options.host, options.public, password)
        check_port(options.host, options.port)
        serve(options, password)
    except XliteError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Error: interrupted", file=sys.stderr)
        return 130
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="xlite share", description="A demo that reads films with one model."
    )
    parser.add_argument("model", nargs="?", help="a run's name or a model file; by default the model on duty")
    parser.add_argument("--public", action="store_true", help="a temporary public link; demands --password")
    parser.add_argument(
        "--password",
        nargs="?",
        const="",
        metavar="",
        help=f"ask for a password of {MIN_PASSWORD} characters or more; the user name is {USER}",
    )
    parser.add_argument("--password-file", metavar="FILE", help="read the password from a file's first line")
    parser.add_argument(
        "--host", default=HOST, help="address to answer on; other than loopback demands --password"
    )
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--space", action="store_true", help="in a hub's Space: no password is asked for")
    return parser.parse_args(argv)


def serve(options: argparse.Namespace, password: str | None) -> None:
    """Loads the model and serves it until interrupted; what Gradio writes goes with its folder at the end."""
    from xlite.guarded import GuardedReader

    names = owner_names(options.host)
    reader = GuardedReader.load(options.model or on_duty())
    with tempfile.TemporaryDirectory(prefix="xlite-share-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        from share_page import build

        demo = build(reader)
        launch(demo, options, password, names)
        if options.public and not demo.share_url:
            demo.close()
            raise RunError("no public link could be made: this machine does not reach Gradio's service")
        if demo.share_url:
            names.add(urlsplit(demo.share_url).hostname)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        address = demo.share_url or f"http://{options.host}:{options.port}"
        print(f"{reader.classifier.name} reads films at {address} until Ctrl-C ends it", flush=True)
        seen: Seen = {}
        try:
            while True:
                time.sleep(KEPT_S / 10)
                seen = delete_old(Path(folder), seen)
        except KeyboardInterrupt:
            demo.close(verbose=False)


def on_duty() -> str:
    """What is read with if no model is named; if it is not the one that was chosen, stderr says why."""
    from xlite.models.duty import duty

    now = duty()
    if now.fault:
        print(f"Warning: {now.fault}", file=sys.stderr)
    return now.spec


def delete_old(folder: Path, seen: Seen, older_than_s: float = KEPT_S) -> Seen:
    """Deletes the files in Gradio's folder that have lain there for longer, also those that it has forgotten.

    Returns when each that is left was seen first: the times of the files follow a clock that may be set.
    """
    left: Seen = {}
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            if not path.is_file():
                continue
            now, file = time.monotonic(), (path, path.stat().st_mtime_ns)
            left[file] = seen.get(file, now)
            if now - left[file] > older_than_s:
                path.unlink()
                del left[file]
    return left


def launch(demo: "gr.Blocks", options: argparse.Namespace, password: str | None, names: set[str]) -> None:
    """Starts the server with everything off that the demo does not need; it answers by those names."""
    from share_look import STYLE, theme
    from share_page import NOTICE
    from share_uploads import keep_uploads_apart

    keep_uploads_apart()
    guards = [Middleware(HostGuard, names=names), *([Middleware(GuessDelay)] if password else [])]
    demo.launch(
        auth=(USER, password) if password else None,
        auth_message=f"{NOTICE} After a wrong password the next try takes longer.",
        app_kwargs={"middleware": guards},
        share=options.public,
        server_name=options.host,
        server_port=options.port,
        max_file_size=f"{MAX_UPLOAD_MB}mb",
        prevent_thread_lock=True,
        quiet=True,
        allowed_paths=[],
        state_session_capacity=VISITORS,
        show_error=False,
        run_history=False,
        enable_monitoring=False,
        mcp_server=False,
        ssr_mode=False,
        pwa=False,
        footer_links=[],
        css=STYLE,
        theme=theme(),
    )
    # Gradio puts its own CORS layer around these, which answers a browser's question before any guard.
    layers = demo.app.middleware_stack or demo.app.build_middleware_stack()
    demo.app.middleware_stack = HostGuard(layers, names)


if __name__ == "__main__":
    sys.exit(main())
