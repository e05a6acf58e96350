"""The reading of a film as a Gradio demo: `python app/share.py MODEL [--public --password] [--port N]`.

It serves this machine only, unless --public (a temporary link of Gradio's) or --host (an address in the local
network) opens it, and then it demands a password. It answers by the names of this machine, that of the link
and those in XLITE_HOSTS. A film is read when it has arrived and deleted at once; what it showed stays in
memory while its page is open. Nothing can be trained or browsed through the demo.
"""

import argparse
import base64
import html
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.middleware import Middleware

from xlite.access.addresses import HOST, PORT, check_port
from xlite.access.guesses import GuessDelay
from xlite.access.hosts import HostGuard, owner_names
from xlite.access.passwords import MIN_PASSWORD, USER, check_access, read_password
from xlite.errors import ImageError, RunError, XliteError
from xlite.examples import examples
from xlite.findings import FINDINGS, spoken
from xlite.formats import FORMATS
from xlite.images import MAX_UPLOAD_MB, read_image
from xlite.messages import in_words, literal

if TYPE_CHECKING:
    import gradio as gr
    import numpy as np

    from xlite.classify import Classifier
    from xlite.reading import Reading

Shown = tuple[str, dict[str, float]]
"""What a visitor sees: the film and its maps as HTML, and the 14 probabilities by finding."""
Latest = tuple[str | None, Shown] | None
"""The upload that a visitor had read last, deleted since, and what was shown of it."""
NOTHING: tuple[str, None] = ("", None)
"""What a visitor sees while a film is read, and if it cannot be."""
KEPT_S = 60
"""A film is deleted as soon as it has arrived and been read; a broken-off upload, after so many seconds."""
SHOWN_PX = 800
VISITORS = 100
SHOWN_KEPT_S = 3600
"""For how many visitors the latest reading is held in memory, and for how long at most."""
NOTICE = "Research software, not for clinical use. Its output is no diagnosis. Films are not kept."
STYLE = """
.film-row {display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); gap: 12px}
.film-row figure {margin: 0} .film-row img {width: 100%; border-radius: 6px; background: #000}
.film-row figcaption {padding: 6px 2px; font-variant-numeric: tabular-nums}
.film-row figcaption p {margin: 4px 0; font-size: 13px; line-height: 1.4}
.wide {overflow-x: auto; margin-top: 12px} .wide table {border-collapse: collapse; font-size: 13px}
.wide th, .wide td {padding: 4px 8px; text-align: right; border-bottom: 1px solid #d9dfe5}
.note {font-size: 13px}
.wide th.text, .wide td.text {text-align: left}
.wide td:not(.text) {white-space: nowrap}
"""


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
    parser.add_argument("model", help="a run's name or a model file")
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
    from xlite.classify import Classifier

    names = owner_names(options.host)
    classifier = Classifier.load(options.model)
    with tempfile.TemporaryDirectory(prefix="xlite-share-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        demo = build(classifier)
        launch(demo, options, password, names)
        if options.public and not demo.share_url:
            demo.close()
            raise RunError("no public link could be made: this machine does not reach Gradio's service")
        if demo.share_url:
            names.add(urlsplit(demo.share_url).hostname)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        address = demo.share_url or f"http://{options.host}:{options.port}"
        print(f"{classifier.name} reads films at {address} until Ctrl-C ends it", flush=True)
        try:
            while True:
                time.sleep(KEPT_S / 10)
                delete_old(Path(folder))
        except KeyboardInterrupt:
            demo.close(verbose=False)


def delete_old(folder: Path, older_than_s: float = KEPT_S) -> None:
    """Deletes the files in Gradio's folder that are older, and those that Gradio has forgotten too."""
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file() and abs(time.time() - path.stat().st_mtime) > older_than_s:
                path.unlink()


def launch(demo: "gr.Blocks", options: argparse.Namespace, password: str | None, names: set[str]) -> None:
    """Starts the server with everything off that the demo does not need; it answers by those names."""
    import gradio as gr

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
        # Fonts of the visitor's own machine: Gradio's others may come from elsewhere.
        theme=gr.themes.Soft(
            primary_hue="teal", neutral_hue="slate", font=["system-ui", "sans-serif"], font_mono=["monospace"]
        ),
    )


def build(classifier: "Classifier") -> "gr.Blocks":
    """The page: a film in, its three likeliest findings with maps and all 14 probabilities out."""
    import gradio as gr

    def read(film: str | None, latest: Latest) -> Iterator[tuple[str, dict[str, float] | None, Latest]]:
        yield *NOTHING, latest  # an error leaves what stands there
        if latest is None or film != latest[0]:
            latest = (film, read_film(classifier, read_and_delete(film)))
        yield *latest[1], latest

    def read_example(name: str) -> Iterator[tuple[str, dict[str, float] | None]]:
        yield NOTHING
        yield read_film(classifier, example_film(name))

    with gr.Blocks(title="X-Lite", analytics_enabled=False) as demo:
        gr.Markdown(f"# X-Lite reads a chest film\n**{NOTICE}**")
        with gr.Row():
            with gr.Column(scale=2):
                film = gr.File(
                    label=f"Chest film: {FORMATS}, at most {MAX_UPLOAD_MB} MB",
                    type="filepath",
                    height=150,
                )
                button = gr.Button("Read", variant="primary")
                bundled = add_examples()
                probabilities = gr.Label(
                    label="All 14 findings", num_top_classes=len(FINDINGS), show_heading=False
                )
                gr.Markdown(literal(classifier.about))
            with gr.Column(scale=5):
                films = gr.HTML(label="Film and maps")
        outputs = [films, probabilities]
        latest = gr.State(time_to_live=SHOWN_KEPT_S)
        gr.on(
            [film.upload, button.click],
            read,
            [film, latest],
            [*outputs, latest],
            api_name="read",
            concurrency_limit=2,
        )
        if bundled is not None:
            bundled.input(read_example, bundled, outputs, api_name="example")
            bundled.input(lambda: None, None, film, api_visibility="private")
            gr.on([film.upload, button.click], lambda: None, None, bundled, api_visibility="private")
        film.clear(lambda: NOTHING, None, outputs, api_visibility="private")
    blocks: gr.Blocks = demo
    return blocks


def add_examples() -> "gr.Dropdown | None":
    """A choice of the bundled synthetic films, if they are installed."""
    import gradio as gr

    names = [(title, example.path.stem) for title, example in examples().items()]
    return gr.Dropdown(names, value=None, label="or a bundled synthetic film") if names else None


def example_film(name: str) -> "np.ndarray":
    """The bundled film of that name, uint8 (H, W)."""
    return read_image(next(example.path for example in examples().values() if example.path.stem == name))


def read_and_delete(film: str | None) -> "np.ndarray":
    """The uploaded film, uint8 (H, W); the upload is deleted whether it can be read or not."""
    if film is None:
        raise page_error("Choose a film first")
    from xlite.classify import read_upload

    path = Path(film)
    try:
        return read_upload(path.read_bytes(), path.name)
    except FileNotFoundError:
        raise page_error("That film is no longer here, because films are not kept: choose it again") from None
    except ImageError as error:
        raise page_error(in_words(error)) from error
    finally:
        path.unlink(missing_ok=True)


def page_error(sentence: str) -> Exception:
    """An error that Gradio shows to the visitor."""
    import gradio as gr

    return gr.Error(html.escape(sentence, quote=False), print_exception=False)


def read_film(classifier: "Classifier", image: "np.ndarray") -> Shown:
    """The film and its three maps as HTML that embeds them (no file is written), and the 14 probabilities."""
    shown, reading = classifier.read(image).shrunk(image, SHOWN_PX)
    return film_row(shown, reading), {spoken(finding): reading.probability(finding) for finding in FINDINGS}


def film_row(image: "np.ndarray", reading: "Reading") -> str:
    """The bare film, then the three likeliest findings over it; what each of the 14 verdicts is worth."""
    from xlite.report.document import table_html
    from xlite.report.worth import worth_sentences, worth_table

    pictures = [captioned(image, "The film")]
    for finding, probability in reading.top(3):
        fault = reading.fault(finding)
        caption = f"{spoken(finding)} {probability:.1%}" + (f": its map {fault}" if fault else "")
        said = worth_sentences(reading.worth(finding))
        pictures.append(captioned(reading.overlay(image, finding), caption, said))
    legend = f"<p>{html.escape(reading.legend())}</p>"
    return (
        f'<div class="film-row">{"".join(pictures)}</div>{legend}{table_html(worth_table(reading.worths()))}'
    )


def captioned(image: "np.ndarray", caption: str, sentences: Sequence[str] = ()) -> str:
    """An image uint8, grey (H, W) or RGB (H, W, 3), as an HTML figure: its caption, sentences below it."""
    import cv2

    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
    source = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    text, more = html.escape(caption), "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)
    return f'<figure><img src="{source}" alt="{text}"><figcaption>{text}{more}</figcaption></figure>'


if __name__ == "__main__":
    sys.exit(main())
