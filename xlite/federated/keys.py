"""The keys by which clients are known to a server: elliptic curve, in OpenSSH's files, from ssh-keygen."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key, load_ssh_public_key

from xlite.errors import RunError
from xlite.files import read_file

_MAKE = "make one by `ssh-keygen -t ecdsa -b 384 -N '' -f NAME`"


def read_private_key(path: Path) -> EllipticCurvePrivateKey:
    """A client's own key; RunError if the file holds none."""
    try:
        key = load_ssh_private_key(read_file(path), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RunError(f"{path} is not a private key without a password ({error}): {_MAKE}") from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise RunError(f"the key {path} is of another kind than Flower uses, an elliptic curve's: {_MAKE}")
    return key


def read_public_key(path: Path) -> EllipticCurvePublicKey:
    """The key of a client that may take part; RunError if the file holds none."""
    try:
        key = load_ssh_public_key(read_file(path))
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise RunError(f"{path} is not a public key ({error}): {_MAKE}, and send NAME.pub") from error
    if not isinstance(key, EllipticCurvePublicKey):
        raise RunError(f"the key {path} is of another kind than Flower uses, an elliptic curve's: {_MAKE}")
    return key
