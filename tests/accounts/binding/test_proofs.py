"""By what an account is proven: right or wrong, known or not, it looks the same from outside."""

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.utils import timezone

from accounts import refusals
from accounts.binding import proofs, redeeming
from accounts.binding.proofs import EmailCodeProof, PasswordProof, PhoneCodeProof
from accounts.models import BindingTicket
from config.kernel.errors import InvalidRequest, TooManyRequests
from tests.accounts.binding.tickets import RIGHT, redeem, refused
from tests.support import builders
from tests.support.people import give

NUMBER, PHONE = "13800138001", "+8613800138001"


@pytest.fixture
def hashings(monkeypatch):
    """Count how often a password is hashed."""
    counted = []
    encode = MD5PasswordHasher.encode

    def counting(self, password, salt):
        counted.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    return counted


# Passwords


def members(pool):
    """Accounts of every kind that a wrong proof may be tried on, by their address."""
    usable = builders.make_member(pool, "usable@example.com")
    builders.make_member(pool, "none@example.com", password="")
    builders.make_member(pool, "unusable@example.com", password="!" + "x" * 40)
    builders.make_member(pool, "suspended@example.com", status="suspended")
    builders.make_member(pool, "closed@example.com", status="closed")
    builders.make_member(pool, "unverified@example.com", email_verified_at=None)
    return usable


NAMES = ["usable", "none", "unusable", "suspended", "closed", "unverified", "nobody"]


def test_unknown_account_and_wrong_password_are_refused_alike(weixin, ticket, hashings):
    members(weixin.tenant.pool)
    answers, costs = set(), set()

    for name in NAMES:
        word = ticket("o1")
        hashings.clear()
        wrong = PasswordProof(email=f"{name}@example.com", password="wrong")
        error = refused(refusals.InvalidProof, word, wrong)
        answers.add((error.code, error.status, error.description, str(error.extra)))
        costs.add(len(hashings))

    assert len(answers) == 1
    assert costs == {1}


@pytest.mark.parametrize("name", ["none", "unusable", "unverified"])
@pytest.mark.parametrize("password", [builders.MEMBERS_PASSWORD, "!", "x" * 40])
def test_an_account_without_a_password_or_a_verified_address_is_opened_by_none(
    weixin, ticket, name, password
):
    members(weixin.tenant.pool)

    refused(
        refusals.InvalidProof,
        ticket(),
        PasswordProof(email=f"{name}@example.com", password=password),
    )


@pytest.mark.parametrize("password", [builders.MEMBERS_PASSWORD.upper(), "", " "])
def test_a_password_is_taken_as_it_is(weixin, ticket, password):
    builders.make_member(weixin.tenant.pool)

    refused(
        refusals.InvalidProof, ticket(), PasswordProof(email="ann@example.com", password=password)
    )


@pytest.mark.parametrize("written", ["ann@example.com", "Ann@Example.COM"])
def test_an_address_is_found_in_whatever_case(weixin, ticket, written):
    member = builders.make_member(weixin.tenant.pool, "ANN@example.com")

    assert redeem(ticket(), PasswordProof(email=written, password=RIGHT.password)).user == member


# How often somebody may guess


@pytest.mark.usefixtures("frozen_clock")
@pytest.mark.parametrize("name", ["usable", "nobody"])
@pytest.mark.parametrize("kind", [PasswordProof, EmailCodeProof])
def test_wrong_proofs_are_throttled_by_target_whatever_the_ticket(weixin, ticket, name, kind):
    members(weixin.tenant.pool)
    right = {"password": builders.MEMBERS_PASSWORD, "email_code": "000000"}
    field = "password" if kind is PasswordProof else "email_code"
    wrong = [
        kind(email=f"{written}@example.com", **{field: "000000"})
        for written in (name, name.upper())
    ]
    for number in range(10):
        refused(refusals.InvalidProof, ticket(f"o{number}"), wrong[number % 2])

    error = refused(TooManyRequests, ticket("o"), wrong[0])

    assert 0 < error.retry_after <= 3600
    last = kind(email=f"{name}@example.com", **{field: right[field]})
    refused(TooManyRequests, ticket("o"), last)


@pytest.mark.usefixtures("frozen_clock")
def test_who_guesses_at_a_password_leaves_its_owner_the_codes(weixin, ticket, monkeypatch):
    monkeypatch.setattr(proofs, "WRONG_PER_TARGET", 1)
    guess = PasswordProof(email="usable@example.com", password="a guess")
    refused(refusals.InvalidProof, ticket("o1"), guess)
    refused(TooManyRequests, ticket("o2"), guess)

    # Looked at, as any other: it was only wrong.
    code = EmailCodeProof(email="usable@example.com", email_code="000000")
    refused(refusals.InvalidProof, ticket("o3"), code)


@pytest.mark.usefixtures("frozen_clock")
def test_somebody_with_many_tickets_has_an_end_of_tries(weixin, ticket, monkeypatch):
    monkeypatch.setattr(redeeming, "PROOFS_OF_ONE_PERSON", 2)
    for number in range(2):
        wrong = PasswordProof(email=f"nobody{number}@example.com", password="x")
        refused(refusals.InvalidProof, ticket("same"), wrong)

    refused(TooManyRequests, ticket("same"), wrong)
    refused(refusals.InvalidProof, ticket("another"), wrong)


@pytest.mark.usefixtures("frozen_clock")
def test_a_target_is_throttled_in_its_own_pool_and_others_arent(weixin, ticket, monkeypatch):
    monkeypatch.setattr(proofs, "WRONG_PER_TARGET", 1)
    usable = members(weixin.tenant.pool)
    refused(
        refusals.InvalidProof, ticket(), PasswordProof(email="nobody@example.com", password="x")
    )

    right = PasswordProof(email=usable.email, password=builders.MEMBERS_PASSWORD)
    assert redeem(ticket(), right).user == usable


@pytest.mark.usefixtures("frozen_clock")
def test_right_proofs_dont_count(weixin, ticket, monkeypatch):
    monkeypatch.setattr(proofs, "WRONG_PER_TARGET", 1)
    member = builders.make_member(weixin.tenant.pool)

    for _ in range(3):
        assert redeem(ticket("o1"), RIGHT).user == member
        member.linked_accounts.all().delete()


# Phone numbers


@pytest.fixture
def holder(acme):
    return builders.make_user(
        acme.pool, phone_number=PHONE, phone_number_verified_at=timezone.now()
    )


def by_code(weixin, number=NUMBER, openid="o1"):
    return PhoneCodeProof(phone_code=weixin.phone_code(number, openid))


def test_without_any_number_there_is_no_proof_and_no_try_is_lost(weixin, ticket, holder):
    refused(InvalidRequest, ticket("o1"), PhoneCodeProof())

    assert BindingTicket.objects.get().failed_proofs == 0


@pytest.mark.parametrize("code", ["unknown-code", None])
def test_a_code_that_wechat_refuses_proves_nothing(weixin, ticket, holder, code):
    proof = PhoneCodeProof(phone_code=code) if code else by_code(weixin, openid="o-of-another")

    error = refused(refusals.InvalidProof, ticket("o1"), proof)

    assert error.extra == {"proofs_left": 4}


def test_a_number_of_nobody_proves_nothing(weixin, ticket, holder):
    refused(refusals.InvalidProof, ticket("o1"), by_code(weixin, "13800138002"))


def other_unionid(holder):
    builders.link_unionid(holder, "u-other")


def other_openid(holder):
    builders.link_openid(holder, "o-other")


@pytest.mark.parametrize(
    "unfit",
    [
        other_unionid,
        other_openid,
        lambda holder: give(holder, status="suspended"),
        lambda holder: give(holder, status="closed"),
        lambda holder: give(holder, phone_number_verified_at=None),
        lambda holder: give(holder, phone_number_verified_at=timezone.now() - timedelta(days=181)),
    ],
)
def test_a_number_proves_no_account_that_it_doesnt_stand_for(weixin, ticket, holder, unfit):
    unfit(holder)

    refused(refusals.InvalidProof, ticket("o1", "u1"), by_code(weixin))


def test_a_number_of_another_pool_proves_nothing(weixin, ticket, globex):
    builders.make_user(globex.pool, phone_number=PHONE, phone_number_verified_at=timezone.now())

    refused(refusals.InvalidProof, ticket("o1"), by_code(weixin))


def test_where_wechat_is_away_no_try_is_lost(weixin, ticket, holder):
    """A failure of WeChat's says nothing of the proof."""
    word = ticket("o1")
    weixin.phones_are_away = True

    refused(refusals.WeChatAway, word, by_code(weixin))

    assert BindingTicket.objects.get().failed_proofs == 0


@pytest.mark.usefixtures("frozen_clock")
def test_where_wechat_is_away_the_person_keeps_their_try_with_any_ticket(
    weixin, ticket, monkeypatch
):
    monkeypatch.setattr(redeeming, "PROOFS_OF_ONE_PERSON", 1)
    weixin.phones_are_away = True
    refused(refusals.WeChatAway, ticket("same"), by_code(weixin))

    wrong = PasswordProof(email="nobody@example.com", password="x")
    refused(refusals.InvalidProof, ticket("same"), wrong)
    refused(TooManyRequests, ticket("same"), wrong)


def test_a_phone_code_is_exchanged_once(weixin, ticket, holder):
    builders.link_openid(holder, "o-other")
    word, proof = ticket("o1"), by_code(weixin)

    for _ in range(2):
        refused(refusals.InvalidProof, word, proof)

    assert [call for call, _ in weixin.asked].count("getuserphonenumber") == 1


def test_a_code_instead_of_the_number_that_came_with_the_login_counts(weixin, ticket, holder):
    word = ticket("o1", number="13800138002")

    refused(refusals.InvalidProof, word, PhoneCodeProof())

    assert redeem(word, by_code(weixin)).user == holder


def test_a_proof_shows_nothing_when_printed():
    secrets = "ann@example.com", "a password", "123456", "phone-code"
    shown = repr(
        [
            PasswordProof(email=secrets[0], password=secrets[1]),
            EmailCodeProof(email=secrets[0], email_code=secrets[2]),
            PhoneCodeProof(phone_code=secrets[3]),
        ]
    )

    assert not any(secret in shown for secret in secrets)
