import re

import pytest

from applications.models import Application, ClientSecret, LoginMethod, RedirectURI
from config.kernel.encryption import token_hash
from identity_sources.models import IdentitySource
from identity_sources.sandbox.world import sandbox_app_secret
from userpools.models import SigningKey, UserPool

GLOBEX = """\
  - identifier: globex
    name: Globex
    applications:
      - client_id: globex-spa
        name: Globex
        type: spa
"""


def methods_of(application):
    rows = application.login_methods.order_by("position", "pk")
    return [(row.identity_source.identifier, row.way, row.enabled) for row in rows]


def uris_of(application):
    return [row.uri for row in application.redirect_uris.order_by("position")]


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (
            "type: wechat_website",
            "type: wechat_official_account",
            (
                "12: user_pools[0].identity_sources[1].type: "
                'can\'t be changed: it is "wechat_website".'
            ),
        ),
        (
            "app_id: wxsandbox000000002",
            "app_id: wxsandbox000000003",
            (
                "14: user_pools[0].identity_sources[1].app_id: "
                'can\'t be changed: it is "wxsandbox000000002".'
            ),
        ),
        (
            "        mode: sandbox\n    applications:",
            "        mode: live\n    applications:",
            '16: user_pools[0].identity_sources[1].mode: can\'t be changed: it is "sandbox".',
        ),
        (
            "type: web\n",
            "type: spa\n",
            '24: user_pools[0].applications[1].type: can\'t be changed: it is "web".',
        ),
        (
            "identifier: acme-mini\n",
            "identifier: acme-other\n",
            "8: user_pools[0].identity_sources[0].app_id: is that of the pool's source acme-mini.",
        ),
        (
            "- identifier: acme\n",
            "- identifier: globex\n",
            "18: user_pools[0].applications[0].client_id: belongs to another user pool.",
        ),
    ],
)
def test_what_can_never_change_is_refused(acme, operator, before, after, problem):
    assert problem in operator.is_refused(operator.text.replace(before, after), "--overwrite")


def test_one_fault_keeps_everything_else_from_being_applied(acme, operator):
    text = operator.text.replace("name: Acme\n", "name: Acme 2\n") + GLOBEX.replace("spa", "web")

    operator.is_refused(text)

    assert list(UserPool.objects.values_list("identifier", "name")) == [("acme", "Acme")]


def test_the_plan_is_printed_and_nothing_is_written(db, operator):
    printed = operator.apply(operator.text, "--plan")

    assert printed == (
        "user pool acme: create\n"
        '  name: "Acme"\n'
        "identity source acme/acme-mini: create\n"
        '  type: "wechat_mini_program"\n'
        '  display_name: "Acme mini program"\n'
        '  app_id: "wxsandbox000000001"\n'
        "  app_secret: (set)\n"
        '  mode: "sandbox"\n'
        "identity source acme/acme-site: create\n"
        '  type: "wechat_website"\n'
        '  display_name: "Acme site"\n'
        '  app_id: "wxsandbox000000002"\n'
        "  app_secret: (set)\n"
        '  mode: "sandbox"\n'
        "application acme/acme-shop: create\n"
        '  type: "mini_program"\n'
        '  name: "Acme shop"\n'
        '  login_methods: ["acme-mini:mini_program"]\n'
        "application acme/acme-web: create\n"
        '  type: "web"\n'
        '  name: "Acme web"\n'
        '  client_authentication: "client_secret"\n'
        "  client_secret: (set)\n"
        '  redirect_uris: ["https://shop.example.com/callback"]\n'
        '  login_methods: ["acme-site:website_qr", "acme-mini:mini_program_scan"]\n'
        "In all: 5 to create.\n"
        "Nothing was written: --plan only prints.\n"
    )
    assert not UserPool.objects.exists()


def test_a_file_makes_pools_with_keys_sources_and_applications(db, operator):
    printed = operator.apply(operator.text + GLOBEX)

    assert printed.endswith("In all: 7 to create.\nApplied.\n")
    acme, globex = UserPool.objects.order_by("identifier")
    assert (acme.name, acme.merge, acme.genauth_compatible) == ("Acme", "automatic", False)
    for pool in (acme, globex):
        assert set(pool.signing_keys.values_list("algorithm", flat=True)) == set(
            SigningKey.Algorithm
        )
    mini = IdentitySource.objects.get(pool=acme, identifier="acme-mini")
    assert mini.app_secret() == sandbox_app_secret("wxsandbox000000001")
    assert (mini.mode, mini.registration, mini.association) == ("sandbox", "open", "none")
    web = Application.objects.get(client_id="acme-web")
    assert web.client_authentication == Application.ClientAuthentication.CLIENT_SECRET
    assert web.enabled
    assert uris_of(web) == ["https://shop.example.com/callback"]
    assert methods_of(web) == [
        ("acme-site", "website_qr", True),
        ("acme-mini", "mini_program_scan", True),
    ]
    assert globex.applications.get().client_authentication == "none"


def test_the_second_time_there_are_no_changes(acme, operator):
    assert operator.apply() == "No changes.\n"
    assert operator.apply(operator.text, "--plan") == "No changes.\n"


def test_the_second_time_nothing_is_written(acme, operator, django_assert_num_queries):
    # Reads and the savepoint of one transaction: not one of them changes a row.
    with django_assert_num_queries(10) as queries:
        operator.apply()

    assert not [
        query
        for query in queries.captured_queries
        if re.match("INSERT|UPDATE|DELETE", query["sql"])
    ]


def test_what_the_file_does_not_mention_stays(acme, operator):
    before = operator.export()

    operator.apply("user_pools: []")
    operator.apply("user_pools: [{identifier: acme}]")
    operator.apply("user_pools: [{identifier: acme, applications: [{client_id: acme-web}]}]")

    assert operator.export() == before


def test_a_change_shows_what_was_and_what_is(acme, operator):
    text = (
        operator.text.replace("name: Acme\n", "name: 极致\n    merge: review\n")
        .replace("mode: sandbox\n    app", "mode: sandbox\n        registration: closed\n    app")
        .replace("type: mini_program\n", "type: mini_program\n        enabled: false\n")
        .replace('["https://shop', '["http://localhost:3000/", "https://shop')
    )

    assert operator.apply(text) == (
        "user pool acme: change\n"
        '  name: "Acme" → "极致"\n'
        '  merge: "automatic" → "review"\n'
        "identity source acme/acme-site: change\n"
        '  registration: "open" → "closed"\n'
        "application acme/acme-shop: change\n"
        "  enabled: true → false\n"
        "application acme/acme-web: change\n"
        '  redirect_uris: ["https://shop.example.com/callback"] → '
        '["http://localhost:3000/", "https://shop.example.com/callback"]\n'
        "In all: 4 to change, 1 to leave as it is.\n"
        "Applied.\n"
    )
    assert operator.apply(text) == "No changes.\n"
    assert not Application.objects.get(client_id="acme-shop").enabled


def test_a_value_can_be_changed_again_and_again_by_the_file(acme, operator):
    for name in ("One", "Two", "Acme", "One"):
        operator.apply(operator.text.replace("name: Acme\n", f"name: {name}\n"))

        assert UserPool.objects.get().name == name


def test_a_default_that_apply_took_can_be_changed_by_the_file(acme, operator):
    operator.apply(operator.text.replace("name: Acme\n", "name: Acme\n    merge: review\n"))

    assert UserPool.objects.get().merge == "review"


def test_redirect_uris_become_what_the_list_says(web, operator):
    kept = RedirectURI.objects.get()
    text = operator.text.replace(
        '["https://shop.example.com/callback"]',
        '["https://new.example.com/", "https://shop.example.com/callback"]',
    )

    operator.apply(text)
    assert uris_of(web) == ["https://new.example.com/", "https://shop.example.com/callback"]
    assert RedirectURI.objects.get(uri=kept.uri).pk == kept.pk

    operator.apply(operator.text.replace('["https://shop.example.com/callback"]', "[]"))
    assert uris_of(web) == []


def test_a_login_method_no_longer_listed_is_switched_off_not_deleted(web, operator):
    text = operator.text.replace("[acme-site, acme-mini]", "[acme-mini]")

    assert (
        '  login_methods: ["acme-site:website_qr", "acme-mini:mini_program_scan"] → '
        '["acme-mini:mini_program_scan"]\n'
    ) in operator.apply(text)

    assert sorted(methods_of(web)) == [
        ("acme-mini", "mini_program_scan", True),
        ("acme-site", "website_qr", False),
    ]
    assert operator.apply(text) == "No changes.\n"


def test_the_order_of_the_list_is_the_order_of_the_methods(web, operator):
    operator.apply(operator.text.replace("[acme-site, acme-mini]", "[acme-mini, acme-site]"))

    assert [source for source, _, _ in methods_of(web)] == ["acme-mini", "acme-site"]


def test_a_login_method_can_name_its_way_and_be_off(web, operator):
    text = operator.text.replace(
        "[acme-site, acme-mini]",
        "[{source: acme-mini, way: mini_program_scan}, {source: acme-site, enabled: false}]",
    )

    operator.apply(text)

    assert methods_of(web) == [
        ("acme-mini", "mini_program_scan", True),
        ("acme-site", "website_qr", False),
    ]
    assert operator.apply(text) == "No changes.\n"


def test_a_source_that_only_the_database_has_can_be_offered(acme, operator):
    operator.apply(
        "user_pools: [{identifier: acme, applications: "
        "[{client_id: acme-2, name: Two, type: spa, login_methods: [acme-site]}]}]"
    )

    assert methods_of(Application.objects.get(client_id="acme-2")) == [
        ("acme-site", "website_qr", True)
    ]


def test_a_public_application_may_be_given_a_secret_later(acme, operator):
    text = operator.text.replace(
        "type: mini_program\n", "type: mini_program\n        client_secret: {env: WEB_SECRET}\n"
    )

    assert operator.apply(text).startswith(
        "application acme/acme-shop: change\n"
        '  client_authentication: "none" → "client_secret"\n'
        "  client_secret: (set)\n"
    )
    shop = Application.objects.get(client_id="acme-shop")
    assert bytes(shop.client_secrets.get().secret_hash) == token_hash(
        "first-made-up-secret-of-the-web-application"
    )


def test_json_is_applied_too(db, operator):
    operator.apply(
        '{\n\t"user_pools":\t[{"identifier": "acme", "name": "\\u6781\\ud83c\\udf38"}]\n}'
    )

    assert UserPool.objects.get().name == "极🌸"


def test_rows_that_other_rows_need_are_never_deleted(acme, operator):
    counts = [model.objects.count() for model in (ClientSecret, LoginMethod, IdentitySource)]

    operator.apply(operator.text.replace("[acme-site, acme-mini]", "[]"))

    assert counts == [
        model.objects.count() for model in (ClientSecret, LoginMethod, IdentitySource)
    ]
