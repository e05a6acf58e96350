"""A client's half of the connection: it asks the server for messages and answers with what its app says."""

import logging
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

import httpx
from flwr.app import Context, Error, Message, RecordDict
from flwr.app.message import remove_content_from_message
from flwr.clientapp import ClientApp
from flwr.common.constant import HEARTBEAT_PATIENCE, ErrorCode
from flwr.common.serde import message_from_proto, message_to_proto
from flwr.proto.fleet_pb2 import (
    ActivateNodeRequest,
    DeactivateNodeRequest,
    PullMessagesRequest,
    PushMessagesRequest,
    RegisterNodeFleetRequest,
)
from flwr.proto.heartbeat_pb2 import SendNodeHeartbeatRequest
from flwr.proto.message_pb2 import PullObjectRequest
from flwr.proto.node_pb2 import Node as NodeProto
from flwr.supercore.inflatable.inflatable_object import get_all_nested_objects, get_object_tree
from flwr.supercore.inflatable.inflatable_protobuf_utils import (
    make_confirm_message_received_fn_protobuf,
    make_pull_object_fn_protobuf,
    make_push_object_fn_protobuf,
)
from flwr.supercore.inflatable.inflatable_utils import (
    ObjectPullError,
    ObjectPushError,
    pull_and_inflate_object_from_tree,
    push_objects,
)
from flwr.supercore.primitives.asymmetric import generate_key_pairs, public_key_to_bytes
from flwr.supernode.fleet_http_client import FleetHttpClient
from flwr.supernode.node_auth_http_interceptor import NodeAuthHttpInterceptor

from xlite.errors import RunError, XliteError
from xlite.federated.keys import read_private_key
from xlite.files import read_file
from xlite.text import in_one_line

log = logging.getLogger(__name__)

POLL_S = 0.5
"""How often a client asks for a message."""
HEARTBEAT_S = 10.0
"""How often a client says that it lives."""
GONE_S = HEARTBEAT_S * HEARTBEAT_PATIENCE
"""After how long without that it is gone."""

_RUNNING = "is it running, at this address, with this certificate and key?"

_RETRY_S = 2.0
_LAST_S = 60.0
"""How long the last answer is tried and waited for, as its server may have ended."""

_T = TypeVar("_T")


class Node:
    """A client's connection to one server; `patience_s`: how long it goes on trying while none answers."""

    def __init__(self, server: str, authority: Path, key: Path | None = None, patience_s: float = 600):
        self.server, self.patience_s, self.has_key = server, patience_s, key is not None
        private = read_private_key(key) if key else generate_key_pairs()[0]
        public = private.public_key()
        self.public = public_key_to_bytes(public)
        try:
            # As bytes: Flower hands a path on to httpx in a way that httpx gives up.
            self.fleet = FleetHttpClient.from_server_address(
                server, False, read_file(authority), interceptors=[NodeAuthHttpInterceptor(private, public)]
            )
        except (OSError, ValueError) as error:  # ssl.SSLError is one
            raise RunError(
                f"{authority} is not a certificate ({error}): ask the server's keeper for its server.pem"
            ) from error
        self.me: Any = None

    def run(self, app: ClientApp, ended: Callable[[], bool]) -> None:
        """Answers the server's messages until `ended` is true after one of them.

        RunError if the server cannot be reached, or does not let this client take part. What X-Lite refuses
        while it answers is sent to the server as an error, and raised.
        """
        over = Event()
        heart = Thread(target=self._beat, args=(over,), name="heartbeat", daemon=True)
        heart.start()
        try:
            self._persist(self._join)
            while not ended():
                message = self._persist(self._receive)
                if message is None:
                    time.sleep(POLL_S)
                else:
                    self._answer(app, message, ended)
        finally:
            over.set()
            self._leave()

    def _answer(self, app: ClientApp, message: Message, ended: Callable[[], bool]) -> None:
        context = Context(message.metadata.run_id, self.me.node_id, {}, RecordDict(), {})
        try:
            reply = app(message, context)
            self._send(reply, last=ended())
        except XliteError as error:
            said = Error(ErrorCode.CLIENT_APP_RAISED_EXCEPTION, str(error))
            self._send(Message(said, reply_to=message), last=True)
            raise

    def _join(self) -> None:
        """Makes this client known to the server."""
        if not self.has_key:
            self.fleet.RegisterNode(RegisterNodeFleetRequest(public_key=self.public))
        told = self.fleet.ActivateNode(
            ActivateNodeRequest(public_key=self.public, heartbeat_interval=HEARTBEAT_S)
        )
        self.me = NodeProto(node_id=told.node_id)
        log.info("Connected to %s", self.server)

    def _receive(self) -> Message | None:
        """The next message for this client, if there is one."""
        told = self.fleet.PullMessages(PullMessagesRequest(node=self.me))
        if not told.messages_list:
            return None
        run, tree = message_from_proto(told.messages_list[0]).metadata.run_id, told.message_object_trees[0]
        message = pull_and_inflate_object_from_tree(
            tree,
            make_pull_object_fn_protobuf(self.fleet.PullObject, self.me, run),
            make_confirm_message_received_fn_protobuf(self.fleet.ConfirmMessageReceived, self.me, run),
            return_type=Message,
        )
        message.metadata.__dict__["_message_id"] = tree.object_id  # what travels does not hold its own id
        return message

    def _send(self, reply: Message, last: bool = False) -> None:
        """Sends a reply, the `last` one until it has arrived; says so if the server takes it no more."""
        reply.metadata.__dict__["_message_id"] = reply.object_id  # as Flower's own nodes do
        tree, objects = get_object_tree(reply), get_all_nested_objects(reply)
        head = message_to_proto(remove_content_from_message(reply))
        request = PushMessagesRequest(
            node=self.me,
            messages_list=[head],
            message_object_trees=[tree],
            clientapp_runtime_list=[0.0],
        )

        def push() -> None:
            told, run = self.fleet.PushMessages(request), reply.metadata.run_id
            push_objects(
                dict(objects),
                make_push_object_fn_protobuf(self.fleet.PushObject, self.me, run, told.session_id),
                object_ids_to_push=set(told.objects_to_push),
            )

        try:
            if last:
                self._push_last(push)
                self._await_taken(reply)
            else:
                self._persist(push, again=False)
        except httpx.ConnectError:  # the last answer alone: others are tried until the server answers
            log.info("The server has ended before it took this answer")
        except httpx.HTTPStatusError as error:
            log.warning("Warning: the server takes this answer no more (%s)", _said(error))
        except (ObjectPushError, ObjectPullError, httpx.HTTPError) as error:
            log.warning("Warning: the server takes this answer no more (%s)", error)

    def _push_last(self, push: Callable[[], None]) -> None:
        """Tries until the server has the last answer, or nobody is at its address any more: it has ended."""
        end = time.monotonic() + min(self.patience_s, _LAST_S)
        while True:
            try:
                return push()
            except httpx.ConnectError:
                raise
            except httpx.TransportError:
                if time.monotonic() >= end:
                    raise
            time.sleep(POLL_S)

    def _await_taken(self, reply: Message) -> None:
        """Waits until the server has taken the last answer: it drops those of clients that have left.

        Such an answer is none of the server's objects any more. What fails means that the server has ended.
        """
        request = PullObjectRequest(node=self.me, run_id=reply.metadata.run_id, object_id=reply.object_id)
        end = time.monotonic() + min(self.patience_s, _LAST_S)
        while time.monotonic() < end:
            try:
                if not self.fleet.PullObject(request).object_found:
                    return
            except (httpx.ConnectError, httpx.HTTPStatusError):
                return
            except httpx.TransportError as error:
                log.debug("%s", error)
            time.sleep(POLL_S)

    def _persist(self, ask: Callable[[], _T], again: bool = True) -> _T:
        """Asks until the server answers, and joins again if it has forgotten this client.

        RunError after `patience_s`, at once if only members are let in. Without `again` an answer that is a
        refusal is raised.
        """
        end, told = time.monotonic() + self.patience_s, False
        while True:
            try:
                return ask()
            except httpx.TransportError as error:
                why, hint = f"{self.server} does not answer ({error})", _RUNNING
            except httpx.HTTPStatusError as error:
                if not again:
                    raise
                why, hint = self._refused(error)
                forgotten = error.response.status_code == HTTPStatus.UNAUTHORIZED
                if forgotten and ask != self._join and time.monotonic() < end:
                    self._persist(self._join)
                    continue
            if time.monotonic() >= end:
                raise RunError(f"{why}: {hint}")
            if not told:
                log.warning("Warning: %s; trying again for %.0f s", why, self.patience_s)
                told = True
            time.sleep(_RETRY_S)

    def _refused(self, error: httpx.HTTPStatusError) -> tuple[str, str]:
        """Why the server refuses this client, and what to do; RunError if trying again is in vain."""
        status = error.response.status_code
        if status == HTTPStatus.FORBIDDEN:
            lacking = "this key is none of theirs" if self.has_key else "this client has none"
            raise RunError(
                f"{self.server} lets in only members, by their keys, and {lacking}: send the public half of "
                "the key that you name by --key to the server's keeper, for its --member"
            ) from error
        if status == HTTPStatus.PRECONDITION_FAILED and self.has_key:
            why = f"a client with this key is connected to {self.server}, or died less than {GONE_S:g} s ago"
            return why, "stop it, or give this one a key of its own"
        return f"{self.server} refuses this client ({error.response.text:.200})", _RUNNING

    def _beat(self, over: Event) -> None:
        """Tells the server again and again that this client lives; what fails is tried again at once."""
        wait = HEARTBEAT_S / 2
        while not over.wait(wait):
            if self.me is not None:
                request = SendNodeHeartbeatRequest(node=self.me, heartbeat_interval=HEARTBEAT_S)
                told = self._quietly(partial(self.fleet.SendNodeHeartbeat, request))
                wait = HEARTBEAT_S / 2 if told else POLL_S

    def _leave(self) -> None:
        if self.me is not None:
            self._quietly(partial(self.fleet.DeactivateNode, DeactivateNodeRequest(node_id=self.me.node_id)))
        self.fleet.close()

    def _quietly(self, ask: Callable[[], object]) -> bool:
        """Whether the server answered; whoever asks for a message notices what is wrong."""
        try:
            ask()
        except httpx.HTTPError as error:
            log.debug("%s", error)
            return False
        return True


def _said(error: httpx.HTTPStatusError) -> str:
    """Why a server takes no answer: httpx's own words are of many lines, with a link."""
    if error.response.status_code == HTTPStatus.UNAUTHORIZED:
        return "it was started again, and does not know this client yet"
    return in_one_line(error.response.text)[:200] or f"status {error.response.status_code}"
