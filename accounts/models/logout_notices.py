"""Notices about ended sessions that have to be delivered to applications."""

import threading
from datetime import datetime
from typing import ClassVar, Self

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from config.kernel.constraints import SamePool
from config.kernel.primary_keys import new_id
from userpools.models import UserPool

NOTICES_WRITTEN = threading.Event()
"""Set in this process after new notices are committed; the delivery thread clears it."""
_ROWS_AT_ONCE = 1000


class LogoutNoticeQuerySet(models.QuerySet["LogoutNotice"]):
    def due(self, now: datetime) -> Self:
        """Keep the notices whose next attempt may begin, the oldest first."""
        return self.filter(due_at__lte=now).order_by("due_at", "pk")

    def next_due_at(self) -> datetime | None:
        """Return when the first attempt that is left may begin; None if nothing waits."""
        waiting = self.filter(due_at__isnull=False)
        due_at: datetime | None = waiting.aggregate(first=models.Min("due_at"))["first"]
        return due_at

    def write(self, notices: list["LogoutNotice"]) -> None:
        """Save notices for sessions that have none yet, within the transaction that ends them."""
        if notices:
            self.bulk_create(notices, batch_size=_ROWS_AT_ONCE, ignore_conflicts=True)
            transaction.on_commit(NOTICES_WRITTEN.set)


class LogoutNotice(models.Model):
    """An ended session of which the application is notified (OIDC Back-Channel Logout).

    It is saved in the transaction that ends the session, and delivered after it. ``due_at`` is when
    the next attempt may begin; a process postpones it before its attempt, so that no other process
    makes the same one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool, models.PROTECT, related_name="logout_notices", db_constraint=False, db_index=False
    )
    session = models.ForeignKey(
        "accounts.Session",
        models.PROTECT,
        related_name="logout_notices",
        db_constraint=False,
        db_index=False,
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    """None after it was delivered or given up"""
    delivered_at = models.DateTimeField(_("delivered at"), null=True)
    failure = models.CharField(_("last failure"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"))

    objects = LogoutNoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("logout notice")
        verbose_name_plural = _("logout notices")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session"], name="accounts_logoutnotice_once"),
            SamePool(name="accounts_logoutnotice_session_pool", field="session"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(due_at__isnull=False),
                name="accounts_logoutnotice_due",
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)
