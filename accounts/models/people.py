"""Users of a pool, and their linked accounts."""

import uuid
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.kernel.constraints import SamePool
from config.kernel.primary_keys import new_id
from identity_sources.models import IdentitySource
from userpools.models import UserPool


def new_sub() -> str:
    """Return a new subject identifier: random, so that it discloses nothing (OIDC Core §8)."""
    return str(uuid.uuid4())


class UserQuerySet(models.QuerySet["User"]):
    def with_verified_email(self, email: str) -> Self:
        """Keep the user who has verified this address; case is ignored."""
        verified = self.filter(email_verified_at__isnull=False)
        return verified.alias(lower_email=Lower("email")).filter(lower_email=email.lower())


class User(models.Model):
    """A person in a pool. Rows are never deleted: tokens and events name them.

    A merged user is a tombstone: ``merged_into`` is the user that the person is now, never another
    tombstone. A closed account keeps its personal data until it is erased
    (accounts/users/closing.py). ``password`` is Django's hash of a password, or empty.
    """

    class Status(models.TextChoices):
        # With a context: a signing key is "active" too, which may translate differently.
        ACTIVE = "active", pgettext_lazy("user", "Active")
        SUSPENDED = "suspended", _("Suspended")
        CLOSED = "closed", _("Closed")
        MERGED = "merged", _("Merged")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(UserPool, models.PROTECT, related_name="users", db_index=False)
    sub = models.CharField("sub", max_length=255, default=new_sub, editable=False)
    status = models.CharField(
        _("status"), max_length=16, choices=Status.choices, default=Status.ACTIVE
    )
    nickname = models.CharField(_("nickname"), max_length=64, blank=True)
    avatar_url = models.CharField(_("avatar"), max_length=500, blank=True)
    phone_number = models.CharField(_("phone number"), max_length=16, blank=True)
    phone_number_verified_at = models.DateTimeField(
        _("phone number verified at"), null=True, blank=True
    )
    email = models.CharField(_("e-mail address"), max_length=254, blank=True)
    email_verified_at = models.DateTimeField(_("e-mail address verified at"), null=True, blank=True)
    password = models.CharField(_("password"), max_length=128, blank=True, editable=False)
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="tombstones",
        verbose_name=_("merged into"),
        db_constraint=False,
        db_index=False,
    )
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    # Whether a closed account was suspended before; if so, it is suspended again when reopened.
    was_suspended = models.BooleanField(default=False, editable=False)
    erased_at = models.DateTimeField(_("erased at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = UserQuerySet.as_manager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pool", "id"], name="accounts_user_pool"),
            models.UniqueConstraint(fields=["pool", "sub"], name="accounts_user_sub"),
            models.UniqueConstraint(
                fields=["pool", "phone_number"],
                condition=Q(phone_number_verified_at__isnull=False),
                name="accounts_user_verified_phone_number",
            ),
            models.CheckConstraint(
                condition=~Q(phone_number="") | Q(phone_number_verified_at__isnull=True),
                name="accounts_user_verified_means_a_number",
            ),
            models.UniqueConstraint(
                "pool",
                Lower("email"),
                condition=Q(email_verified_at__isnull=False),
                name="accounts_user_verified_email",
                violation_error_message=_("Another user of the pool has this e-mail address."),
            ),
            models.CheckConstraint(
                condition=~Q(email="") | Q(email_verified_at__isnull=True),
                name="accounts_user_verified_means_an_address",
            ),
            models.CheckConstraint(
                condition=Q(status="merged", merged_into__isnull=False)
                | (~Q(status="merged") & Q(merged_into__isnull=True)),
                name="accounts_user_merged_means_a_survivor",
            ),
            SamePool(name="accounts_user_merged_into_pool", field="merged_into"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["merged_into"],
                condition=Q(merged_into__isnull=False),
                name="accounts_user_tombstones",
            )
        ]

    def __str__(self) -> str:
        return self.sub

    @property
    def display_name(self) -> str:
        """The nickname, else the sub."""
        return self.nickname or self.sub


class LinkedAccount(models.Model):
    """A link from a user to WeChat: a row for each OpenID of an AppID, and one for the UnionID.

    An OpenID row also records the UnionID last seen with it; a UnionID row has no AppID. The key is
    the AppID, not the source, so that it stays valid if a source is archived and entered again.
    Rows of one ``wechat_identity`` belong to the same WeChat account, which a person links and
    unlinks as a whole: a UnionID with every OpenID seen with it, or a single OpenID.
    """

    class Kind(models.TextChoices):
        OPENID = "openid", "OpenID"
        UNIONID = "unionid", "UnionID"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool,
        models.PROTECT,
        related_name="linked_accounts",
        db_constraint=False,
        db_index=False,
    )
    user = models.ForeignKey(
        User, models.PROTECT, related_name="linked_accounts", db_constraint=False
    )
    wechat_identity = models.UUIDField(default=new_id, editable=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    app_id = models.CharField("AppID", max_length=32, blank=True)
    openid = models.CharField("OpenID", max_length=128, blank=True)
    unionid = models.CharField("UnionID", max_length=128, blank=True)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))

    source_name = ""
    """The display name of its source, empty where the pool has none or it wasn't looked up."""

    class Meta:
        verbose_name = _("linked account")
        verbose_name_plural = _("linked accounts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pool", "app_id", "openid"],
                condition=Q(kind="openid"),
                name="accounts_linkedaccount_openid",
            ),
            models.UniqueConstraint(
                fields=["pool", "unionid"],
                condition=Q(kind="unionid"),
                name="accounts_linkedaccount_unionid",
            ),
            # Two OpenIDs of one AppID can't be the same WeChat account.
            models.UniqueConstraint(
                fields=["pool", "user", "app_id"],
                condition=Q(kind="openid"),
                name="accounts_linkedaccount_one_openid_per_app",
            ),
            models.CheckConstraint(
                condition=(Q(kind="openid") & ~Q(app_id="") & ~Q(openid=""))
                | (Q(kind="unionid", app_id="", openid="") & ~Q(unionid="")),
                name="accounts_linkedaccount_kind",
            ),
            SamePool(name="accounts_linkedaccount_user_pool", field="user"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.user_id}"


@dataclass(frozen=True, kw_only=True)
class LinkedIdentity:
    """A WeChat identity of a user: its id and its rows. It is linked and unlinked as a whole."""

    id: uuid.UUID
    accounts: list[LinkedAccount]

    @property
    def unionid(self) -> str | None:
        """The UnionID seen last; None if there is none."""
        newest = max(self.unionids, key=lambda account: account.last_seen_at, default=None)
        return newest.unionid if newest else None

    @property
    def unionids(self) -> list[LinkedAccount]:
        """The rows of its UnionIDs."""
        return [row for row in self.accounts if row.kind == LinkedAccount.Kind.UNIONID]

    @property
    def openids(self) -> list[LinkedAccount]:
        """The rows of its OpenIDs."""
        return [row for row in self.accounts if row.kind == LinkedAccount.Kind.OPENID]


def linked_identities(user: User, *, with_sources: bool = False) -> list[LinkedIdentity]:
    """Return the user's WeChat identities, in the order in which they were linked.

    ``with_sources`` looks up the name of each account's source, in another query.
    """
    accounts = list(LinkedAccount.objects.filter(pool=user.pool_id, user=user))
    if with_sources:
        _name_sources(user, accounts)
    ordered = sorted(accounts, key=lambda account: str(account.wechat_identity))
    identities = [
        LinkedIdentity(id=key, accounts=sorted(group, key=lambda row: row.first_seen_at))
        for key, group in groupby(ordered, key=lambda account: account.wechat_identity)
    ]
    return sorted(identities, key=lambda identity: identity.accounts[0].first_seen_at)


def _name_sources(user: User, accounts: list[LinkedAccount]) -> None:
    app_ids = [account.app_id for account in accounts if account.app_id]
    # Only one source in use has a given AppID; among archived ones the newest name is used.
    sources = IdentitySource.objects.filter(pool=user.pool_id, app_id__in=app_ids)
    names = dict(sources.order_by("created_at").values_list("app_id", "display_name"))
    for account in accounts:
        account.source_name = names.get(account.app_id, "")
