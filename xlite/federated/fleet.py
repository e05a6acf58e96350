"""The server's half of the connection: Flower's Fleet API over HTTPS, and messages through it.

Only that API is served, not Flower's others: nobody can send the server or a client code to run.
"""

import logging
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from threading import Thread

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from flwr.app import Message
from flwr.app.message import remove_content_from_message
from flwr.common.constant import NOOP_ACCOUNT_NAME, NOOP_FLWR_AID, SUPERLINK_NODE_ID
from flwr.proto.fleet_pb2 import ActivateNodeRequest, RegisterNodeFleetRequest
from flwr.server.superlink.linkstate import LinkState, LinkStateFactory
from flwr.supercore.constant import FLWR_IN_MEMORY_DB_NAME, NOOP_FEDERATION_ID, TaskType
from flwr.supercore.error import http_error_translator
from flwr.supercore.heartbeat import HeartbeatSender
from flwr.supercore.inflatable.inflatable_object import (
    get_all_nested_objects,
    get_object_tree,
    no_object_id_recompute,
)
from flwr.supercore.inflatable.inflatable_utils import (
    ObjectPullError,
    ObjectUnavailableError,
    pull_and_inflate_object_from_tree,
)
from flwr.supercore.object_store import NoObjectInStoreError, ObjectStoreFactory
from flwr.supercore.primitives.asymmetric import public_key_to_bytes
from flwr.supercore.protobuf.translation import ProtobufTranslationMiddleware
from flwr.supercore.task_identity import TaskIdentity
from flwr.superlink.federation import NoOpFederationManager
from flwr.superlink.routers.fleet.node_auth import NodeAuthMiddleware
from flwr.superlink.routers.fleet.router import router
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, DispatchFunction, RequestResponseEndpoint

from xlite.errors import RunError
from xlite.federated.keys import read_public_key

log = logging.getLogger(__name__)

POLL_S = 0.2
"""How often the server looks for replies."""

_START_S = 15.0
_IDLE_S = 60
"""How long the server leaves an idle connection open: longer than clients use one again (httpx, 5 s), as one
that both give up in the same moment loses the message that is on its way.
"""


class Fleet:
    """Clients that a server reaches, by the ids that Flower gives them, and messages to them."""

    def __init__(self, state: LinkState):
        self.state = state
        self.run_id = state.create_run(
            None, None, None, {}, NOOP_FEDERATION_ID, None, NOOP_FLWR_AID, TaskType.SERVER_APP
        )
        [run] = state.get_run_info(run_ids=[self.run_id])
        self.task_id = run.primary_task_id
        state.claim_task(self.task_id)
        state.activate_task(self.task_id)
        TaskIdentity.run_id, TaskIdentity.node_id = self.run_id, SUPERLINK_NODE_ID
        TaskIdentity.task_id = self.task_id

    def connected(self) -> dict[int, str]:
        """The clients that are connected now, by id: since when, as a client with a key keeps its id."""
        nodes = sorted(self.state.get_nodes(self.run_id))
        return {node.node_id: node.last_activated_at for node in self.state.get_node_info(node_ids=nodes)}

    def send_and_receive(self, messages: Sequence[Message], timeout: float) -> dict[int, Message]:
        """Sends the messages, one a client, and returns the replies by client that come in `timeout` seconds.

        A client that goes meanwhile gives a reply with an error, one that is too slow gives none.
        """
        # Not by the sender of a reply: what tells that a client is gone comes from Flower itself.
        waited = {self._push(message): message.metadata.dst_node_id for message in messages}
        replies, end = {}, time.monotonic() + timeout
        while waited and time.monotonic() < end:
            for reply in self._pull(set(waited)):
                replies[waited.pop(reply.metadata.reply_to_message_id)] = reply
            time.sleep(POLL_S if waited else 0)
        self.state.delete_messages(set(waited))  # whoever is late finds its message gone
        return replies

    def _push(self, message: Message) -> str:
        """Lays a message out for its client to take; returns its id."""
        message.metadata.__dict__["_message_id"] = message.object_id  # as Flower's own grids do
        identity: str = message.object_id
        with no_object_id_recompute():
            session = self.state.start_session(self.run_id)
            head, tree = remove_content_from_message(message), get_object_tree(message)
            _, missing = self.state.store_message_and_object_tree(head, tree, session)
            objects = get_all_nested_objects(message)
            for name in missing:
                self.state.store_object(self.run_id, session, name, objects[name].deflate())
        return identity

    def _pull(self, waited: set[str]) -> Iterator[Message]:
        """The replies to some messages that are there now, whole."""
        found = self.state.get_message_res(message_ids=waited, run_id=self.run_id)
        for head in found:
            try:
                tree = self.state.object_store.get_object_tree(head.metadata.message_id)
                yield pull_and_inflate_object_from_tree(
                    tree, self._object, self.state.object_store.delete, return_type=Message
                )
            except (NoObjectInStoreError, ObjectPullError) as error:  # it went while it sent
                log.warning("Warning: a reply of client %s is lost (%s)", head.metadata.src_node_id, error)
        self.state.delete_messages({head.metadata.reply_to_message_id for head in found})

    def _object(self, name: str) -> bytes:
        content: bytes | None = self.state.get_object(self.run_id, name)
        if not content:
            raise (ObjectUnavailableError if content == b"" else ObjectPullError)(name)
        return content


def read_keys(certificate: Path, key: Path, members: Sequence[Path]) -> list[bytes]:
    """The public keys of members. RunError if a file is none, or certificate and key are no pair."""
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        raise RunError(
            f"{certificate} and {key} are not a certificate and its key ({error}): make them as "
            "docs/FEDERATED.md says"
        ) from error
    return [public_key_to_bytes(read_public_key(path)) for path in members]


@contextmanager
def serving(
    address: tuple[str, int], certificate: Path, key: Path, members: Sequence[Path] = ()
) -> Iterator[Fleet]:
    """Serves clients over HTTPS at host and port while it lasts.

    certificate, key: PEM files of the server. members: the public keys (OpenSSH) of those who may take part;
    without any, whoever reaches the server may. RunError if the address is taken or a file is none.
    """
    keys = read_keys(certificate, key, members)
    link = LinkStateFactory(FLWR_IN_MEMORY_DB_NAME, NoOpFederationManager(), ObjectStoreFactory())
    state = link.state()
    for public in keys:
        state.create_node(NOOP_FLWR_AID, NOOP_ACCOUNT_NAME, public, 0)
    fleet = Fleet(state)
    server = uvicorn.Server(_settings(_app(link, bool(members)), address, certificate, key))
    thread = Thread(target=server.run, name="fleet")
    heart = HeartbeatSender(lambda: state.acknowledge_task_heartbeat(fleet.task_id))
    thread.start()
    try:
        _await_start(server, thread, address)
        heart.start()
        yield fleet
    finally:
        if heart.is_running:
            heart.stop()
        server.should_exit = True
        thread.join()


def _app(link: LinkStateFactory, members_only: bool) -> FastAPI:
    """Flower's Fleet API and nothing else."""
    only_members = Middleware(BaseHTTPMiddleware, dispatch=_only_members(link))
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=[
            Middleware(BaseHTTPMiddleware, dispatch=http_error_translator),
            Middleware(ProtobufTranslationMiddleware),
            Middleware(NodeAuthMiddleware),
            *([only_members] if members_only else []),
        ],
    )
    app.include_router(router)
    app.state.linkstate_factory = link
    app.state.enable_supernode_auth = members_only
    return app


def _only_members(link: LinkStateFactory) -> DispatchFunction:
    """Forbids whoever has no member's key to join, and says so once a host: Flower says too little of why."""
    told: set[str] = set()

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        asked = getattr(request.state, "protobuf_request", None)
        joins = asked if isinstance(asked, RegisterNodeFleetRequest | ActivateNodeRequest) else None
        if joins and link.state().get_node_id_by_public_key(joins.public_key) is None:
            host = request.client.host if request.client else "an unknown address"
            if host not in told:
                log.warning("Warning: a client at %s is not let in: its key is no --member's", host)
                told.add(host)
            raise HTTPException(HTTPStatus.FORBIDDEN)
        return await call_next(request)

    return dispatch


def _settings(app: FastAPI, address: tuple[str, int], certificate: Path, key: Path) -> uvicorn.Config:
    host, port = address
    settings = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="critical",
        ssl_certfile=certificate,
        ssl_keyfile=key,
        timeout_keep_alive=_IDLE_S,
        ws="none",
    )
    settings.load()
    return settings


def _await_start(server: uvicorn.Server, thread: Thread, address: tuple[str, int]) -> None:
    end = time.monotonic() + _START_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > end:
            host, port = address
            raise RunError(f"nothing can be served at {host}:{port}: is the port taken? Choose another one")
        time.sleep(0.05)
