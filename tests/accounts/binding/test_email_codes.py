"""One-time codes by e-mail: to whom they go, for what they are good, and what nobody can tell."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts import refusals
from accounts.binding import email_codes
from accounts.binding.proofs import EmailCodeProof
from accounts.binding.redeeming import send_email_code
from accounts.models import BindingTicket, EmailCode, LoginEvent
from applications.client_authentication import ClientCredentials
from applications.models import Application, LoginMethod
from config.kernel.errors import DomainError, InvalidClient, InvalidRequest, TooManyRequests
from identity_sources.models import IdentitySource
from tests.accounts.binding.tickets import redeem, refused
from tests.support import builders
from tests.support.people import give
from tests.support.secret_scanner import Scanner, dump

ANN = "ann@example.com"


@pytest.fixture(autouse=True)
def post_office(settings):
    settings.SENDS_EMAIL = True


@pytest.fixture
def ann(acme):
    return builders.make_member(acme.pool, "Ann@example.com")


@pytest.fixture
def ask_for_code(monkeypatch):
    """Ask for a code, wait for the mail if one is sent, and return the code in it."""
    posted = []
    submit = email_codes._mailing.submit  # noqa: SLF001

    def noted(*arguments):
        posted.append(submit(*arguments))
        return posted[-1]

    monkeypatch.setattr(email_codes._mailing, "submit", noted)  # noqa: SLF001

    def ask(word, email=ANN, *, address="203.0.113.1", client_id="acme-shop", secret=None):
        posted.clear()
        send_email_code(
            ClientCredentials(client_id, secret), word, email, address=address, now=timezone.now()
        )
        for future in posted:
            future.result(timeout=10)
        return re.search(r"\d{6}", mail.outbox[-1].body)[0] if posted else None

    return ask


def proof(code, email=ANN):
    return EmailCodeProof(email=email, email_code=code)


def another(code):
    return f"{(int(code) + 1) % 10**6:06d}"


# To whom


@pytest.mark.parametrize("email", ["nobody@example.com", "unverified@example.com", "globex@x.org"])
def test_no_mail_goes_where_nobody_has_verified_the_address_and_it_looks_the_same(
    acme, globex, ann, ticket, ask_for_code, email
):
    builders.make_member(acme.pool, "unverified@example.com", email_verified_at=None)
    builders.make_member(globex.pool, "globex@x.org")
    word = ticket()

    assert ask_for_code(word, email) is None

    assert mail.outbox == []
    assert EmailCode.objects.count() == 1
    refused(refusals.InvalidProof, word, proof("000000", email))


@pytest.mark.parametrize("email", [ANN, "ANN@EXAMPLE.COM"])
def test_the_mail_goes_to_the_address_as_its_owner_wrote_it(acme, ann, ticket, ask_for_code, email):
    code = ask_for_code(ticket(), email)

    (message,) = mail.outbox
    assert message.to == ["Ann@example.com"]
    assert code in message.subject
    assert "Shop" in message.subject
    assert "5 minutes" in message.body


def test_code_and_address_are_stored_as_hashes(ann, ticket, ask_for_code):
    code = ask_for_code(ticket())

    cells = [value for table, _column, value in dump() if table == "accounts_emailcode"]
    assert not Scanner([ANN, "Ann@example.com"]).found_in(b" ".join(cells))
    assert code.encode() not in cells


def test_a_mail_server_that_is_away_is_noted_without_address_or_code(
    ann, ticket, ask_for_code, monkeypatch, caplog
):
    codes = []

    def away(subject, *_):
        codes.append(subject[:6])
        raise ConnectionRefusedError(f"{ANN} {subject}")

    monkeypatch.setattr(email_codes, "send_mail", away)
    with pytest.raises(IndexError):
        ask_for_code(ticket())

    assert "ConnectionRefusedError" in caplog.text
    assert ANN not in caplog.text
    assert codes[0] not in caplog.text


# Who may ask


def test_nothing_is_sent_for_a_ticket_that_isnt_good(ann, ticket, ask_for_code):
    word = ticket()
    with pytest.raises(refusals.InvalidBindingTicket):
        ask_for_code(word, client_id="nobody")
    BindingTicket.objects.update(used_at=timezone.now())
    with pytest.raises(refusals.InvalidBindingTicket):
        ask_for_code(word)

    assert EmailCode.objects.count() == len(mail.outbox) == 0


def test_nothing_is_sent_for_an_application_that_doesnt_prove_itself(
    acme, ann, ticket, ask_for_code
):
    word = ticket()
    Application.objects.update(client_authentication="client_secret")

    with pytest.raises(InvalidClient):
        ask_for_code(word, secret="a wrong secret of more than 32 characters")


@pytest.mark.parametrize(
    "switch_off",
    [
        lambda: Application.objects.update(enabled=False),
        lambda: IdentitySource.objects.update(enabled=False),
        lambda: LoginMethod.objects.update(enabled=False),
    ],
)
def test_nothing_is_sent_for_what_was_switched_off_since(ann, ticket, ask_for_code, switch_off):
    word = ticket()
    switch_off()

    with pytest.raises(DomainError):
        ask_for_code(word)

    assert mail.outbox == []


def test_a_server_without_mail_says_so(ann, ticket, ask_for_code, settings):
    settings.SENDS_EMAIL = False

    with pytest.raises(InvalidRequest):
        ask_for_code(ticket())


@pytest.mark.usefixtures("frozen_clock")
@pytest.mark.parametrize("email", [ANN, "nobody@example.com"])
def test_three_codes_are_sent_for_a_ticket_whoever_has_the_address(
    ann, ticket, ask_for_code, email
):
    word = ticket()
    for _ in range(3):
        ask_for_code(word, email)

    with pytest.raises(TooManyRequests) as waits:
        ask_for_code(word, email)

    assert 0 < waits.value.retry_after <= 3600


@pytest.mark.usefixtures("frozen_clock")
@pytest.mark.parametrize("email", [ANN, "nobody@example.com"])
def test_five_codes_are_sent_to_an_address_whatever_the_ticket(ann, ticket, ask_for_code, email):
    for number in range(5):
        ask_for_code(ticket(f"o{number}"), email if number % 2 else email.upper())

    with pytest.raises(TooManyRequests):
        ask_for_code(ticket("o"), email)
    ask_for_code(ticket("o"), "somebody.else@example.com")


@pytest.mark.usefixtures("frozen_clock")
def test_thirty_codes_are_sent_from_an_address(ann, ticket, ask_for_code):
    for number in range(30):
        ask_for_code(ticket(f"o{number}"), f"nobody{number}@example.com")

    with pytest.raises(TooManyRequests):
        ask_for_code(ticket("o"), "nobody@example.com")
    ask_for_code(ticket("o"), "nobody@example.com", address="203.0.113.2")


# For what


def test_a_wrong_code_proves_nothing(ann, ticket, ask_for_code):
    word = ticket()
    code = ask_for_code(word)

    refused(refusals.InvalidProof, word, proof(another(code)))
    refused(refusals.InvalidProof, word, proof(code, "nobody@example.com"))
    assert redeem(word, proof(code, "ANN@example.com")).user == ann


def test_a_code_of_another_ticket_proves_nothing(ann, ticket, ask_for_code):
    mine, theirs = ticket("o1"), ticket("o2")
    ask_for_code(mine)
    code = ask_for_code(theirs)

    refused(refusals.InvalidProof, mine, proof(code))


def test_only_the_newest_code_is_good(ann, ticket, ask_for_code):
    word = ticket()
    old = ask_for_code(word)
    new = ask_for_code(word)
    while new == old:
        new = ask_for_code(word)

    refused(refusals.InvalidProof, word, proof(old))
    assert redeem(word, proof(new)).user == ann


def test_a_code_is_good_once_even_if_the_login_is_refused(ann, ticket, ask_for_code):
    word = ticket()
    code = ask_for_code(word)
    give(ann, status="suspended")
    refused(refusals.UserSuspended, word, proof(code))
    give(ann, status="active")

    refused(refusals.InvalidProof, word, proof(code))


def test_a_code_lasts_as_long_as_its_ticket(ann, ticket, ask_for_code):
    word = ticket()
    code = ask_for_code(word)
    assert EmailCode.objects.get().expires_at == BindingTicket.objects.get().expires_at
    EmailCode.objects.update(expires_at=timezone.now())

    refused(refusals.InvalidProof, word, proof(code))
    refused(refusals.InvalidBindingTicket, word, proof(code), after=timedelta(minutes=5))


def test_after_five_wrong_ones_the_right_code_is_worth_nothing(ann, ticket, ask_for_code):
    word = ticket()
    code = ask_for_code(word)
    EmailCode.objects.update(failed_tries=5)

    refused(refusals.InvalidProof, word, proof(code))


def test_no_event_tells_address_or_code(ann, ticket, ask_for_code):
    word = ticket()
    code = ask_for_code(word)
    refused(refusals.InvalidProof, word, proof(another(code)))
    redeem(word, proof(code))

    told = str(list(LoginEvent.objects.values())).lower()
    assert ANN not in told
    assert not re.search(rf"\b({code}|{another(code)})\b", told)
    assert word.lower() not in told
