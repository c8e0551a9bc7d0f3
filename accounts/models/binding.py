"""Binding tickets and codes by e-mail, for a person who chooses a new or an existing account."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from applications.models import Application, LoginMethod
from config.kernel.constraints import SamePool
from config.kernel.encryption import seal, unseal
from config.kernel.primary_keys import new_id
from userpools.models import UserPool

PROOFS = 5


class BindingTicketQuerySet(models.QuerySet["BindingTicket"]):
    def usable(self, now: object) -> Self:
        """Keep the tickets that may still be redeemed."""
        return self.filter(used_at__isnull=True, expires_at__gt=now, failed_proofs__lt=PROOFS)


class BindingTicket(models.Model):
    """A WeChat identity without a user, kept until the person chooses: five minutes, used once.

    The ticket itself is stored as a hash. ``answer_ciphertext`` holds the identity from WeChat, and
    the phone number if there was one (accounts/login/tickets.py defines its format). It is used up
    by success, or by five wrong proofs.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool,
        models.PROTECT,
        related_name="binding_tickets",
        db_constraint=False,
        db_index=False,
    )
    application = models.ForeignKey(
        Application,
        models.PROTECT,
        related_name="binding_tickets",
        db_constraint=False,
        db_index=False,
    )
    login_method = models.ForeignKey(
        LoginMethod, models.CASCADE, related_name="binding_tickets", db_index=False
    )
    ticket_hash = models.BinaryField(max_length=32, unique=True)
    answer_ciphertext = models.BinaryField()
    scope = models.CharField(max_length=500)
    bound_to = models.CharField(max_length=64, blank=True)
    failed_proofs = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = BindingTicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("binding ticket")
        verbose_name_plural = _("binding tickets")
        constraints: ClassVar = [
            SamePool(name="accounts_bindingticket_application_pool", field="application"),
        ]
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="accounts_ticket_expiry")]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that the login requested."""
        return tuple(self.scope.split())

    def seal_answer(self, answer: str) -> bytes:
        """Encrypt WeChat's answer for this row."""
        return seal(self, "answer_ciphertext", answer)

    def answer(self) -> str:
        """Decrypt WeChat's answer.

        Raises:
            DecryptionError: ENCRYPTION_KEYS lacks the key that encrypted it.

        """
        return unseal(self, "answer_ciphertext")

    def count_proof(self, now: object) -> bool:
        """Count a try before the proof is checked; return whether there was one left."""
        row = BindingTicket.objects.filter(pk=self.pk).usable(now)
        return bool(row.update(failed_proofs=F("failed_proofs") + 1))

    def give_proof_back(self) -> None:
        """Uncount the try of a proof that couldn't be checked."""
        BindingTicket.objects.filter(pk=self.pk).update(failed_proofs=F("failed_proofs") - 1)


class EmailCode(models.Model):
    """A one-time code that was sent, or seemed to be sent, to an address for one ticket.

    There is a row even if no account has the address, so that a caller sees no difference. Code and
    address are stored as keyed hashes.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(UserPool, models.PROTECT, related_name="email_codes", db_index=False)
    ticket = models.ForeignKey(BindingTicket, models.CASCADE, related_name="email_codes")
    email_hash = models.CharField(max_length=64)
    code_hash = models.CharField(max_length=64)
    failed_tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("e-mail code")
        verbose_name_plural = _("e-mail codes")

    def __str__(self) -> str:
        return str(self.pk)


class Tally(models.Model):
    """How many tries of a kind were made at a target within an hour.

    Counted by accounts/binding/exact_limits.py.

    ``name`` is a keyed hash of both, since the target may be a person's address.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(UserPool, models.PROTECT, related_name="tallies", db_index=False)
    name = models.CharField(max_length=64)
    begins_at = models.DateTimeField()
    taken = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pool", "name", "begins_at"], name="accounts_tally_of_window"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["begins_at"], name="accounts_tally_age")]

    def __str__(self) -> str:
        return f"{self.begins_at:%Y-%m-%d %H:%M} · {self.taken}"
