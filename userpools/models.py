"""The tenant, its signing keys, and the operators' roles in it."""

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.kernel.database import release_connection
from config.kernel.encryption import seal, unseal
from config.kernel.identifiers import IDENTIFIER_MAX_LENGTH, validate_identifier
from config.kernel.immutable import ImmutableFieldsMixin
from config.kernel.memory import Configuration, ConfigurationQuerySet
from config.kernel.primary_keys import new_id

# A pool's identifier is part of /oidc/{pool}, /console/{pool} and /login/{pool}: these words are,
# or will be, other paths there.
# fmt: off
RESERVED_POOL_IDENTIFIERS = frozenset({
    "account", "accounts", "add", "admin", "api", "applications", "apply", "auth",
    "authorize", "autocomplete", "certs", "change-password", "confirm", "console", "delete",
    "device", "device-authorization", "email", "error", "events", "experience",
    "export", "healthz", "history", "i18n", "introspect", "introspection", "jsi18n",
    "jwks", "keys", "language", "link", "login", "logout", "me",
    "metrics", "new", "oidc", "operator-accounts", "operators", "par", "password", "pools",
    "qr", "r", "readyz", "register", "revocation", "revoke", "sandbox",
    "scan", "search", "session", "settings", "setup", "sources", "static", "switch",
    "token", "userinfo", "userpools", "users", "wechat",
})
# fmt: on


class Operator(AbstractUser):
    """Somebody who signs in to the console; never a pool's user."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta:
        verbose_name = _("operator")
        verbose_name_plural = _("operators")

    def check_password(self, raw_password: str | None) -> bool:
        """Hold no database connection while hashing, which takes a second of CPU time."""
        release_connection()
        return super().check_password(raw_password)

    def set_password(self, raw_password: str | None) -> None:
        """Do the same here: Django calls this for unknown user names."""
        release_connection()
        super().set_password(raw_password)


class UserPool(ImmutableFieldsMixin, Configuration):
    """The tenant: users, sources, applications, keys and roles live in exactly one."""

    class Merge(models.TextChoices):
        AUTOMATIC = "automatic", _("Automatic")
        REVIEW = "review", _("After review")

    IMMUTABLE = ("identifier",)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    identifier = models.CharField(
        _("identifier"),
        max_length=IDENTIFIER_MAX_LENGTH,
        unique=True,
        validators=[validate_identifier],
        help_text=_("Stands in URLs and tokens; can't be changed later."),
    )
    name = models.CharField(_("name"), max_length=100)
    merge = models.CharField(
        _("merging"), max_length=16, choices=Merge.choices, default=Merge.AUTOMATIC
    )
    genauth_compatible = models.BooleanField(_("GenAuth-compatible doors"), default=False)
    # Incremented whenever a key of the pool changes, so that processes can cache decrypted keys.
    signing_keys_version = models.PositiveIntegerField(default=1, editable=False)
    # Field name → digest of the value that `apply` last wrote (applications/manifest/state.py).
    applied = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ConfigurationQuerySet["UserPool"].as_manager()

    class Meta:
        verbose_name = _("user pool")
        verbose_name_plural = _("user pools")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.identifier in RESERVED_POOL_IDENTIFIERS:
            raise ValidationError({"identifier": _("This word is a path of the server.")})
        self.refuse_changes()

    @property
    def issuer(self) -> str:
        """The pool's OpenID Connect issuer, without a trailing slash."""
        return f"{settings.PUBLIC_URL}/oidc/{self.identifier}"


class Membership(models.Model):
    """An operator's role in one pool. A superuser is an operator of every pool."""

    class Role(models.TextChoices):
        VIEWER = "viewer", _("Viewer")
        ADMIN = "admin", _("Administrator")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(UserPool, models.PROTECT, related_name="memberships")
    operator = models.ForeignKey(
        Operator, models.CASCADE, related_name="memberships", verbose_name=_("operator")
    )
    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("operator of the pool")
        verbose_name_plural = _("operators of the pool")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pool", "operator"], name="userpools_membership_once_per_pool"
            )
        ]

    def __str__(self) -> str:
        return f"{self.operator} · {self.get_role_display()}"


class SigningKey(models.Model):
    """A key pair that signs the pool's tokens; ``kid`` is the RFC 7638 thumbprint."""

    class Algorithm(models.TextChoices):
        ES256 = "ES256", "ES256"
        RS256 = "RS256", "RS256"

    class State(models.TextChoices):
        # "Next" is also the next page, and "Active" has another meaning for users.
        NEXT = "next", pgettext_lazy("signing key", "Next")
        ACTIVE = "active", pgettext_lazy("signing key", "Active")
        RETIRED = "retired", pgettext_lazy("signing key", "Retired")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(UserPool, models.PROTECT, related_name="signing_keys")
    kid = models.CharField(max_length=64)
    algorithm = models.CharField(_("algorithm"), max_length=8, choices=Algorithm.choices)
    state = models.CharField(_("state"), max_length=8, choices=State.choices)
    public_jwk = models.JSONField()
    private_jwk_ciphertext = models.BinaryField()
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    promoted_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pool", "kid"], name="userpools_signingkey_kid"),
            models.UniqueConstraint(
                fields=["pool", "algorithm"],
                condition=Q(state="active"),
                name="userpools_signingkey_one_active",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pool} · {self.algorithm} · {self.kid}"

    def set_private_jwk(self, private_jwk: str) -> None:
        """Encrypt the private key (JSON of an RFC 7517 JWK) into this row."""
        self.private_jwk_ciphertext = seal(self, "private_jwk_ciphertext", private_jwk)

    def private_jwk(self) -> str:
        """Decrypt the private key.

        Raises:
            DecryptionError: ENCRYPTION_KEYS lacks the key that encrypted it.

        """
        return unseal(self, "private_jwk_ciphertext")
