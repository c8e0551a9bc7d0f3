"""Binding tickets: what is stored of one, for whom it is good, and for how long."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from accounts import refusals
from accounts.login.tickets import find_ticket, proof_methods
from accounts.models import BindingTicket
from config.kernel.encryption import token_hash
from tests.support import builders
from tests.support.secret_scanner import Scanner, dump

NUMBER = "13800138001"


def find(ticket, client_id="acme-shop", *, bound_to="", after=timedelta()):
    return find_ticket(client_id, ticket, bound_to=bound_to, now=timezone.now() + after)


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "acme-other"},
        {"client_id": "globex-shop"},
        {"client_id": "nobody"},
        {"bound_to": "somebody's session"},
        {"after": timedelta(minutes=5)},
    ],
)
def test_a_ticket_is_good_for_nobody_else_and_no_longer(weixin, globex, ticket, wrong):
    builders.make_application(weixin.tenant.pool, client_id="acme-other")

    with pytest.raises(refusals.InvalidBindingTicket):
        find(ticket(), **wrong)


@pytest.mark.parametrize("word", ["", "x", "0" * 43, "a" * 5000])
def test_what_is_no_ticket_is_refused_as_one_that_ran_out(weixin, ticket, word):
    ticket()

    with pytest.raises(refusals.InvalidBindingTicket):
        find(word)


def test_the_hash_that_is_stored_is_no_ticket(ticket):
    ticket()

    with pytest.raises(refusals.InvalidBindingTicket):
        find(bytes(BindingTicket.objects.get().ticket_hash).hex())


@pytest.mark.parametrize("spent", [{"used_at": timezone.now()}, {"failed_proofs": 5}])
def test_a_spent_ticket_is_refused(ticket, spent):
    word = ticket()
    BindingTicket.objects.update(**spent)

    with pytest.raises(refusals.InvalidBindingTicket):
        find(word)


def test_a_ticket_is_good_for_its_application_for_five_minutes(weixin, ticket):
    word = ticket()

    found = find(word, after=timedelta(minutes=4, seconds=58))

    assert (found.application.client_id, found.pool) == ("acme-shop", weixin.tenant.pool)
    assert found.login_method.identity_source.app_id == builders.LIVE_APP_ID
    assert len(word) == 43


def test_a_ticket_is_stored_as_a_hash_and_what_it_stands_for_encrypted(ticket):
    word = ticket("o-long-enough-to-find", "u-long-enough-to-find", number=NUMBER)

    row = BindingTicket.objects.get()
    assert bytes(row.ticket_hash) == token_hash(word)
    scanner = Scanner([word, "o-long-enough-to-find", "u-long-enough-to-find", NUMBER])
    assert [cell for *cell, value in dump() if scanner.found_in(value)] == []


def test_every_ticket_is_another(ticket):
    assert len({ticket() for _ in range(5)}) == 5


def test_a_code_that_is_sent_again_gives_a_fresh_ticket_without_another_phone_number(
    weixin, ticket
):
    phone_code = weixin.phone_code(NUMBER, "o1")
    code = weixin.code("o1")

    words = {ticket("o1", code=code, phone_code=phone_code) for _ in range(3)}

    assert len(words) == 3
    assert [call for call, _ in weixin.asked] == [
        *("jscode2session", "getuserphonenumber", "jscode2session", "jscode2session")
    ]
    assert all(find(word) for word in words)
    answers = {row.answer() for row in BindingTicket.objects.all()}
    assert all(f"+86{NUMBER}" in answer for answer in answers)


@pytest.mark.parametrize(
    ("type_", "sends", "methods"),
    [
        ("wechat_mini_program", False, ["password", "phone_code"]),
        ("wechat_mini_program", True, ["password", "email_code", "phone_code"]),
        ("wechat_website", False, ["password"]),
        ("wechat_mobile_app", True, ["password", "email_code"]),
    ],
)
def test_by_what_somebody_may_prove_an_account(acme, settings, type_, sends, methods):
    settings.SENDS_EMAIL = sends
    acme.source.type = type_

    assert proof_methods(acme.source) == methods


def test_the_purge_takes_tickets_that_ran_out(ticket, capsys):
    ticket()
    call_command("purge")
    assert BindingTicket.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        call_command("purge")
    assert BindingTicket.objects.count() == 0
