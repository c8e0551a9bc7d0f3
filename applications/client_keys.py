"""The public keys by which an application's assertions are verified (RFC 7523, RFC 7517)."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, KeySetSerialization, OKPKey, RSAKey

MAX_KEYS = 10
RSA_BITS_MIN = 2048  # RFC 7518 §3.3
_ALGORITHMS = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
CLIENT_KEY_ALGORITHMS = ("ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519")
# Of RSA keys, and of symmetric ones (RFC 7518 §6.3.2, §6.4.1).
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def validate_client_jwks(jwks: Any) -> None:
    """Accept a JWK set of public signature keys, each with an algorithm of its type.

    Raises:
        ValidationError: it is no JWK set, holds a private or symmetric key, or one that is weak.

    """
    keys = jwks["keys"] if isinstance(jwks, dict) and set(jwks) == {"keys"} else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_KEYS:
        raise ValidationError(_('Paste a JWK set: {"keys": […]} with one to ten keys.'))
    for key in keys:
        _validate(key)
    kids = [key.get("kid") for key in keys]
    if len(keys) > 1 and (None in kids or len(set(kids)) != len(kids)):
        raise ValidationError(_("Several keys need a kid each, all of them different."))


def client_keys(jwks: KeySetSerialization) -> KeySet:
    """Return the keys of an accepted JWK set."""
    return KeySet.import_key_set(jwks)


def algorithm_of(key: Key) -> str:
    """Return the only algorithm of a key: its ``alg``, or that of its type."""
    named = key.get("alg")
    if isinstance(named, str):
        return named
    if isinstance(key, ECKey):
        return _ALGORITHMS[key.curve_name]
    return "Ed25519" if isinstance(key, OKPKey) else "RS256"


def _validate(unverified: Any) -> None:
    if not isinstance(unverified, dict) or not all(map(_is_flat, unverified.items())):
        raise ValidationError(_("One of the keys isn't a JWK (RFC 7517)."))
    if _PRIVATE & unverified.keys():
        raise ValidationError(_("This is a private key: keep it, and paste the public one."))
    try:
        key = KeySet.import_key_set({"keys": [unverified]}).keys[0]
    except (JoseError, ValueError, TypeError, KeyError):
        raise ValidationError(_("One of the keys isn't a JWK (RFC 7517).")) from None
    if isinstance(key, RSAKey) and key.raw_value.key_size < RSA_BITS_MIN:
        raise ValidationError(_("An RSA key has at least 2048 bits."))
    if not isinstance(key, ECKey | OKPKey | RSAKey) or not _fits(key):
        raise ValidationError(_("Use EC, RSA or Ed25519 keys for signatures."))


def _is_flat(member: tuple[Any, Any]) -> bool:
    """Tell whether a member is a text or a list of texts that any database can store."""
    name, value = member
    texts = [name, *value] if isinstance(value, list) else [name, value]
    return all(isinstance(text, str) and text.isprintable() for text in texts)


def _fits(key: ECKey | OKPKey | RSAKey) -> bool:
    if key.get("use", "sig") != "sig" or "verify" not in (key.get("key_ops") or ["verify"]):
        return False
    if isinstance(key, RSAKey):
        return algorithm_of(key) in {"RS256", "PS256"}
    if isinstance(key, ECKey):
        return key.curve_name in _ALGORITHMS and _ALGORITHMS[key.curve_name] == algorithm_of(key)
    return key.curve_name == algorithm_of(key) == "Ed25519"
