"""SSH keys that the bench makes itself, so that neither side has to trust the other blindly."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def write_key_pair(path: Path, comment: str) -> None:
    """Make an Ed25519 key and write it in OpenSSH's form to `path` (mode 0600) and `path`.pub."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    path.touch(mode=0o600)
    path.write_bytes(private)
    path.with_name(path.name + ".pub").write_text(f"{public.decode('ascii')} {comment}\n", encoding="ascii")
