"""Who may enter an app whose visitors sign in: the addresses and the domains that its owner lists."""

import os
import re
from collections.abc import Mapping, Set

from xlite.errors import RunError

_ADDRESS = re.compile(r"[\w.!#$%&'+/=?^`{|}~-]+(?P<domain>@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*)", re.ASCII)
"""An address in ASCII with a plain name before its one @: whoever looks like another is none."""
_EXPECTED = "expected addresses and domains with commas between, such as ann@example.org,@ward.example.org"


def owner_members() -> frozenset[str]:
    """The addresses and domains (`@example.org`) in XLITE_MEMBERS, in lower case; empty if all may enter.

    Raises RunError for what is neither, and for a list of nobody.
    """
    said = os.environ.get("XLITE_MEMBERS", "")
    words = said.replace(",", " ").split()
    if said and not words:
        raise RunError(f"XLITE_MEMBERS is {said!r} and names nobody; {_EXPECTED}")
    for word in words:
        if not _ADDRESS.fullmatch(f"all{word}" if word.startswith("@") else word):
            raise RunError(f"XLITE_MEMBERS holds {word!r}; {_EXPECTED}")
    return frozenset(map(str.lower, words))


def refusal(claims: Mapping[str, object], members: Set[str]) -> str | None:
    """Why somebody who signed in with these claims may not enter, in one sentence; None if they may.

    `members` are those of `owner_members`; if there are none, whoever signed in may enter. A domain has its
    own addresses alone, not those of its sub-domains. An address that is said not to be verified is nobody's.
    """
    if not members:
        return None
    said, verified = claims.get("email"), claims.get("email_verified", True)
    if not isinstance(said, str) or not said:
        return "You signed in without an e-mail address, and this app's owner lists by address who may enter."
    if verified is not True and verified != "true":
        return f"You may not enter: whoever signed you in does not know whether {said} is your address."
    found = _ADDRESS.fullmatch(said)  # before letters change: the Kelvin sign becomes a k
    if found and not members.isdisjoint({said.lower(), found["domain"].lower()}):
        return None
    return f"You may not enter: {said} is not on the list of this app's owner."


def visitor(claims: Mapping[str, object]) -> str:
    """What somebody who signed in is called: their address, else whatever else the claims call them."""
    names = (claims.get(key) for key in ("email", "preferred_username", "name", "sub"))
    return next(
        (name for name in names if isinstance(name, str) and name.strip()), "a visitor without a name"
    )
