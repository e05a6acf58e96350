import pytest

from xlite.errors import RunError
from xlite.pacs.peers import Peer, Senders, check_title


def test_a_destination_is_title_host_and_port() -> None:
    assert Peer.parse("ORTHANC@localhost:4242") == Peer("ORTHANC", "localhost", 4242)
    assert Peer.parse("A B@[::1]:104") == Peer("A B", "::1", 104)
    assert str(Peer.parse("A@[::1]:104")) == "A@[::1]:104"


@pytest.mark.parametrize(
    "text", ["", "A", "A@h", "A@h:0", "A@h:70000", "A@h:x", "@h:1", "A@h:1:2", "A@:1", "A" * 17 + "@h:1"]
)
def test_anything_else_is_said_in_a_sentence(text: str) -> None:
    with pytest.raises(RunError, match="is not (a destination; expected AE@HOST:PORT|an AE title)"):
        Peer.parse(text)


@pytest.mark.parametrize("title", ["", "   ", "A\\B", "Ä", "A\n", "A" * 17])
def test_a_title_is_what_the_standard_allows(title: str) -> None:
    with pytest.raises(RunError, match="is not an AE title"):
        check_title(title)


def test_who_may_send() -> None:
    assert Senders().may("ANY", "192.0.2.1")
    senders = Senders.parse(["WARD@192.0.2.7", "PACS"])
    assert senders.may("WARD ", "192.0.2.7") and senders.may("WARD", "::ffff:192.0.2.7")
    assert not senders.may("WARD", "192.0.2.8") and not senders.may("OTHER", "192.0.2.7")
    assert senders.may("PACS", "192.0.2.8")


def test_a_host_that_is_not_known_is_a_sentence() -> None:
    with pytest.raises(RunError, match="the host no-such-host.invalid is not known"):
        Senders.parse(["WARD@no-such-host.invalid"])
