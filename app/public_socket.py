"""What browsers of strangers may ask of Streamlit itself, and what its answers do not tell them.

Streamlit's socket also empties the caches of all visitors, tells the state of a git checkout, and names the
script that it runs by its path, whatever the pages offer.
"""

from google.protobuf.message import DecodeError
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

ASKED = ("rerun_script", "stop_script", "file_urls_request", "app_heartbeat", "backend_operation_request")
"""What a page needs: to be drawn, to be left alone, to take uploads, to know that the server is there."""
OPERATIONS = ("deferred_file", "dataframe_chunk")
"""What it needs besides: files that are made when they are wanted, and the rest of a long table."""
_METRICS = "/_stcore/metrics"


class PublicSocket:
    """Drops the messages of strangers that no page sends, and takes the script's path out of the answers.

    `script` is that path. Streamlit's own metrics, which name its functions, are not there (404).
    """

    def __init__(self, app: ASGIApp, script: str) -> None:
        self.app = app
        self.script = script
        self._marks = script.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on."""
        if scope["type"] == "http" and scope["path"].rstrip("/").endswith(_METRICS):
            await PlainTextResponse("Not found", 404)(scope, receive, send)
            return
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return

        async def asked() -> Message:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive" or may_ask(message.get("bytes") or b""):
                    return message

        async def told(message: Message) -> None:
            data = message.get("bytes") or b""
            if self._marks in data:
                message = {**message, "bytes": self._without_path(data)}
            await send(message)

        await self.app(scope, asked, told)

    def _without_path(self, told: bytes) -> bytes:
        """The message, and in it of the script its name alone."""
        message = ForwardMsg.FromString(told)
        if message.new_session.main_script_path == self.script:
            message.new_session.main_script_path = self.script.replace("\\", "/").rpartition("/")[2]
        data = message.SerializeToString()
        assert isinstance(data, bytes)
        return data


def may_ask(data: bytes) -> bool:
    """Whether a page sends messages of that kind; Streamlit itself refuses all others."""
    try:
        message = BackMsg.FromString(data)
    except DecodeError:
        return True
    kind = message.WhichOneof("type")
    if kind == "backend_operation_request":
        return message.backend_operation_request.WhichOneof("payload") in OPERATIONS
    return kind in ASKED
