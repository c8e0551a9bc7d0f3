"""Two users who may be one person: the conflicts that are held, and the merges that were made."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User
from config.kernel.constraints import SamePool
from config.kernel.primary_keys import new_id
from identity_sources.models import IdentitySource
from userpools.models import UserPool


class Conflict(models.Model):
    """A conflict that no rule may decide, on the review list until an operator decides.

    Of two users who may be the same person, ``user`` is the older one. If ``other`` is null, a
    login had the UnionID of ``user`` but an OpenID that can't be theirs. A pair that an operator
    keeps apart, or whose merge was undone, is never merged automatically again.
    """

    class Reason(models.TextChoices):
        UNIONID_OF_ANOTHER_USER = "unionid_of_another_user", _("UnionID of another user")
        SECOND_OPENID = "second_openid", _("A second OpenID of one AppID")

    class State(models.TextChoices):
        OPEN = "open", _("To be reviewed")
        MERGED = "merged", _("Merged")
        APART = "apart", _("Kept apart")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool, models.PROTECT, related_name="conflicts", db_constraint=False, db_index=False
    )
    user = models.ForeignKey(
        User, models.PROTECT, related_name="conflicts", verbose_name=_("user"), db_constraint=False
    )
    other = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        related_name="conflicts_as_other",
        verbose_name=_("other user"),
        db_constraint=False,
    )
    identity_source = models.ForeignKey(
        IdentitySource,
        models.PROTECT,
        null=True,
        related_name="conflicts",
        verbose_name=_("identity source"),
    )
    app_id = models.CharField("AppID", max_length=32, blank=True)
    openid = models.CharField("OpenID", max_length=128, blank=True)
    reason = models.CharField(_("reason"), max_length=32, choices=Reason.choices)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    occurrences = models.PositiveIntegerField(_("seen"), default=1)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("conflict")
        verbose_name_plural = _("conflicts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pool", "user", "other"],
                condition=Q(other__isnull=False),
                name="accounts_conflict_pair",
            ),
            models.UniqueConstraint(
                fields=["pool", "user", "app_id", "openid"],
                condition=Q(other__isnull=True),
                name="accounts_conflict_openid",
            ),
            models.CheckConstraint(
                condition=Q(other__isnull=True) | ~Q(other=F("user")),
                name="accounts_conflict_of_two",
            ),
            SamePool(name="accounts_conflict_user_pool", field="user"),
            SamePool(name="accounts_conflict_other_pool", field="other"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["pool", "state", "-last_seen_at"], name="accounts_conflict_list")
        ]

    def __str__(self) -> str:
        return self.get_reason_display()


class Merge(models.Model):
    """The merge of one user into another, with what moved, so that it can be undone.

    ``moved`` names rows by id and holds no personal data (accounts/merging/merge.py defines its
    format); the merged user's data stays on the tombstone until the merge can't be undone any more.
    ``operator`` is null for an automatic merge.
    """

    UNDO_WITHIN = timedelta(days=30)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool, models.PROTECT, related_name="merges", db_constraint=False, db_index=False
    )
    survivor = models.ForeignKey(
        User,
        models.PROTECT,
        related_name="merges",
        verbose_name=_("survivor"),
        db_constraint=False,
        db_index=False,
    )
    merged = models.ForeignKey(
        User,
        models.PROTECT,
        related_name="merges_as_merged",
        verbose_name=_("merged user"),
        db_constraint=False,
    )
    moved = models.JSONField(default=dict, editable=False)
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("operator"),
    )
    merged_at = models.DateTimeField(_("merged at"))
    undone_at = models.DateTimeField(_("undone at"), null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("undone by"),
    )

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pool", "merged"],
                condition=Q(undone_at__isnull=True),
                name="accounts_merge_once",
            ),
            models.CheckConstraint(
                condition=~Q(survivor=F("merged")), name="accounts_merge_of_two"
            ),
            SamePool(name="accounts_merge_survivor_pool", field="survivor"),
            SamePool(name="accounts_merge_merged_pool", field="merged"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["pool", "survivor"], name="accounts_merge_of_survivor"),
            models.Index(fields=["merged_at"], name="accounts_merge_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.merged_id} → {self.survivor_id}"

    @property
    def undo_ends_at(self) -> datetime:
        """The time until which the merge can be undone."""
        return self.merged_at + self.UNDO_WITHIN
