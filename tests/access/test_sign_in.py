"""What an owner's `[auth]` must hold: what would let in nobody, or anybody, is refused in one sentence."""

import tomllib

import pytest

from xlite.access.sign_in import check_sign_in, unreadable
from xlite.errors import RunError

SECRET = "vTq2-Zw8m_LrB4xKcD7hYpJ3nFs6Ga1e"
GOOD = {
    "redirect_uri": "https://xray.example.org/oauth2callback",
    "cookie_secret": SECRET,
    "client_id": "xlite",
    "client_secret": "b9Rk-2mWx",
    "server_metadata_url": "https://id.example.org/.well-known/openid-configuration",
}
NAMES = {"xray.example.org"}


def refused(auth: object, names: set[str] = NAMES) -> str:
    """The sentence, which has no secret in it."""
    with pytest.raises(RunError) as error:
        check_sign_in(auth, names)
    told = str(error.value)
    assert SECRET not in told and "b9Rk-2mWx" not in told
    return told


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"redirect_uri": "https://XRAY.example.org:8443/app/oauth2callback"},
        {"redirect_uri": "http://localhost:8501/oauth2callback"},
        {"redirect_uri": "http://localhost:{port}/oauth2callback"},
        {"redirect_uri": "http://127.0.0.1:8501/oauth2callback"},
        {"redirect_uri": "https://192.0.2.7/oauth2callback"},
        {"server_metadata_url": "http://127.0.0.1:9000/.well-known/openid-configuration"},
        {"server_metadata_url": "https://id.example.org/.well-known/openid-configuration?p=policy"},
        {"client_kwargs": {"prompt": "login"}},
    ],
)
def test_what_works_is_taken(more: dict[str, object]) -> None:
    check_sign_in(GOOD | more, NAMES)


@pytest.mark.parametrize("auth", [None, "xlite", [], {}, {"google": GOOD}])
def test_a_section_without_its_keys_is_refused(auth: object) -> None:
    assert refused(auth) == (
        "[auth] of the secrets lacks redirect_uri, cookie_secret, client_id, client_secret, "
        "server_metadata_url, as a text each: see docs/DEPLOY.md"
    )


@pytest.mark.parametrize("key", GOOD)
@pytest.mark.parametrize("value", ["", "  ", 7, None, ["x"]])
def test_a_key_without_a_text_is_named(key: str, value: object) -> None:
    assert refused(GOOD | {key: value}).startswith(f"[auth] of the secrets lacks {key}, as a text")


@pytest.mark.parametrize("secret", ["xxx", SECRET[:31], "x" * 64, "changeme-" * 5, "1234567890" * 4])
def test_a_cookie_secret_that_is_guessed_is_refused(secret: str) -> None:
    told = refused(GOOD | {"cookie_secret": secret})
    assert told.startswith("cookie_secret of [auth] is easily guessed") and secret not in told


@pytest.mark.parametrize(
    "uri",
    [
        *("http://xray.example.org/oauth2callback", "xray.example.org/oauth2callback", "/oauth2callback"),
        *("https://xray.example.org/", "https://xray.example.org/oauth2callback/", "https:///oauth2callback"),
        *("https://xray.example.org/?x=/oauth2callback", "https://xray.example.org/#/oauth2callback"),
        *("https://me@xray.example.org/oauth2callback", "https://[::1/oauth2callback"),
        "javascript://xray.example.org/oauth2callback",
    ],
)
def test_a_way_back_that_leads_nowhere_is_refused(uri: str) -> None:
    assert refused(GOOD | {"redirect_uri": uri}) == (
        f"redirect_uri of [auth] is {uri!r}; expected https://NAME/oauth2callback "
        "(http://localhost:PORT/oauth2callback on this machine alone)"
    )


def test_a_way_back_to_a_name_that_the_app_does_not_have_is_refused() -> None:
    assert refused(GOOD, set()) == (
        "redirect_uri of [auth] leads to xray.example.org, by which the app does not answer: "
        "set XLITE_HOSTS=xray.example.org"
    )


@pytest.mark.parametrize("url", ["http://id.example.org/x", "id.example.org/x", "file:///etc/x", "https://"])
def test_a_provider_that_anybody_on_the_way_could_play_is_refused(url: str) -> None:
    assert refused(GOOD | {"server_metadata_url": url}) == (
        "server_metadata_url of [auth] is not an address with https:// (http:// on this machine alone)"
    )


def test_a_fault_of_the_file_is_placed_and_not_quoted() -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as error:
        tomllib.loads(f'[auth]\nclient_id = "xlite"\ncookie_secret = {SECRET}\n')
    assert unreadable(["a.toml", "b.toml"], error.value) == (
        "the secrets in a.toml and b.toml cannot be read: they are not TOML (at line 3, column 17)"
    )
    assert unreadable(["a.toml"], ValueError(SECRET)) == (
        "the secrets in a.toml cannot be read: they are not TOML"
    )
    assert unreadable(
        ["a.toml"], FileNotFoundError(f"Error parsing a.toml: {SECRET} (at line 1, column 2)")
    ) == ("the secrets in a.toml cannot be read: they are not TOML (at line 1, column 2)")
    denied = PermissionError(13, "Permission denied", "a.toml")
    assert unreadable(["a.toml"], denied) == (
        "the secrets in a.toml cannot be read: no permission to use a.toml: Permission denied"
    )
