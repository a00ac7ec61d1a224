"""Who made a ledger: signatures by the user's own SSH key, in OpenSSH's format, which `ssh-keygen -Y verify` reads.

A signature is over the ledger's seal (`Ledger.seal`: everything in it but the signatures). Keys are Ed25519 (RFC 8032),
as `ssh-keygen -t ed25519` makes them; the format is OpenSSH's PROTOCOL.sshsig, namespace "takt-ledger". Whose a key is
says a file of lines "NAME ssh-ed25519 AAAA...", as OpenSSH's allowed signers: `~/.config/takt/signers`, or --signers.
"""

from __future__ import annotations

import base64
import hashlib
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from takt.distribution import install
from takt.errors import TaktError

NAMESPACE = b"takt-ledger"
MAGIC, KIND, HASH = b"SSHSIG", b"ssh-ed25519", b"sha512"
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
MOST = 16  # signatures of one ledger that are looked at
LONGEST_FILE = 2**20  # bytes of a file of signers


class Locked(TaktError):
    """A key has a passphrase, and none was given."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that was looked at. `key` is the fingerprint as OpenSSH has it, "" if it cannot be read.

    good   whether it is this key's, over this ledger. None if that could not be checked here, see `why`.
    name   whose the key is, by the user's file of signers; "" if it is not in there.
    """

    key: str
    good: bool | None
    name: str
    why: str = ""

    def __str__(self) -> str:
        if self.good is None:
            return f"signed, not checked: {self.why}"
        if not self.good:
            return f"a signature that is not of this ledger{f' (key {self.key})' if self.key else ''}"
        return (
            f"signed by {self.name} ({self.key})"
            if self.name
            else f"signed by a key that is not known here ({self.key})"
        )


def message(seal: str) -> bytes:
    """What is signed."""
    return f"takt ledger {seal}\n".encode()


def sign(seal: str, key_file: Path, passphrase: bytes | None = None) -> str:
    """The signature of a seal, armoured. Raises TaktError if there is no such key, or it is of another kind."""
    _needed()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    try:
        key = load_ssh_private_key(key_file.read_bytes(), passphrase)
    except OSError as error:
        raise TaktError(f"cannot read the key {key_file}: {error.strerror or error}") from error
    except TypeError as error:  # encrypted, and no passphrase
        raise Locked(f"the key {key_file} has a passphrase") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise TaktError(f"{key_file} is no private key of OpenSSH, or the passphrase is wrong") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise TaktError(f"{key_file} is no Ed25519 key; make one: ssh-keygen -t ed25519 -f NAME")
    public = key.public_key().public_bytes_raw()
    signed = _string(KIND) + _string(key.sign(_to_sign(seal)))
    parts = [_string(KIND) + _string(public), NAMESPACE, b"", HASH, signed]
    blob = MAGIC + struct.pack(">I", 1) + b"".join(_string(part) for part in parts)
    text = base64.b64encode(blob).decode()
    return "\n".join([BEGIN, *(text[i : i + 70] for i in range(0, len(text), 70)), END, ""])


def looked_at(signature: str, seal: str, signers: Mapping[bytes, str]) -> Signature:
    """What a signature is worth for a ledger of this seal."""
    try:
        public, signed = _read(signature)
    except (ValueError, struct.error):
        return Signature("", False, "")
    fingerprint = (
        f"SHA256:{base64.b64encode(hashlib.sha256(_string(KIND) + _string(public)).digest()).decode().rstrip('=')}"
    )
    if find_spec("cryptography") is None:
        return Signature(fingerprint, None, "", f"that needs the extra `sign`: {install('sign')}")
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signed, _to_sign(seal))
    except (InvalidSignature, ValueError):
        return Signature(fingerprint, False, "")
    return Signature(fingerprint, True, signers.get(public, ""))


def known_signers(file: Path | None = None) -> dict[bytes, str]:
    """Public key (32 bytes) -> name, by a file of signers; the user's own if none is given, and {} if there is none."""
    given = file is not None
    if file is None:
        file = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "takt" / "signers"
    try:
        with file.open("rb") as opened:
            lines = opened.read(LONGEST_FILE).decode("utf-8", "replace").splitlines()
    except OSError as error:
        if given:
            raise TaktError(f"cannot read the signers {file}: {error.strerror or error}") from error
        return {}
    found = {}
    for line in lines:
        words = line.split()
        if not words or words[0].startswith("#") or KIND.decode() not in words[1:-1]:
            continue
        try:
            kind, public = _strings(base64.b64decode(words[words.index(KIND.decode(), 1) + 1], validate=True), 2)
        except (ValueError, struct.error):
            continue
        if kind == KIND and len(public) == 32:
            found[public] = words[0]
    return found


def _needed() -> None:
    if find_spec("cryptography") is None:
        raise TaktError(f"signing needs the extra `sign`: {install('sign')}")


def _to_sign(seal: str) -> bytes:
    parts = [NAMESPACE, b"", HASH, hashlib.sha512(message(seal)).digest()]
    return MAGIC + b"".join(_string(part) for part in parts)


def _read(signature: str) -> tuple[bytes, bytes]:
    """Public key and signature, (32,) and (64,). ValueError if it is none of ours."""
    lines = signature.strip().splitlines()
    if len(signature) > 4096 or lines[:1] != [BEGIN] or lines[-1:] != [END]:
        raise ValueError("no signature")
    blob = base64.b64decode("".join(lines[1:-1]), validate=True)
    if blob[:6] != MAGIC or blob[6:10] != struct.pack(">I", 1):
        raise ValueError("no signature")
    key, namespace, _, algorithm, signed = _strings(blob[10:], 5)
    (kind, public), (kind_again, bare) = _strings(key, 2), _strings(signed, 2)
    if (namespace, algorithm, kind, kind_again, len(public), len(bare)) != (NAMESPACE, HASH, KIND, KIND, 32, 64):
        raise ValueError("a signature of another kind")
    return public, bare


def _string(part: bytes) -> bytes:
    return struct.pack(">I", len(part)) + part


def _strings(packed: bytes, count: int) -> list[bytes]:
    found = []
    for _ in range(count):
        (length,) = struct.unpack_from(">I", packed)
        if len(packed) < 4 + length:
            raise ValueError("cut off")
        found.append(packed[4 : 4 + length])
        packed = packed[4 + length :]
    if packed:
        raise ValueError("more than is due")
    return found
