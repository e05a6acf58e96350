"""A visitor of the app's server who speaks Streamlit's protocol without a browser, and may say anything."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from urllib.parse import urlencode, urlparse

import httpx
from google.protobuf.message import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect

XSRF = "_streamlit_xsrf"
PATIENCE_S = 120.0
_ANEW = httpx.Limits(max_keepalive_connections=0)
"""A connection that is kept may be closed by the server at the moment in which it is used again."""


class Visitor:
    """One session: its messages since the page was last drawn, raw and parsed, and what it has said."""

    def __init__(self, address: str, session: str = "") -> None:
        self._open = ExitStack()
        self.http = self._open.enter_context(httpx.Client(base_url=address, timeout=PATIENCE_S, limits=_ANEW))
        self.http.get("/_stcore/health")
        token = self.http.cookies[XSRF]
        words = ["streamlit", token, *([session] if session else [])]
        place = urlparse(address).netloc
        self.socket = self._open.enter_context(
            connect(f"ws://{place}/_stcore/stream", subprotocols=words, origin=address, max_size=None)
        )
        self.raw: list[bytes] = []
        self.seen: list[ForwardMsg] = []
        self.states: dict[str, WidgetState] = {}
        self.session = ""

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leaves, as a closed tab does."""
        self._open.close()

    def say(self, message: BackMsg) -> None:
        """Sends a message, whatever it is."""
        self.socket.send(message.SerializeToString())

    def hear(self, timeout: float = PATIENCE_S) -> ForwardMsg:
        """The next message of the server. TimeoutError if none comes."""
        data = self.socket.recv(timeout)
        assert isinstance(data, bytes)
        self.raw.append(data)
        self.seen.append(ForwardMsg.FromString(data))
        if started := self.seen[-1].new_session.initialize.session_id:
            self.session = started
        return self.seen[-1]

    def draw(self, page: str = "", fragment: str = "", **query: str | Sequence[str]) -> "Visitor":
        """Has a page drawn to its end, with that address, and what was said of its widgets."""
        self.raw, self.seen = [], []
        message = BackMsg()
        asked = message.rerun_script
        asked.page_name, asked.query_string = page, urlencode(query, doseq=True)
        asked.fragment_id = fragment
        asked.widget_states.widgets.extend(self.states.values())
        self.say(message)
        ended = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
        while not (self.hear().HasField("script_finished") and self.seen[-1].script_finished in ended):
            pass
        return self

    def elements(self, kind: str) -> Iterator[Message]:
        """The elements of a kind on the page, such as `metric`, in the order in which they came."""
        for message in self.seen:
            element = message.delta.new_element
            if element.WhichOneof("type") == kind:
                yield getattr(element, kind)

    def text(self) -> str:
        """Every text of the page."""
        return "\n".join(one for message in self.seen for one in texts_of(message))

    def unfold(self) -> None:
        """Opens whatever is folded on the page that was drawn, which knows of it when drawn again."""
        for message in self.seen:
            if folded := message.delta.add_block.expandable.id:
                self.states[folded] = WidgetState(id=folded, bool_value=True)

    def upload(self, name: str, data: bytes) -> FileURLs:
        """Puts a film into the uploader of the page that was drawn, which knows of it when drawn again."""
        [uploader] = self.elements("file_uploader")
        message = BackMsg()
        message.file_urls_request.request_id = "one"
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self.session
        self.say(message)
        while not self.hear().HasField("file_urls_response"):
            pass
        [place] = self.seen[-1].file_urls_response.file_urls
        state = WidgetState(id=uploader.id)
        info = state.file_uploader_state_value.uploaded_file_info.add()
        info.name, info.size, info.file_id = name, len(data), place.file_id
        info.file_urls.CopyFrom(place)
        self.states[uploader.id] = state
        put = self.http.put(
            place.upload_url, files={"file": (name, data)}, headers={"X-Xsrftoken": self.http.cookies[XSRF]}
        )
        assert put.status_code == 204, put.text
        return place

    def media(self) -> set[str]:
        """The addresses of the pictures and files that the page shows."""
        return set(re.findall(r"/media/[0-9a-f]+\.\w+", self.text()))


def texts_of(message: Message) -> Iterator[str]:
    """Every text in a message, however deep."""
    for field, value in message.ListFields():
        several = value if field.is_repeated else [value]
        for one in several.values() if hasattr(several, "values") else several:
            if isinstance(one, Message):
                yield from texts_of(one)
            elif isinstance(one, str):
                yield one
