"""The app behind a sign-in, as visitors meet it: a real server, provider on loopback and Chromium."""

import html
import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from demo_home import save_demo_model
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from openid_provider import CLIENT, CLIENT_SECRET, Provider, provided
from playwright.sync_api import Page, expect
from servers import app_serving
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from websockets.sync.client import connect

from xlite.config import make_config
from xlite.places import bundled
from xlite.runs.run import Run

pytestmark = [pytest.mark.slow, pytest.mark.browser]
COOKIE_SECRET = secrets.token_urlsafe(32)
RUN = "a-run-that-is-nobodys-business"
PATHS = ("", *sorted(path.stem for path in bundled("pages").glob("*.py")))
ANN = {"email": "ann@example.org", "email_verified": True}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with provided() as provider:
        yield provider


@pytest.fixture(autouse=True)
def honest(provider: Provider) -> None:
    """Each test begins with a provider that tells the truth about Ann."""
    provider.claims, provider.header, provider.key = dict(ANN), {}, provider.published
    provider.signed_out.clear()


def secrets_file(folder: Path, provider: Provider, **more: str) -> Path:
    auth = {
        "redirect_uri": "http://localhost:{port}/oauth2callback",
        "cookie_secret": COOKIE_SECRET,
        "client_id": CLIENT,
        "client_secret": CLIENT_SECRET,
        "server_metadata_url": f"{provider.address}/.well-known/openid-configuration",
        **more,
    }
    path = folder / "secrets.toml"
    lines = [f"{key} = {json.dumps(value)}" for key, value in auth.items()]
    path.write_text("\n".join(["[auth]", *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a run and a model in it, whose names strangers must not see."""
    home = tmp_path_factory.mktemp("signed-in")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLITE_HOME", str(home))
        Run.create(make_config({"data": home / "films-of-the-ward", "name": RUN}))
    save_demo_model(home, "a-model-of-ours")
    return home


@pytest.fixture(scope="module")
def app(provider: Provider, home: Path) -> Iterator[str]:
    """The address of `xlite app` with those secrets and a list of members."""
    file = secrets_file(home, provider)
    members = "ann@example.org,@ward.example.org"
    with app_serving(home, "--secrets.files", str(file), XLITE_MEMBERS=members) as address:
        yield address


def is_closed(page: Page) -> None:
    """The door is all that is shown."""
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_role("heading")).to_have_text(["X-Lite"])
    assert page.get_by_test_id("stMain").inner_text().split("\n\n") == [
        "X-Lite",
        "Research software, not for clinical use",
        "Sign in",
    ]
    for part in ("stSidebar", "stSidebarNav", "stTextInput", "stException", "stDialog"):
        expect(page.get_by_test_id(part)).to_have_count(0)


def sign_in(page: Page, app: str, path: str = "") -> None:
    page.goto(f"{app}/{path}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Continue").click()
    page.wait_for_url(f"{app}/")


def test_the_way_in_and_out_again(app: str, page: Page, provider: Provider) -> None:
    page.goto(app)
    is_closed(page)
    sign_in(page, app)
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text("Signed in as ann")).to_be_visible()
    expect(page.get_by_role("heading", name="What next")).to_be_visible()
    page.goto(f"{app}/runs")
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    expect(sidebar.get_by_text("Signed in as ann")).to_be_visible()

    sidebar.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{app}/")
    is_closed(page)
    assert provider.signed_out == [CLIENT]
    page.goto(f"{app}/runs")
    is_closed(page)
    assert [cookie["name"] for cookie in page.context.cookies() if "user" in cookie["name"]] == []


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_behind_the_door(app: str, page: Page, path: str) -> None:
    page.goto(f"{app}/{path}?run={RUN}")
    is_closed(page)


def test_on_a_phone_the_door_fits(app: str, page: Page) -> None:
    page.set_viewport_size({"width": 420, "height": 900})
    page.goto(app)
    is_closed(page)
    box = page.get_by_role("button", name="Sign in").bounding_box()
    assert box is not None and box["y"] + box["height"] < 900 and box["x"] + box["width"] < 420


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        pytest.param(
            {"email": "bob@example.org", "email_verified": True},
            "You may not enter: bob@example.org is not on the list of this app's owner.",
            marks=pytest.mark.release,
        ),
        (
            {"email": "ann@example.org", "email_verified": False},
            "You may not enter: whoever signed you in does not know whether ann@example.org is your address.",
        ),
        (
            {"email": "**bob**\n# x@a.ward.example.org", "email_verified": True},
            "You may not enter: **bob** # x@a.ward.example.org is not on the list of this app's owner.",
        ),
    ],
)
def test_whoever_is_not_on_the_list_reads_why_and_can_sign_out(
    app: str, page: Page, provider: Provider, claims: dict[str, object], told: str
) -> None:
    provider.claims = claims
    sign_in(page, app)
    expect(page.get_by_test_id("stAlert")).to_be_visible()
    assert page.get_by_test_id("stAlert").inner_text().replace("\u2060", "") == told
    for path in PATHS:
        page.goto(f"{app}/{path}?run={RUN}")
        expect(page.get_by_test_id("stAlert")).to_be_visible()
        expect(page.get_by_role("heading")).to_have_text(["X-Lite"])
        expect(page.get_by_test_id("stSidebar")).to_have_count(0)
        assert RUN not in page.locator("body").inner_text()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{app}/")
    is_closed(page)


def way_in(client: httpx.Client, app: str) -> str:
    """The address that the provider would send this client back to."""
    claims = {"provider": "default", "exp": int(time.time()) + 60}
    token = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(COOKIE_SECRET))
    asked = client.get(f"{app}/auth/login", params={"provider": token})
    assert asked.status_code == 302
    found = re.search(r'href="([^"]*)"', client.get(asked.headers["location"]).text)
    assert found is not None
    return html.unescape(found[1])


def signed_in(client: httpx.Client, back: str) -> bool:
    """Whether the app takes the client for somebody after that request."""
    answer = client.get(back)
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    return any(name.startswith("_streamlit_user") for name in client.cookies)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30) as client:
        yield client


def test_an_honest_token_lets_in(app: str, client: httpx.Client) -> None:
    assert signed_in(client, way_in(client, app))


def test_a_token_that_another_key_signed_is_refused(
    app: str, client: httpx.Client, provider: Provider
) -> None:
    provider.key = RSAKey.generate_key(2048, {"kid": "one"})
    assert not signed_in(client, way_in(client, app))


WRONG = {
    "another nonce": {"nonce": "of-another-sign-in"},
    "another audience": {"aud": "another-app"},
    "another issuer": {"iss": "http://127.0.0.1:1"},
    "expired": {"exp": 1_700_000_000},
}


@pytest.mark.parametrize("what", WRONG)
def test_a_token_of_another_sign_in_is_refused(
    app: str, client: httpx.Client, provider: Provider, what: str
) -> None:
    provider.claims = ANN | WRONG[what]
    assert not signed_in(client, way_in(client, app))


def test_a_forged_callback_is_refused(app: str, client: httpx.Client) -> None:
    assert not signed_in(client, f"{app}/oauth2callback?code=x&state=made-up")
    assert not signed_in(client, f"{app}/oauth2callback?code=x")
    back = way_in(client, app)
    with httpx.Client(timeout=30) as other:  # somebody is lured into the sign-in of somebody else
        assert not signed_in(other, back)
    assert not signed_in(client, back.replace("state=", "state=x"))
    assert signed_in(client, back)
    client.cookies.clear()
    assert not signed_in(client, back)  # a second time


def test_the_way_back_passes_the_guard_of_names(app: str, client: httpx.Client) -> None:
    back = f"{app}/oauth2callback?code=x&state=made-up"
    assert client.get(back).status_code == 302
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        assert client.get(back, headers=headers).status_code == 403


def seen(app: str, path: str, cookies: dict[str, str]) -> bytes:
    """All that the server sends over a socket to somebody who asks for a page."""

    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    token = cookies.get("_streamlit_xsrf", "none")
    asked, said = BackMsg(), b""
    asked.rerun_script.query_string = f"run={RUN}"
    asked.rerun_script.page_name = path
    with connect(
        f"{app.replace('http', 'ws')}/_stcore/stream",
        origin=app,
        subprotocols=["streamlit", token],
        additional_headers=headers,
        max_size=None,
    ) as socket:
        socket.send(asked.SerializeToString())
        while True:
            message = socket.recv(60)
            said += message
            if ForwardMsg.FromString(message).HasField("script_finished"):
                return said


def test_a_socket_without_the_cookie_sees_nothing_of_the_home(
    app: str, page: Page, home: Path, client: httpx.Client
) -> None:
    sign_in(page, app)
    page.wait_for_timeout(1000)
    own = {cookie["name"]: cookie["value"] for cookie in page.context.cookies(app)}
    assert RUN.encode() in seen(app, "runs", own)
    key = {name: value for name, value in own.items() if name == "_streamlit_user"}
    assert list(key) == ["_streamlit_user"]
    rest = {name: value for name, value in own.items() if name not in key}
    payload = json.dumps({**ANN, "origin": app, "is_logged_in": True, "provider": "default"})
    signed = create_signed_value("another secret of 32 characters..", "_streamlit_user", payload)
    forged = {"_streamlit_user": signed.decode()}
    for cookies, paths in (({}, PATHS), *((some, ("", "runs")) for some in (rest, rest | forged, key))):
        for path in paths:
            said = seen(app, path, cookies)
            assert b"Sign in" in said
            for word in (RUN, "a-model-of-ours", "films-of-the-ward", str(home)):
                assert word.encode() not in said.replace(f"run={RUN}".encode(), b""), (path, word)


def test_no_secret_is_logged_or_sent(app: str, page: Page, home: Path, client: httpx.Client) -> None:
    sign_in(page, app)
    back = way_in(client, app)
    assert signed_in(client, back)
    own = {cookie["name"]: cookie["value"] for cookie in page.context.cookies(app)}
    said = b"".join(seen(app, path, own) for path in PATHS)
    log = (home / "app.log").read_text()
    for secret in (COOKIE_SECRET, CLIENT_SECRET):
        assert secret not in log and secret.encode() not in said
    assert back.partition("code=")[2].partition("&")[0] not in log


def refused(folder: Path, *options: str, **more: str) -> str:
    """What the server says on ending at once, in one sentence."""
    environment = {name: value for name, value in os.environ.items() if name != "XLITE_MEMBERS"} | more
    done = subprocess.run(
        [sys.executable, "-m", "xlite", "app", "--server.headless", "true", *options],
        cwd=folder,
        env={"PYTHONPATH": str(bundled()), **environment},
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: ") and COOKIE_SECRET not in done.stderr + done.stdout
    return last.removeprefix("Error: ")


def test_what_would_leave_the_door_open_ends_the_server(provider: Provider, tmp_path: Path) -> None:
    """Streamlit itself goes on without a sign-in if it cannot read the secrets."""
    nowhere = tmp_path / "secret.toml"
    assert refused(tmp_path, "--secrets.files", str(nowhere)) == (
        f"there are no secrets at {nowhere}, where they are said to be"
    )
    broken = secrets_file(tmp_path, provider)
    broken.write_text(broken.read_text().replace('"http', "http"))
    assert refused(tmp_path, "--secrets.files", str(broken)) == (
        f"the secrets in {broken} cannot be read: they are not TOML (at line 2, column 16)"
    )
    assert refused(tmp_path, XLITE_MEMBERS="ann@example.org") == (
        "XLITE_MEMBERS lists who may enter, but nobody signs in: write [auth] as docs/DEPLOY.md says"
    )
    # From the folder where the app is started, too.
    (tmp_path / ".streamlit").mkdir()
    secrets_file(tmp_path / ".streamlit", provider, client_id="")
    assert refused(tmp_path) == ("[auth] of the secrets lacks client_id, as a text each: see docs/DEPLOY.md")
    secrets_file(tmp_path / ".streamlit", provider)
    assert refused(tmp_path, XLITE_MEMBERS="example.org").startswith("XLITE_MEMBERS holds 'example.org'")


def test_without_its_library_the_app_says_what_to_install(provider: Provider, tmp_path: Path) -> None:
    hiding = tmp_path / "hiding"
    hiding.mkdir()
    (hiding / "sitecustomize.py").write_text(
        "import importlib.util\n"
        "real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, package=None: "
        "None if name == 'authlib' else real(name, package)\n"
    )
    path = os.pathsep.join([str(hiding), os.environ.get("PYTHONPATH") or str(bundled())])
    told = refused(tmp_path, "--secrets.files", str(secrets_file(tmp_path, provider)), PYTHONPATH=path)
    assert told == (
        "[auth] of the secrets needs authlib, which is not installed: pip install 'xlite-cxr[sign-in]'"
    )
