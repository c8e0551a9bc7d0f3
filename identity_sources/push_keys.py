"""Token and EncodingAESKey of a source's message push, to be entered in WeChat's console."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from config.kernel.encryption import seal, unseal
from identity_sources.models import IdentitySource, MessagePushKey
from identity_sources.wechat.push import PushKey, new_push_key

# WeChat uses the old ones until the new ones are entered in its console.
OLD_ONES_LAST = timedelta(days=1)


def make_push_key(source: IdentitySource, *, now: datetime) -> PushKey:
    """Generate a token and key, to be shown once; the old ones stay valid for a day."""
    made = new_push_key()
    row = MessagePushKey(source=source, created_at=now)
    row.token_ciphertext = seal(row, "token_ciphertext", made.token)
    row.aes_key_ciphertext = seal(row, "aes_key_ciphertext", made.aes_key)
    with transaction.atomic():
        older = MessagePushKey.objects.filter(source=source)
        older.filter(expires_at__isnull=True).update(expires_at=now + OLD_ONES_LAST)
        older.filter(expires_at__lte=now).delete()
        row.save(force_insert=True)
    return made


def push_keys_of(source: IdentitySource, *, now: datetime) -> list[PushKey]:
    """Return the valid keys, the newest first.

    Raises:
        DecryptionError: ENCRYPTION_KEYS lacks the key that encrypted one.

    """
    good = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    rows = MessagePushKey.objects.filter(good, source=source).order_by("-created_at")
    return [
        PushKey(token=unseal(row, "token_ciphertext"), aes_key=unseal(row, "aes_key_ciphertext"))
        for row in rows
    ]
