"""A value changed in the console since the last apply is refused without --overwrite (rule 18)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from applications.client_secrets import CLIENT_SECRET_OVERLAP
from applications.models import Application, ClientSecret, RedirectURI
from config.kernel.encryption import token_hash
from identity_sources.models import IdentitySource
from identity_sources.sandbox.world import sandbox_app_secret
from userpools.models import UserPool
from userpools.pools import create_pool

WAY_OUT = (
    "Put the console's value into the file, or run again with --overwrite to bring the file's back."
)
CONSOLE = "was changed in the console since the last apply"
ROTATED = (
    "is a secret that was rotated away: if it leaked, it must not come back. Give the "
    "application's present secret, or run again with --overwrite."
)
FIRST, SECOND, THIRD = (
    f"{word}-made-up-secret-of-the-web-application" for word in ("first", "second", "third")
)
APP_SECRET = "fedcba9876543210fedcba9876543210"


def rotate_in_console(application, secret, *, overlap=timedelta(hours=1)):
    expires_at = timezone.now() + overlap
    application.client_secrets.filter(expires_at=None).update(expires_at=expires_at)
    ClientSecret.for_application(application, secret).save()


def usable_secrets(application):
    rows = application.client_secrets.usable(timezone.now())
    return {bytes(row.secret_hash): row.expires_at for row in rows}


def test_a_changed_value_is_reported_with_its_line_and_refused(acme, operator):
    UserPool.objects.update(name="Acme of the console")
    Application.objects.filter(client_id="acme-web").update(enabled=False)
    text = operator.text.replace("type: web\n", "type: web\n        enabled: true\n")

    assert operator.is_refused(text) == [
        f'3: user_pools[0].name: {CONSOLE} (it is "Acme of the console" now). {WAY_OUT}',
        f"25: user_pools[0].applications[1].enabled: {CONSOLE} (it is false now). {WAY_OUT}",
    ]
    assert operator.is_refused(text, "--plan") == operator.is_refused(text)
    assert UserPool.objects.get().name == "Acme of the console"


def test_overwriting_brings_back_what_the_file_says(acme, operator):
    UserPool.objects.update(name="Acme of the console")

    printed = operator.apply(operator.text, "--overwrite")

    assert '  name: "Acme of the console" → "Acme"\n' in printed
    assert UserPool.objects.get().name == "Acme"
    assert operator.apply() == "No changes.\n"


def test_a_console_change_that_the_file_followed_is_adopted_silently(acme, operator):
    UserPool.objects.update(name="Two")
    two = operator.text.replace("name: Acme\n", "name: Two\n")

    assert operator.apply(two) == "No changes.\n"
    operator.apply(two.replace("name: Two\n", "name: Three\n"))

    assert UserPool.objects.get().name == "Three"


def test_a_console_change_to_a_key_that_the_file_lacks_is_left_alone(acme, operator):
    UserPool.objects.update(merge="review")

    assert operator.apply() == "No changes.\n"
    assert UserPool.objects.get().merge == "review"


def test_redirect_uris_changed_in_the_console_are_refused(web, operator):
    RedirectURI.objects.create(application=web, uri="https://evil.example/", position=1)

    (problem,) = operator.is_refused()

    assert problem.startswith(f"26: user_pools[0].applications[1].redirect_uris: {CONSOLE} (it is")
    operator.apply(operator.text, "--overwrite")
    assert web.redirect_uris.get().uri == "https://shop.example.com/callback"


def test_a_login_method_switched_off_in_the_console_is_refused(web, operator):
    web.login_methods.filter(way="website_qr").update(enabled=False)

    (problem,) = operator.is_refused()

    assert problem == (
        f"27: user_pools[0].applications[1].login_methods: {CONSOLE} "
        f'(it is ["acme-mini:mini_program_scan"] now). {WAY_OUT}'
    )


def test_an_object_made_in_the_console_counts_as_changed_there(db, operator):
    create_pool(identifier="acme", name="Acme of the console")

    (problem,) = operator.is_refused()

    assert problem == (
        '3: user_pools[0].name: was set in the console (it is "Acme of the console" now). '
        f"{WAY_OUT}"
    )
    assert operator.apply(operator.text, "--overwrite").endswith("Applied.\n")


def test_an_object_made_in_the_console_is_adopted_where_it_is_equal(db, operator):
    create_pool(identifier="acme", name="Acme")

    operator.apply()
    operator.apply(operator.text.replace("name: Acme\n", "name: Acme 2\n"))

    assert UserPool.objects.get().name == "Acme 2"


class TestAppSecret:
    def test_one_changed_in_the_console_does_not_go_back(self, mini, operator):
        mini.set_app_secret(APP_SECRET, now=timezone.now())
        mini.save()

        assert operator.is_refused() == [
            f"9: user_pools[0].identity_sources[0].app_secret: {CONSOLE}. {WAY_OUT}"
        ]
        mini.refresh_from_db()
        assert mini.app_secret() == APP_SECRET

    def test_overwriting_brings_it_back(self, mini, operator):
        mini.set_app_secret(APP_SECRET, now=timezone.now())
        mini.save()

        assert "  app_secret: (changed)\n" in operator.apply(operator.text, "--overwrite")

        mini.refresh_from_db()
        assert mini.app_secret() == sandbox_app_secret("wxsandbox000000001")

    def test_a_new_one_in_the_file_is_set(self, mini, operator):
        operator.set(MINI_SECRET=APP_SECRET)

        assert "  app_secret: (changed)\n" in operator.apply()

        before = mini.app_secret_set_at
        mini.refresh_from_db()
        assert mini.app_secret() == APP_SECRET
        assert mini.app_secret_set_at > before
        assert operator.apply() == "No changes.\n"

    def test_one_that_no_key_decrypts_is_replaced_only_when_told_to(self, mini, operator, settings):
        settings.ENCRYPTION_KEYS = (b"x" * 32,)

        assert operator.is_refused() == [
            f"{line}: user_pools[0].identity_sources[{position}].app_secret: can't be compared: "
            "no key of ENCRYPTION_KEYS decrypts the present one. Add that key, or run again with "
            "--overwrite to replace the secret."
            for position, line in enumerate((9, 15))
        ]
        operator.apply(operator.text, "--overwrite")

        mini.refresh_from_db()
        assert mini.app_secret() == sandbox_app_secret("wxsandbox000000001")


class TestClientSecret:
    @pytest.fixture(autouse=True)
    def _first_secret(self, operator):
        operator.set(WEB_SECRET=FIRST)

    def test_one_rotated_away_in_the_console_does_not_come_back(self, operator, web):
        rotate_in_console(web, SECOND, overlap=-timedelta(hours=1))

        assert operator.is_refused() == [
            f"25: user_pools[0].applications[1].client_secret: {ROTATED}"
        ]
        assert list(usable_secrets(web)) == [token_hash(SECOND)]

    def test_one_deleted_in_the_console_does_not_come_back(self, operator, web):
        web.client_secrets.all().delete()
        ClientSecret.for_application(web, SECOND).save()

        assert operator.is_refused() == [
            f"25: user_pools[0].applications[1].client_secret: {ROTATED}"
        ]

    def test_another_one_than_the_console_set_is_refused(self, operator, web):
        rotate_in_console(web, SECOND)
        operator.set(WEB_SECRET=THIRD)

        assert operator.is_refused() == [
            f"25: user_pools[0].applications[1].client_secret: {CONSOLE}. {WAY_OUT}"
        ]

    def test_one_given_by_the_console_beside_the_files_keeps_it_from_changing(self, operator, web):
        ClientSecret.for_application(web, SECOND).save()
        assert operator.apply() == "No changes.\n"

        operator.set(WEB_SECRET=THIRD)

        assert operator.is_refused() == [
            f"25: user_pools[0].applications[1].client_secret: {CONSOLE}. {WAY_OUT}"
        ]

    def test_one_that_apply_rotated_away_does_not_come_back(self, operator, web):
        operator.set(WEB_SECRET=SECOND)
        operator.apply()
        operator.set(WEB_SECRET=FIRST)

        assert operator.is_refused() == [
            f"25: user_pools[0].applications[1].client_secret: {ROTATED}"
        ]

    def test_overwriting_brings_one_back_for_good(self, operator, web):
        rotate_in_console(web, SECOND, overlap=-timedelta(hours=1))

        assert "  client_secret: (changed)\n" in operator.apply(operator.text, "--overwrite")

        assert usable_secrets(web)[token_hash(FIRST)] is None
        assert usable_secrets(web)[token_hash(SECOND)] is not None
        assert operator.apply() == "No changes.\n"

    def test_one_whose_rotation_the_console_began_is_no_change(self, operator, web):
        rotate_in_console(web, SECOND)

        assert operator.apply() == "No changes.\n"

    def test_the_one_that_the_console_set_is_adopted(self, operator, web):
        rotate_in_console(web, SECOND)
        operator.set(WEB_SECRET=SECOND)
        assert operator.apply() == "No changes.\n"

        operator.set(WEB_SECRET=THIRD)

        assert "  client_secret: (changed)\n" in operator.apply()

    def test_the_old_one_works_for_a_day_beside_the_new_one(self, operator, web):
        operator.set(WEB_SECRET=SECOND)

        operator.apply()

        secrets = usable_secrets(web)
        left = secrets[token_hash(FIRST)] - timezone.now()
        assert CLIENT_SECRET_OVERLAP - timedelta(minutes=1) < left <= CLIENT_SECRET_OVERLAP
        assert secrets[token_hash(SECOND)] is None
        assert operator.apply() == "No changes.\n"

    def test_an_overlap_that_ends_sooner_is_not_made_longer(self, operator, web):
        rotate_in_console(web, SECOND)
        ends_at = usable_secrets(web)[token_hash(FIRST)]
        operator.set(WEB_SECRET=THIRD)

        operator.apply(operator.text, "--overwrite")

        assert usable_secrets(web)[token_hash(FIRST)] == ends_at

    def test_authentication_switched_off_in_the_console_is_refused(self, operator, web):
        Application.objects.filter(pk=web.pk).update(client_authentication="none")

        assert operator.is_refused() == [
            (
                f"25: user_pools[0].applications[1].client_secret: {CONSOLE} "
                f'(it is "none" now). {WAY_OUT}'
            )
        ]


class TestArchivedSource:
    @pytest.fixture(autouse=True)
    def _archived(self, acme):
        IdentitySource.objects.filter(identifier="acme-site").update(archived_at=timezone.now())

    def test_another_app_id_under_its_identifier_is_refused(self, operator):
        text = operator.text.replace("wxsandbox000000002", "wxsandbox000000003")

        assert operator.is_refused(text) == [
            (
                "14: user_pools[0].identity_sources[1].app_id: "
                'can\'t be changed: it is "wxsandbox000000002".'
            )
        ]

    def test_it_is_not_taken_up_without_its_type_and_app_id(self, operator):
        assert operator.is_refused(
            "user_pools: [{identifier: acme, identity_sources: [{identifier: acme-site}]}]"
        ) == [
            (
                "1: user_pools[0].identity_sources[0].app_id: "
                "is required to take an archived source up again."
            ),
            (
                "1: user_pools[0].identity_sources[0].type: "
                "is required to take an archived source up again."
            ),
        ]

    def test_it_is_not_taken_up_beside_another_with_its_app_id(self, operator, acme):
        operator.apply(
            "user_pools: [{identifier: acme, identity_sources: [{identifier: new-site, "
            "type: wechat_website, display_name: New, app_id: wxsandbox000000002, "
            "app_secret: {env: SITE_SECRET}, mode: sandbox}]}]"
        )

        assert operator.is_refused() == [
            "14: user_pools[0].identity_sources[1].app_id: is that of the pool's source new-site."
        ]

    def test_an_application_cannot_offer_it(self, operator):
        problems = operator.is_refused(
            "user_pools: [{identifier: acme, applications: "
            "[{client_id: acme-web, login_methods: [acme-site]}]}]"
        )

        assert problems == [
            (
                "1: user_pools[0].applications[0].login_methods[0]: "
                "the pool has no identity source of this name. Did you mean acme-mini?"
            )
        ]

    def test_it_is_taken_up_again_and_the_plan_says_so(self, operator):
        before = IdentitySource.objects.get(identifier="acme-site")

        assert operator.apply() == (
            "identity source acme/acme-site: take up again\n"
            "In all: 1 to take up again, 4 to leave as it is.\n"
            "Applied.\n"
        )

        after = IdentitySource.objects.get(identifier="acme-site")
        assert (after.pk, after.archived_at) == (before.pk, None)
        assert operator.apply() == "No changes.\n"
