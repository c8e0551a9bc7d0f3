"""Events of accounts besides logins: rows are only added, and hold no personal data."""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User
from applications.models import Application
from config.kernel.constraints import SamePool
from config.kernel.logs import request_id
from config.kernel.primary_keys import new_id
from identity_sources.models import IdentitySource
from userpools.models import UserPool


class AccountEvent(models.Model):
    """One change of an account: its user, its author, and facts without personal data.

    ``operator`` is set if an operator made the change in the console, ``application`` if the person
    made it with an access token, neither if WeChat or a rule did. ``facts`` holds subs, words and
    counts.
    """

    class Kind(models.TextChoices):
        LINKED = "linked", _("WeChat account linked")
        UNLINKED = "unlinked", _("WeChat account unlinked")
        PHONE_STORED = "phone_stored", _("Phone number stored")
        PHONE_LOST = "phone_lost", _("Phone number lost to a newer proof")
        MERGED = "merged", _("Merged")
        MERGE_UNDONE = "merge_undone", _("Merge undone")
        CLOSED = "closed", _("Account closed")
        REOPENED = "reopened", _("Account reopened")
        ERASED = "erased", _("Personal data erased")
        FIELD_ERASED = "field_erased", _("Erased because WeChat said so")
        AUTHORIZATION_CANCELLED = "authorization_cancelled", _("Authorisation cancelled in WeChat")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool, models.PROTECT, related_name="account_events", db_constraint=False, db_index=False
    )
    user = models.ForeignKey(
        User, models.PROTECT, related_name="account_events", db_constraint=False, db_index=False
    )
    kind = models.CharField(_("what happened"), max_length=32, choices=Kind.choices)
    application = models.ForeignKey(
        Application,
        models.PROTECT,
        null=True,
        related_name="account_events",
        verbose_name=_("application"),
    )
    identity_source = models.ForeignKey(
        IdentitySource,
        models.PROTECT,
        null=True,
        related_name="account_events",
        verbose_name=_("identity source"),
    )
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("operator"),
    )
    facts = models.JSONField(default=dict, editable=False)
    request_id = models.CharField(max_length=64, blank=True)
    occurred_at = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("account event")
        verbose_name_plural = _("account events")
        constraints: ClassVar = [
            SamePool(name="accounts_accountevent_user_pool", field="user"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["pool", "user", "-occurred_at"], name="accounts_history_of_user")
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @classmethod
    def record(cls, user: User, kind: str, *, now: datetime, **fields: Any) -> None:
        """Add an event to the user's history, within the transaction that makes the change.

        ``fields`` may have ``application``, ``identity_source``, ``operator`` and ``facts``, which
        hold no personal data.
        """
        cls.objects.create(
            pool_id=user.pool_id,
            user=user,
            kind=kind,
            request_id=request_id.get(),
            occurred_at=now,
            **fields,
        )


class BlockedIdentity(models.Model):
    """A keyed hash of an OpenID or UnionID whose suspended user's data was erased.

    It blocks that WeChat account as the suspension did, without disclosing whose it was.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool,
        models.PROTECT,
        related_name="blocked_identities",
        db_constraint=False,
        db_index=False,
    )
    user = models.ForeignKey(
        User, models.PROTECT, related_name="blocked_identities", db_constraint=False
    )
    identity_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("blocked identity")
        verbose_name_plural = _("blocked identities")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pool", "identity_hash"], name="accounts_blockedidentity_hash"
            ),
            SamePool(name="accounts_blockedidentity_user_pool", field="user"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class WeChatEvent(models.Model):
    """An event that WeChat pushed, stored once however often it was sent, and its outcome.

    ``content_hash`` is a keyed hash of its content, to find repetitions: WeChat sends an event
    again if it got no answer. An event in the ``mode`` plain is unproven: it changes nothing.
    """

    class Mode(models.TextChoices):
        PLAIN = "plain", _("Plain")
        SAFE = "safe", _("Safe")

    class Outcome(models.TextChoices):
        APPLIED = "applied", _("Applied")
        NOTHING_TO_DO = "nothing_to_do", _("Nothing to do")
        NOBODY = "nobody", _("Of nobody here")
        UNPROVEN = "unproven", _("Only recorded: plain mode")
        UNKNOWN = "unknown", _("Only recorded: unknown event")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool, models.PROTECT, related_name="wechat_events", db_constraint=False, db_index=False
    )
    identity_source = models.ForeignKey(
        IdentitySource,
        models.PROTECT,
        related_name="wechat_events",
        verbose_name=_("identity source"),
        db_constraint=False,
        db_index=False,
    )
    user = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        related_name="wechat_events",
        verbose_name=_("user"),
        db_constraint=False,
    )
    event = models.CharField(_("event"), max_length=64)
    mode = models.CharField(_("mode"), max_length=8, choices=Mode.choices)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome.choices)
    facts = models.JSONField(default=dict, editable=False)
    content_hash = models.CharField(max_length=64)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        verbose_name = _("WeChat event")
        verbose_name_plural = _("WeChat events")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pool", "identity_source", "content_hash"],
                name="accounts_wechatevent_content",
            ),
            SamePool(name="accounts_wechatevent_user_pool", field="user"),
            SamePool(name="accounts_wechatevent_source_pool", field="identity_source"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["pool", "identity_source", "-received_at"],
                name="accounts_wechatevent_of_source",
            )
        ]

    def __str__(self) -> str:
        return self.event
