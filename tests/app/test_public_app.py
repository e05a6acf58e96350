"""A public deployment attacked from outside: a real server, and strangers who say whatever they like."""

import hashlib
import http.client
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import pytest
from app_visitor import Visitor
from demo_home import save_demo_evaluation, save_demo_model
from noise_folder import write_noise_folder
from servers import app_serving
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import StringArray
from streamlit.proto.WidgetStates_pb2 import WidgetState

from xlite.config import make_config
from xlite.evaluation.contamination.caveats import TrainedOn
from xlite.examples import examples
from xlite.places import bundled
from xlite.runs.annotation import annotate
from xlite.runs.notes import Notes
from xlite.runs.results import Experiment, append_result
from xlite.runs.run import Run
from xlite.runs.status import RunStatus
from xlite.serving.notice import BUTTON

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
PAGES = {
    "": {},
    "overview": {},
    "classify": {"model": "demo0"},
    "explore": {"film": "00000001_000"},
    "runs": {"run": "one", "compare": ["one", "two"], "columns": ["State", "Data folder", "Teacher list"]},
    "results": {"model": "demo0"},
    "about": {"model": "demo0"},
    "label": {},
    "train": {},
    "sweeps": {},
}
"""Each page with the address that shows most of it."""
SECTIONS = ("Curves", "Operating point", "Maps")  # those that say most of files; CI has not the time for all
MORE_SECTIONS = ("Findings", "Thresholds", "Calibration", "Errors as films")
ADDRESSES = [
    *((name, query) for name, query in PAGES.items() if name != "results"),
    ("explore", {}),  # the list of films
    *(("results", {**PAGES["results"], "section": section}) for section in SECTIONS),
    *(
        pytest.param("results", {**PAGES["results"], "section": section}, marks=pytest.mark.release)
        for section in MORE_SECTIONS
    ),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody's machine: a home with models and runs, a data folder that is offered, one that is not."""
    root = tmp_path_factory.mktemp("machine")
    home = root / "home"
    home.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLITE_HOME", str(home))
        offered, kept = root / "offered" / "ward", root / "elsewhere" / "secret"
        write_noise_folder(offered, patients=4)
        write_noise_folder(kept, patients=3)
        save_demo_model(home)
        (home / "checkpoints" / "demo0" / "model_card.md").write_text(f"# demo0\n\nTrained on {kept}.\n")
        save_demo_evaluation(home, caveats=[TrainedOn(films=200, known=7)])
        for name in ("one", "two"):
            settings = {"data": kept if name == "one" else offered, "name": name}
            run = Run.create(make_config({**settings, "teacher_list": f"{kept}/{name}.txt"}))
            run.path("metrics.csv").write_text("epoch,train_loss,val_loss,val_auc\n1,.5,.4,.61\n")
            run.path("log.txt").write_text(f"reading {kept}\n")
            run.write_progress(RunStatus(state="failed", epoch=1, epochs=8, message=f"no such file {kept}/a"))
            annotate(run.folder, note=f"the films lie in {kept}")
        (home / "checkpoints" / "one" / "evaluation" / "test").mkdir(parents=True)
        (home / "checkpoints" / "one" / "evaluation" / "test" / "metrics.json").write_text("{")
        (home / "checkpoints" / "one" / "evaluation" / "test" / "curves.json").write_text("{")
        append_result(Experiment("one", model=str(kept / "x")), Notes("patient", teacher=str(kept)))
    return root


@pytest.fixture(scope="module")
def app(place: Path) -> Iterator[str]:
    """Its server, which strangers may reach."""
    folders = {"XLITE_DATA": str(place / "offered" / "ward")}
    options = ("--server.disconnectedSessionTTL", "1")
    with app_serving(place / "home", *options, XLITE_PUBLIC="1", **folders) as address:
        yield address


@pytest.fixture
def stranger(app: str) -> Iterator[Visitor]:
    with Visitor(app) as visitor:
        yield visitor


def state_of(place: Path) -> dict[str, str]:
    """Every file of the machine that a stranger could change, by its content."""
    files = (path for path in place.rglob("*") if path.is_file() and "tmp" not in path.parts)
    return {
        str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.suffix != ".log" and path.name != "line"
    }


def paths_in(data: bytes, place: Path) -> list[bytes]:
    """What of the machine's paths is in these bytes, with what stands around it."""
    marks = [str(place), str(bundled()), "site-packages", "/tmp/"]
    return [
        data[max(0, found.start() - 60) : found.end() + 60]
        for mark in marks
        for found in re.finditer(re.escape(mark).encode(), data)
    ]


def alerts(visitor: Visitor) -> list[str]:
    """What the page says in boxes."""
    return [alert.body for alert in visitor.elements("alert")]


@pytest.mark.parametrize(("name", "address"), ADDRESSES)
def test_no_page_and_no_file_names_a_path_of_the_machine(
    app: str, place: Path, name: str, address: dict[str, object]
):
    with Visitor(app) as visitor:
        visitor.draw(name, data="ward", **address)
        first = visitor.raw
        visitor.unfold()
        visitor.draw(name, data="ward", **address)
        assert not list(visitor.elements("exception"))
        told = {name: b"\n".join([*first, *visitor.raw])}
        offered = {button.label for button in visitor.elements("download_button")}
        assert name != "explore" or address or {"Table (CSV)", "List of names"} <= offered
        for url in visitor.media():
            told[f"{name} {url}"] = visitor.http.get(url).content
        for button in visitor.elements("download_button"):
            if button.deferred_file_id:
                told[f"{name} {button.label}"] = made(visitor, button.deferred_file_id)
    found = {what: paths_in(unquote_to_bytes(data), place) for what, data in told.items()}
    assert {what: paths for what, paths in found.items() if paths} == {}


def made(visitor: Visitor, file_id: str) -> bytes:
    """A file that the server makes when a download button is pressed."""
    message = BackMsg()
    asked = message.backend_operation_request
    asked.request_id, asked.session_id, asked.deferred_file.file_id = "made", visitor.session, file_id
    visitor.say(message)
    while not visitor.hear().HasField("backend_operation_response"):
        pass
    answer = visitor.seen.pop().backend_operation_response
    visitor.raw.pop()
    assert answer.deferred_file.url, answer.error_msg
    data: bytes = visitor.http.get(answer.deferred_file.url).content
    assert len(data) > 10
    return data


def test_the_owners_pages_say_why_they_are_not_there(stranger: Visitor, place: Path):
    before = state_of(place)
    for name, deed in {"train": "train models", "sweeps": "start studies", "label": "label films"}.items():
        stranger.draw(name, data="ward", name="mine", epochs="1")
        told = f"Nobody can {deed} here: this is a public deployment, which only reads"
        assert alerts(stranger) == [told]
        assert [one.label for one in stranger.elements("button")] == [BUTTON]
    assert state_of(place) == before


def test_no_folder_but_those_listed_is_opened(app: str, place: Path):
    secret = str(place / "elsewhere" / "secret")
    for asked in ("/etc", secret, "../elsewhere/secret", "ward/../../elsewhere/secret", "~"):
        with Visitor(app) as stranger:
            stranger.draw("explore", data=asked)
            [said, *others] = alerts(stranger)
            assert said.replace("\\", "").startswith("The data folder '") and others == []
            [choice] = (one for one in stranger.elements("multiselect") if one.label == "Data folder")
            assert list(choice.options) == ["ward"]
            # A browser sends but its options; a stranger whatever they like.
            wanted = StringArray(data=[asked])
            stranger.states[choice.id] = WidgetState(id=choice.id, string_array_value=wanted)
            stranger.draw("explore")
            films = [one.body for one in stranger.elements("metric") if one.label == "Films"]
            assert (films, alerts(stranger)) == ([], ["No data folder is named."])


@pytest.mark.parametrize(
    ("page", "key", "label"),
    [
        ("classify", "film", "or a synthetic film"),
        ("classify", "model", "Model"),
        ("runs", "run", "Run"),
        ("results", "model", "Model"),
        ("about", "model", "Model"),
    ],
)
def test_no_name_leads_out_of_its_folder(app: str, place: Path, page: str, key: str, label: str):
    film = place / "elsewhere" / "secret" / "images" / "00000001_000.png"
    model = place / "home" / "checkpoints" / "demo0" / "model.safetensors"
    for asked in (
        str(film),
        str(model),
        "../checkpoints/demo0",
        "../../elsewhere/secret/images/00000001_000",
    ):
        with Visitor(app) as stranger:
            stranger.draw(page, **{key: asked})
            first = [one for one in alerts(stranger) if "here" in one]
            assert len(first) == 1 and paths_in(first[0].encode(), place) == []
            [choice] = [one for one in stranger.elements("selectbox") if one.label == label]
            stranger.states[choice.id] = WidgetState(id=choice.id, string_value=asked)
            stranger.draw(page)
            assert "secret" not in "".join(one.body for one in stranger.elements("markdown"))
            assert paths_in(b"".join(stranger.raw), place) == []


def test_what_an_owner_can_press_a_stranger_cannot(app: str, place: Path):
    """The buttons have the same ids everywhere, so that one's own app tells how to press them elsewhere."""
    pages = {"": {}, "overview": {}, "runs": {"run": "two"}, "train": {}, "sweeps": {}, "explore": {}}
    pages["results"] = {"model": "demo0", "section": "Operating point"}
    pressed: dict[str, list[WidgetState]] = {}
    with app_serving(place / "home", XLITE_DATA=str(place / "offered" / "ward")) as own:
        for page, query in pages.items():
            with Visitor(own) as owner:
                owner.draw(page, **query)
                pressed[page] = [
                    *(WidgetState(id=one.id, trigger_value=True) for one in owner.elements("button")),
                    *(WidgetState(id=one.id, bool_value=True) for one in owner.elements("checkbox")),
                    *(WidgetState(id=one.id, string_value="two") for one in owner.elements("text_input")),
                    *(WidgetState(id=one.id, string_value="mine") for one in owner.elements("text_area")),
                ]
    told = {page: sum(one.HasField("trigger_value") for one in states) for page, states in pressed.items()}
    assert min(told.values()) >= 1 and told["runs"] >= 4  # rename, delete, resume, put on duty
    before = state_of(place)
    for page, query in pages.items():
        for one in pressed[page]:
            with Visitor(app) as stranger:
                stranger.draw(page, data="ward", **query)
                stranger.states = {state.id: state for state in pressed[page] if not state.trigger_value}
                stranger.states[one.id] = one
                stranger.draw(page)
                assert list(stranger.elements("exception")) == []
    assert state_of(place) == before
    assert {run.name: run.status().state for run in runs_of(place)} == {"one": "failed", "two": "failed"}


def runs_of(place: Path) -> list[Run]:
    return [Run(place / "home" / "checkpoints" / name) for name in ("one", "two")]


def test_a_film_is_seen_by_its_visitor_alone_and_gone_with_them(app: str, place: Path):
    before, film = state_of(place), list(examples().values())[1].path.read_bytes()
    name = "../../home/checkpoints/mine.png"
    victim, thief = Visitor(app), Visitor(app)
    with thief:
        with victim:
            victim.draw("classify", model="demo0")
            shown = victim.media()
            sent = victim.upload(name, film)
            victim.draw("classify", model="demo0")
            assert [one.body for one in victim.elements("markdown") if "map of" in one.body]
            own = victim.media() - shown
            assert len(own) >= 3 and name.replace("/", "") not in sent.upload_url
            thief.draw("classify", model="demo0")
            [uploader] = thief.elements("file_uploader")
            assert "mine.png" not in thief.text() and not own & thief.media()
            assert victim.session not in thief.text() and sent.file_id not in thief.text()
            index, none = thief.http.get("/nowhere").content, b"Method Not Allowed"
            for method in ("GET", "POST", "HEAD"):
                answer = thief.http.request(method, sent.upload_url)
                assert film[:40] not in answer.content and answer.content in (b"", index, none)
            assert thief.http.get("/media/").status_code == 404
            # Even who knows the ids has no way to the film: it is another session's.
            forged = victim.states[next(iter(victim.states))]
            thief.states[uploader.id] = WidgetState.FromString(forged.SerializeToString())
            thief.draw("classify", model="demo0")
            assert "mine.png, map of" not in thief.text() and not own & thief.media()
            for method in ("PUT", "DELETE"):  # a page elsewhere has the cookie, and not its token
                assert thief.http.request(method, sent.upload_url, files=None).status_code == 403
        for _ in range(50):
            time.sleep(0.1)
            with Visitor(app) as other:  # when somebody leaves, Streamlit forgets who left before
                other.draw("about")
            left = [url for url in own if thief.http.get(url).status_code == 200]
            if not left:
                break
        assert left == []
    assert state_of(place) == before
    kept = [path for path in (place / "home" / "tmp").rglob("*") if path.is_file()]
    assert [path for path in kept if film[:100] in path.read_bytes()] == []


def test_streamlit_itself_does_for_strangers_what_pages_need_and_nothing_else(stranger: Visitor):
    stranger.draw("classify", model="demo0")
    stranger.upload("mine.png", next(iter(examples().values())).path.read_bytes())
    stranger.draw("classify", model="demo0")
    asked = [BackMsg(clear_cache=True), BackMsg(load_git_info=True), BackMsg(set_run_on_save=True)]
    asked += [BackMsg(debug_shutdown_runtime=True), BackMsg()]
    for kind in ("install_skills", "dismiss_skills_nudge"):
        message = BackMsg()
        message.backend_operation_request.session_id = stranger.session
        getattr(message.backend_operation_request, kind).SetInParent()
        asked.append(message)
    stranger.say(BackMsg(app_heartbeat=True))
    while not stranger.hear().heartbeat_ack:
        pass
    for message in asked:
        stranger.say(message)
        stranger.say(BackMsg(app_heartbeat=True))
        assert stranger.hear().heartbeat_ack  # and nothing before it
    stranger.draw("classify", model="demo0")
    assert "mine.png, map of" in stranger.text()


DOORS = (
    *("/media/../../../../etc/passwd", "/media/..%2f..%2f..%2fetc/passwd", "/media//etc/passwd"),
    *("/static/../../../../etc/passwd", "/static/..%2f..%2f..%2f..%2fetc/passwd", "//etc/passwd"),
    *("/app/static/../Home.py", "/app/static/%2e%2e/Home.py", "/component/x/../../../../etc/passwd"),
    *(
        "/_stcore/bidi-components/xlite_film_viewer/../../../app/Home.py",
        "/_stcore/bidi-components/x/Home.py",
    ),
    *("/_stcore/metrics", "/_stcore/metrics?families=cache_memory_bytes", "/_stcore/script-health-check"),
    *("/_stcore/upload_file/a/b", "/_stcore/agent/openapi.json", "/_stcore/agent/interact", "/app/Home.py"),
)
"""Addresses of files that the server must not hand out, and of what it may not tell."""


@pytest.mark.parametrize("door", DOORS)
def test_no_address_of_streamlit_hands_out_a_file_or_a_path(app: str, place: Path, door: str):
    status, body = ask(app, door)
    assert b"root:" not in body and b"st.navigation" not in body and paths_in(body, place) == []
    assert status >= 400 or body == ask(app, "/nowhere")[1] or b"enableAgentApi" in body


def ask(app: str, door: str) -> tuple[int, bytes]:
    """Status and body of a request for exactly that address."""
    connection = http.client.HTTPConnection(app.removeprefix("http://"), timeout=30)
    try:
        connection.request("GET", door)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.browser
def test_in_a_browser_no_page_shows_a_path(app: str, place: Path, browser: "Browser"):
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        for name in PAGES:
            page.goto(f"{app}/{name}?data=/etc")
            page.get_by_test_id("stHeading").first.wait_for()
            page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
            assert paths_in(page.content().encode(), place) == []
            assert page.get_by_text("Page not found").count() == 0
            links = page.get_by_test_id("stSidebarNavLink").all_inner_texts()
            shown = [link.splitlines()[-1] for link in links]
            assert shown == ["Overview", "Read a film", "Explore the data", "Runs", "Results", "About"]
            assert page.get_by_test_id("stException").count() == 0
        page.goto(f"{app}/train")
        page.get_by_text("Nobody can train models here").wait_for()
