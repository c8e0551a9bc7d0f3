"""Sessions, and the refresh tokens that extend them."""

from datetime import datetime, timedelta
from typing import ClassVar, Self
from uuid import UUID

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models.browser_login import BrowserSession
from accounts.models.logout_notices import LogoutNotice
from accounts.models.people import User
from applications.models import Application
from applications.rules import LONGEST_REFRESH_LEEWAY, Way
from config.kernel.constraints import SamePool
from config.kernel.primary_keys import new_id
from identity_sources.models import IdentitySource
from userpools.models import UserPool

_ROWS_AT_ONCE = 1000


class SessionQuerySet(models.QuerySet["Session"]):
    def end(self, *, now: datetime, reason: str) -> int:
        """End the running sessions; return how many ended. Sessions end in no other way.

        Applications with back-channel logout get a `LogoutNotice`. If the reason is about the
        person, the browser sessions behind these sessions end too, also those behind sessions that
        ended earlier, and with them all sessions entered from there. A transaction that begins a
        session in a browser locks its `BrowserSession` first, so that none is missed.
        """
        with transaction.atomic():
            sessions = self
            if reason in _ABOUT_THE_PERSON:
                sessions = self._with_all_behind(self._sign_off(now))
            ended = _locked_while_running(sessions)
            for batch in _batches([session.pk for session in ended]):
                Session.objects.filter(pk__in=batch).update(ended_at=now, end_reason=reason)
            if reason not in _UNTOLD:
                LogoutNotice.objects.write(_notices_of(ended, now))
        return len(ended)

    def _sign_off(self, now: datetime) -> list[UUID]:
        """End the browser sessions behind these sessions; return which ended."""
        behind = BrowserSession.objects.filter(
            pk__in=self.order_by().values("browser_session"), ended_at__isnull=True
        )
        locked = behind.order_by("pk").select_for_update(no_key=True)
        ended = [browser_session.pk for browser_session in locked]
        for batch in _batches(ended):
            BrowserSession.objects.filter(pk__in=batch).update(ended_at=now)
        return ended

    def _with_all_behind(self, browser_sessions: list[UUID]) -> "SessionQuerySet":
        """Add the running sessions that were entered from these browsers."""
        if not browser_sessions:
            return self
        running = Session.objects.filter(ended_at__isnull=True)
        entered = running.filter(browser_session__in=browser_sessions)
        own = self.filter(ended_at__isnull=True)
        keys = {*own.values_list("pk", flat=True), *entered.values_list("pk", flat=True)}
        return Session.objects.filter(pk__in=keys)


def _locked_while_running(sessions: SessionQuerySet) -> list["Session"]:
    # Locked in the order of their ids, so that transactions don't deadlock; if two end the same
    # session, the second waits and then finds that it has ended.
    running = sessions.filter(ended_at__isnull=True).order_by("pk")
    needed = running.select_related("application").only(
        "pool_id", "application__backchannel_logout_uri"
    )
    return list(needed.select_for_update(no_key=True, of=("self",)))


def _notices_of(ended: list["Session"], now: datetime) -> list[LogoutNotice]:
    return [
        LogoutNotice(pool_id=session.pool_id, session=session, due_at=now, created_at=now)
        for session in ended
        if session.application.backchannel_logout_uri
    ]


def _batches(keys: list[UUID]) -> list[list[UUID]]:
    return [keys[n : n + _ROWS_AT_ONCE] for n in range(0, len(keys), _ROWS_AT_ONCE)]


class Session(models.Model):
    """A login in an application: each code, refresh family and access token (``sid``) has one."""

    class EndReason(models.TextChoices):
        LOGGED_OUT = "logged_out", _("Logged out")
        REFRESH_TOKEN_REUSED = "refresh_token_reused", _("A refresh token was used twice")
        CODE_REUSED = "authorization_code_reused", _("An authorization code was used twice")
        TOKEN_REVOKED = "token_revoked", _("The application revoked its token")
        NOT_ENTERED = "not_entered", _("The application was not entered after all")
        SIGNING_KEY_REVOKED = "signing_key_revoked", _("The key that signed it was revoked")
        EXPERIENCE_ENDED = "experience_ended", _("Experience login ended")
        USER_SUSPENDED = "user_suspended", _("The user was suspended")
        USER_MERGED = "user_merged", _("The user was merged into another")
        MERGE_UNDONE = "merge_undone", _("A merge was undone")
        UNLINKED = "unlinked", _("The WeChat account was unlinked")
        AUTHORIZATION_CANCELLED = (
            "authorization_cancelled",
            _("The person cancelled the authorisation in WeChat"),
        )
        ACCOUNT_CLOSED = "account_closed", _("The account was closed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool, models.PROTECT, related_name="sessions", db_constraint=False, db_index=False
    )
    user = models.ForeignKey(
        User, models.PROTECT, related_name="sessions", db_constraint=False, db_index=False
    )
    application = models.ForeignKey(
        Application,
        models.PROTECT,
        related_name="sessions",
        verbose_name=_("application"),
        db_constraint=False,
        db_index=False,
    )
    browser_session = models.ForeignKey(
        BrowserSession,
        models.PROTECT,
        null=True,
        related_name="sessions",
        db_constraint=False,
        db_index=False,
    )
    identity_source = models.ForeignKey(
        IdentitySource, models.PROTECT, related_name="sessions", db_constraint=False, db_index=False
    )
    way = models.CharField(_("way in"), max_length=32, choices=Way.choices)
    auth_time = models.DateTimeField(_("logged in at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    end_reason = models.CharField(
        _("why it ended"), max_length=32, choices=EndReason.choices, blank=True
    )

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        indexes: ClassVar = [
            models.Index(fields=["pool", "user", "-auth_time"], name="accounts_session_of_user"),
            models.Index(
                fields=["browser_session"],
                condition=models.Q(browser_session__isnull=False),
                name="accounts_session_of_browser",
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pool", "id"], name="accounts_session_pool"),
            SamePool(name="accounts_session_user_pool", field="user"),
            SamePool(
                name="accounts_session_application_pool",
                field="application",
            ),
            SamePool(
                name="accounts_session_source_pool",
                field="identity_source",
            ),
            SamePool(name="accounts_session_browser_pool", field="browser_session"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


_ABOUT_THE_PERSON = frozenset(
    {
        Session.EndReason.USER_SUSPENDED,
        Session.EndReason.USER_MERGED,
        Session.EndReason.MERGE_UNDONE,
        Session.EndReason.UNLINKED,
        Session.EndReason.AUTHORIZATION_CANCELLED,
        Session.EndReason.ACCOUNT_CLOSED,
    }
)
# Sessions of which the application never got a token.
_UNTOLD = frozenset({Session.EndReason.EXPERIENCE_ENDED, Session.EndReason.NOT_ENTERED})


class RefreshTokenQuerySet(models.QuerySet["RefreshToken"]):
    def unspent(self, now: datetime) -> Self:
        """Keep the tokens that may still be exchanged."""
        return self.filter(used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now)

    def with_outdated_successor(self, now: datetime) -> Self:
        """Keep the tokens whose sealed successor nobody may get any more."""
        before = now - timedelta(seconds=LONGEST_REFRESH_LEEWAY)
        return self.filter(successor_ciphertext__isnull=False, used_at__lt=before)


class RefreshToken(models.Model):
    """One token of a family: each exchange uses one up and makes the next (RFC 9700 §4.14.2).

    ``successor_ciphertext`` is the next token, sealed under this one, for a short time after its
    use, in case the client didn't get it and sends this one again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool, models.PROTECT, related_name="refresh_tokens", db_constraint=False, db_index=False
    )
    session = models.ForeignKey(
        Session, models.PROTECT, related_name="refresh_tokens", db_constraint=False, db_index=False
    )
    family = models.UUIDField(default=new_id, editable=False)
    token_hash = models.BinaryField(max_length=32, unique=True)
    scope = models.CharField(max_length=500)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    family_expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    successor_ciphertext = models.BinaryField(null=True)

    objects = RefreshTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("refresh token")
        verbose_name_plural = _("refresh tokens")
        indexes: ClassVar = [
            models.Index(fields=["pool", "family"], name="accounts_refreshtoken_family"),
            models.Index(fields=["family_expires_at"], name="accounts_refreshtoken_expiry"),
            models.Index(
                fields=["used_at"],
                condition=models.Q(successor_ciphertext__isnull=False),
                name="accounts_refreshtoken_sealed",
            ),
        ]
        constraints: ClassVar = [
            SamePool(name="accounts_refreshtoken_session_pool", field="session"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
