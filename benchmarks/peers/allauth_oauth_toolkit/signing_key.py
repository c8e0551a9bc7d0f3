"""The RSA key of ID tokens, made by the setup: django-oauth-toolkit signs by RS256."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

FILE = Path(__file__).with_name("signing-key.pem")  # git ignores it


def read_signing_key() -> str:
    """Return the key in PEM, which is made if there is none."""
    if not FILE.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        FILE.touch(mode=0o600)
        FILE.write_bytes(pem)
    return FILE.read_text()
