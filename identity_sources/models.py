"""WeChat apps, and WeChat's application access token for each."""

import hashlib
from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.encryption import seal, unseal
from config.kernel.identifiers import validate_identifier
from config.kernel.immutable import ImmutableFieldsMixin
from config.kernel.memory import Configuration, ConfigurationQuerySet
from config.kernel.primary_keys import new_id
from identity_sources.sandbox.world import is_sandbox_app_id
from identity_sources.wechat.shapes import is_app_id, is_app_secret
from userpools.models import UserPool


class IdentitySource(ImmutableFieldsMixin, Configuration):
    """One WeChat app: a type, an AppID, an AppSecret.

    ``app_id``, ``type`` and ``mode`` never change. Deleting a source archives it; its users keep
    their linked accounts, which are usable again when the same AppID is added later.
    """

    class Type(models.TextChoices):
        WECHAT_MINI_PROGRAM = "wechat_mini_program", _("WeChat mini program")
        WECHAT_WEBSITE = "wechat_website", _("WeChat website app")
        WECHAT_OFFICIAL_ACCOUNT = "wechat_official_account", _("WeChat official account")
        WECHAT_MOBILE_APP = "wechat_mobile_app", _("WeChat mobile app")

    class Mode(models.TextChoices):
        LIVE = "live", _("Live")
        SANDBOX = "sandbox", _("Sandbox")

    class Registration(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Login only")

    class Association(models.TextChoices):
        NONE = "none", _("None")
        FIELD = "field", _("By phone number")
        ASK = "ask", _("Ask")

    IMMUTABLE = ("pool", "identifier", "type", "app_id", "mode")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(UserPool, models.PROTECT, related_name="identity_sources")
    identifier = models.CharField(_("identifier"), max_length=32, validators=[validate_identifier])
    type = models.CharField(_("type"), max_length=32, choices=Type.choices)
    display_name = models.CharField(_("display name"), max_length=100)
    app_id = models.CharField(_("AppID"), max_length=32)
    app_secret_ciphertext = models.BinaryField()
    app_secret_set_at = models.DateTimeField(_("AppSecret set at"))
    mode = models.CharField(_("mode"), max_length=8, choices=Mode.choices, default=Mode.LIVE)
    registration = models.CharField(
        _("registration"), max_length=8, choices=Registration.choices, default=Registration.OPEN
    )
    association = models.CharField(
        _("association"), max_length=8, choices=Association.choices, default=Association.NONE
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    # Since when WeChat has been refusing the source's settings; null while it accepts them.
    # The refusals themselves are rows of SourceFailure.
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)
    # Field name → digest of the value that `apply` last wrote (applications/manifest/state.py).
    applied = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ConfigurationQuerySet["IdentitySource"].as_manager()

    class Meta:
        verbose_name = _("identity source")
        verbose_name_plural = _("identity sources")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pool", "id"], name="identity_sources_source_pool"),
            models.UniqueConstraint(
                fields=["pool", "identifier"],
                name="identity_sources_source_identifier",
                violation_error_message=_("The pool has an identity source of this identifier."),
            ),
            models.UniqueConstraint(
                fields=["pool", "app_id"],
                condition=Q(archived_at__isnull=True),
                name="identity_sources_source_app_id",
                violation_error_message=_("The pool has an identity source with this AppID."),
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    def save(self, **kwargs: Any) -> None:
        """Save the row; for an existing row leave out its health.

        Calls to WeChat update the health at any time (health.py): a form that was opened before
        would overwrite it with an old value.
        """
        is_there = not self._state.adding and not kwargs.get("force_insert")
        if is_there and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = {
                field.attname
                for field in self._meta.concrete_fields
                if not field.primary_key and field.name != "failing_since"
            } - self.get_deferred_fields()
        super().save(**kwargs)

    def clean(self) -> None:
        # A missing one was reported before: it is required, or a form refused it.
        if self.app_id:
            self._refuse_malformed_app_id()
        if self.association == self.Association.FIELD and not self.gives_phone_numbers:
            raise ValidationError(
                {"association": _("Only a mini program gives phone numbers to match by.")}
            )
        self.refuse_changes()

    @property
    def gives_phone_numbers(self) -> bool:
        """Whether WeChat proves phone numbers of people who come from such a source."""
        return self.type == self.Type.WECHAT_MINI_PROGRAM

    def _refuse_malformed_app_id(self) -> None:
        if self.mode == self.Mode.SANDBOX and not is_sandbox_app_id(self.app_id):
            raise ValidationError(
                {"app_id": _("A sandbox AppID is “wxsandbox” and 9 characters of 0-9 and a-f.")}
            )
        if self.mode == self.Mode.LIVE and not is_app_id(self.app_id):
            raise ValidationError(
                {"app_id": _("An AppID is “wx” and 16 characters of 0-9 and a-f. Copy it again.")}
            )

    def set_app_secret(self, app_secret: str, *, now: datetime) -> None:
        """Encrypt the AppSecret into this row.

        Raises:
            ValidationError: it isn't 32 characters of 0-9 and a-f (the value isn't quoted).

        """
        if not is_app_secret(app_secret):
            raise ValidationError(
                {"app_secret": _("An AppSecret is 32 characters of 0-9 and a-f. Copy it again.")}
            )
        self.app_secret_ciphertext = seal(self, "app_secret_ciphertext", app_secret)
        self.app_secret_set_at = now

    def app_secret(self) -> str:
        """Decrypt the AppSecret, to send it only to WeChat.

        Raises:
            DecryptionError: ENCRYPTION_KEYS lacks the key that encrypted it.

        """
        return unseal(self, "app_secret_ciphertext")


class WeChatAccessToken(models.Model):
    """WeChat's application access token of a source, shared by all processes.

    Valid only for the AppID and AppSecret that it was fetched with (``fingerprint``). One process
    at a time fetches: the one that holds the lease. If it fails, the waiting ones fail as well,
    until ``failed_until``, instead of trying in turn. ``generation`` is incremented with every
    token, so that a rejected token is replaced once, not by every thread that used it.
    """

    source = models.OneToOneField(
        IdentitySource, models.CASCADE, primary_key=True, related_name="wechat_access_token"
    )
    fingerprint = models.BinaryField(max_length=32, default=b"")
    token_ciphertext = models.BinaryField(default=b"")
    generation = models.PositiveBigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    failed_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("WeChat access token")
        verbose_name_plural = _("WeChat access tokens")

    def __str__(self) -> str:
        return str(self.source)

    @staticmethod
    def fingerprint_of(app_id: str, app_secret: str) -> bytes:
        """Return the fingerprint of these credentials."""
        return hashlib.sha256(f"{app_id}\n{app_secret}".encode()).digest()


class SourceFailure(models.Model):
    """A call of a source whose settings WeChat refuses: since when, and the last answer.

    There is a row for each such call until the same call succeeds. ``call`` is WeChat's name of
    it, or that of the event about a punishment, and then ``errcode`` is null.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.ForeignKey(IdentitySource, models.CASCADE, related_name="failures")
    call = models.CharField(_("call"), max_length=64)
    errcode = models.IntegerField("errcode", null=True)
    errmsg = models.CharField(max_length=256, blank=True)
    rid = models.CharField("rid", max_length=64, blank=True)
    facts = models.JSONField(default=dict)
    since = models.DateTimeField(_("failing since"))
    last_at = models.DateTimeField(_("last at"))

    class Meta:
        verbose_name = _("failure of a source")
        verbose_name_plural = _("failures of sources")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "call"], name="identity_sources_failure_of_call"
            )
        ]

    def __str__(self) -> str:
        return f"{self.call}: {self.errcode}"


class MessagePushKey(models.Model):
    """Token and EncodingAESKey by which WeChat authenticates the events that it pushes.

    After new ones are generated, the old ones stay valid for a day.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.ForeignKey(IdentitySource, models.CASCADE, related_name="push_keys")
    token_ciphertext = models.BinaryField()
    aes_key_ciphertext = models.BinaryField()
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("good until"), null=True)

    class Meta:
        verbose_name = _("message push key")
        verbose_name_plural = _("message push keys")

    def __str__(self) -> str:
        return f"{self.source} · {self.created_at:%Y-%m-%d}"
