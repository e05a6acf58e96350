"""Who may enter, by the claims that a provider makes of them: the list, and tricks to be on it."""

import pytest

from xlite.access.members import owner_members, refusal, visitor
from xlite.errors import RunError

MEMBERS = frozenset({"ann@example.org", "@ward.example.org"})
WITHOUT = "You signed in without an e-mail address, and this app's owner lists by address who may enter."


def test_nobody_is_listed_unless_the_owner_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLITE_MEMBERS", raising=False)
    assert owner_members() == frozenset()
    monkeypatch.setenv("XLITE_MEMBERS", "")
    assert owner_members() == frozenset()


@pytest.mark.parametrize(
    "said",
    [
        "ann@example.org,@ward.example.org",
        "  Ann@Example.ORG ,, @WARD.example.org,",
        "ann@example.org @ward.example.org",
        "ann@example.org,\n@ward.example.org,ann@example.org",
    ],
)
def test_addresses_and_domains_are_listed_in_lower_case(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLITE_MEMBERS", said)
    assert owner_members() == MEMBERS


@pytest.mark.parametrize(
    "word",
    [
        *("example.org", "ann", "@", "ann@", "@@example.org", "ann@@example.org", "ann@example.org@x.org"),
        *("*@example.org", "@*.example.org", "@.example.org", "@example..org", "@example.org.", "*"),
        *(
            "ann@ex_ample.org",
            "ann@[192.0.2.1]",
            "<ann@example.org>",
            "Ann;@example.org",
            "ann@ex\u00e4mple.org",
        ),
        *("@\u0435xample.org", "\u212aim@example.org", '"ann@x"@example.org', "mailto:ann@example.org"),
    ],
)
def test_what_lists_nobody_is_refused_by_name(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLITE_MEMBERS", f"ann@example.org,{word}")
    with pytest.raises(RunError) as error:
        owner_members()
    assert str(error.value) == (
        f"XLITE_MEMBERS holds {word!r}; expected addresses and domains with commas between, "
        "such as ann@example.org,@ward.example.org"
    )


@pytest.mark.parametrize("said", [",", " ", " , ,", "\n"])
def test_a_list_of_nobody_is_no_open_door(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLITE_MEMBERS", said)
    with pytest.raises(RunError, match="names nobody"):
        owner_members()


@pytest.mark.parametrize(
    "email",
    [
        *("ann@example.org", "ANN@EXAMPLE.ORG", "Ann@example.org", "bob@ward.example.org"),
        *("BOB+films@Ward.Example.Org", "o'neil@ward.example.org", "a.b-c_d@ward.example.org"),
    ],
)
@pytest.mark.parametrize("verified", [{}, {"email_verified": True}, {"email_verified": "true"}])
def test_those_on_the_list_may_enter(email: str, verified: dict[str, object]) -> None:
    assert refusal({"email": email, **verified}, MEMBERS) is None


@pytest.mark.parametrize(
    "email",
    [
        # others of the same domain, and near names
        *(
            "bob@example.org",
            "ann@example.com",
            "ann@example.org.uk",
            "aann@example.org",
            "ann+x@example.org",
        ),
        *("ann.@example.org", "a.nn@example.org", "ann@xexample.org", "ann@x.example.org", "ann@example"),
        # sub-domains, super-domains, and domains that end or begin alike
        *("bob@a.ward.example.org", "bob@evilward.example.org", "bob@ward.example.org.evil.example"),
        *("bob@ward.example.organic", "bob@ward-example.org", "bob@wardxexample.org", "bob@org"),
        # two signs, quotes, comments, and what follows an end of line
        *(
            "ann@example.org@evil.example",
            "evil@evil.example@ward.example.org",
            '"ann@example.org"@evil.example',
        ),
        *('"x@evil.example"@ward.example.org', "x@evil.example(@ward.example.org", "ann@example.org\n"),
        *("evil@evil.example\nbob@ward.example.org", "bob@ward.example.org\x00", "x\x00@ward.example.org"),
        *(
            "bob@ward.example.org,ann@example.org",
            "<ann@example.org>",
            "Ann <ann@example.org>",
            "*@ward.example.org",
        ),
        # spaces, also those that nobody sees
        *(
            " ann@example.org",
            "ann@example.org ",
            "an n@example.org",
            "ann@ example.org",
            "ann\u200b@example.org",
        ),
        *("ann@example.org\u00a0", "\ufeffann@example.org", "bob@ward.example.org\u2060"),
        # letters that look alike, or become alike in lower case
        *("\u0430nn@example.org", "ann@\u0435xample.org", "ann@example\u3002org", "ann@example\uff0eorg"),
        *(
            "a\uff4en@example.org",
            "ann\uff20example.org",
            "bob@w\u00e4rd.example.org",
            "bob@xn--wrd-qla.example.org",
        ),
        # half of an address
        *(
            "@ward.example.org",
            "ann@",
            "@",
            "ann",
            "ann@example.org.",
            "bob@.ward.example.org",
            "bob@ward..example.org",
        ),
    ],
)
def test_whoever_only_looks_like_them_may_not(email: str) -> None:
    told = f"You may not enter: {email} is not on the list of this app's owner."
    assert refusal({"email": email, "email_verified": True}, MEMBERS) == told


def test_a_letter_that_becomes_another_in_lower_case_is_not_that_one() -> None:
    assert "\u212aim@example.org".lower() == "kim@example.org"
    assert refusal({"email": "\u212aim@example.org"}, {"kim@example.org"}) is not None
    assert refusal({"email": "Kim@example.org"}, {"kim@example.org"}) is None


@pytest.mark.parametrize("email", ["", None, 7, ["ann@example.org"], {"ann@example.org": True}, True])
def test_without_an_address_nobody_on_a_list_is_known(email: object) -> None:
    assert refusal({"email": email, "email_verified": True}, MEMBERS) == WITHOUT
    assert refusal({"sub": "1", "name": "ann@example.org"}, MEMBERS) == WITHOUT


@pytest.mark.parametrize("verified", [False, None, 0, 1, "", "false", "True", "yes", [True]])
def test_an_address_that_nobody_verified_is_nobodys(verified: object) -> None:
    assert refusal({"email": "ann@example.org", "email_verified": verified}, MEMBERS) == (
        "You may not enter: whoever signed you in does not know whether ann@example.org is your address."
    )


def test_without_a_list_whoever_signed_in_may_enter() -> None:
    assert refusal({"sub": "1"}, frozenset()) is None
    assert refusal({"email": "bob@evil.example", "email_verified": False}, frozenset()) is None


def test_a_visitor_is_called_by_their_address_or_what_else_there_is() -> None:
    claims = {"email": "", "preferred_username": 3, "name": "Ann Example", "sub": "81f2"}
    assert visitor({**claims, "email": "ann@example.org"}) == "ann@example.org"
    assert visitor(claims) == "Ann Example"
    assert visitor({"sub": "81f2"}) == "81f2"
    assert visitor({"name": "  "}) == "a visitor without a name"
