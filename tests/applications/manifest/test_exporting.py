import re
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from applications.manifest.exporting import export_manifest
from applications.manifest.reading import read_document
from applications.models import Application, ClientSecret, LoginMethod, RedirectURI
from identity_sources.models import IdentitySource
from userpools.models import SigningKey, UserPool

EXPORT_OF_ACME = """\
user_pools:
  - identifier: acme
    name: Acme
    merge: automatic
    genauth_compatible: false
    identity_sources:
      - identifier: acme-mini
        type: wechat_mini_program
        display_name: Acme mini program
        app_id: wxsandbox000000001
        app_secret: {env: ACME_ACME_MINI_SECRET}
        mode: sandbox
        registration: open
        association: none
        enabled: true
      - identifier: acme-site
        type: wechat_website
        display_name: Acme site
        app_id: wxsandbox000000002
        app_secret: {env: ACME_ACME_SITE_SECRET}
        mode: sandbox
        registration: open
        association: none
        enabled: true
    applications:
      - client_id: acme-shop
        name: Acme shop
        type: mini_program
        enabled: true
        redirect_uris: []
        login_methods:
          - acme-mini
      - client_id: acme-web
        name: Acme web
        type: web
        enabled: true
        client_secret: {env: ACME_ACME_WEB_SECRET}
        redirect_uris:
          - https://shop.example.com/callback
        login_methods:
          - acme-site
          - acme-mini
"""


def set_exported_secrets(operator):
    operator.set(**{f"ACME_ACME_{name}": value for name, value in operator.secrets.items()})


def empty_the_server():
    for model in (LoginMethod, RedirectURI, ClientSecret, Application, IdentitySource):
        model.objects.all().delete()
    SigningKey.objects.all().delete()
    UserPool.objects.all().delete()


def test_an_unknown_pool_is_refused(acme, operator):
    with pytest.raises(CommandError, match=r"^There is no user pool 'nope'\.$"):
        operator.export("nope")


def test_the_export_has_the_keys_in_order_and_secrets_as_references(acme, operator):
    assert operator.export() == EXPORT_OF_ACME


def test_one_pool_alone_can_be_exported(acme, operator):
    operator.apply("user_pools: [{identifier: globex, name: Globex}]")

    assert operator.export("acme") == EXPORT_OF_ACME
    assert re.findall("  - identifier: (.*)\n    name", operator.export()) == ["acme", "globex"]


def test_applying_an_export_changes_nothing(acme, operator):
    operator.apply(
        operator.text.replace(
            "[acme-site, acme-mini]",
            "[{source: acme-mini, enabled: false}, acme-site]",
        )
    )
    set_exported_secrets(operator)
    exported = operator.export()

    assert "          - {source: acme-mini, way: mini_program_scan, enabled: false}\n" in exported
    assert operator.apply(exported) == "No changes.\n"
    assert operator.export() == exported


def test_an_export_makes_the_same_on_an_empty_server(acme, operator):
    exported = operator.export()
    set_exported_secrets(operator)
    empty_the_server()

    operator.apply(exported)

    assert operator.export() == exported


def test_archived_sources_and_their_methods_are_left_out(acme, operator):
    IdentitySource.objects.filter(identifier="acme-site").update(archived_at=timezone.now())
    set_exported_secrets(operator)

    exported = operator.export()

    assert "acme-site" not in exported
    assert operator.apply(exported) == "No changes.\n"


def test_two_secrets_never_share_a_variable(db, operator):
    operator.apply(
        "user_pools:\n"
        "  - {identifier: 2-a, name: A, applications: ["
        "{client_id: b-c, name: N, type: web, client_secret: {env: WEB_SECRET}},"
        "{client_id: b.c, name: N, type: web, client_secret: {env: WEB_SECRET}}]}\n"
        "  - {identifier: 2-a-b, name: A, applications: ["
        "{client_id: c, name: N, type: web, client_secret: {env: WEB_SECRET}}]}\n"
    )

    assert re.findall(r"\{env: (.*)\}", operator.export()) == [
        "_2_A_B_C_SECRET",
        "_2_A_B_C_SECRET_2",
        "_2_A_B_C_SECRET_3",
    ]


@settings(
    max_examples=200,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(name="\x85")
@example(name=" a\n b\t\u2028\ufeff ")
@example(name="yes")
@example(name="2026-01-01")
@example(name="爱丽🌸 'x\" #: {}")
@given(name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_name_comes_back_as_it_was(acme, name):
    UserPool.objects.update(name=name[:100])

    (pool,) = read_document(export_manifest()).value["user_pools"]

    assert pool["name"] == name[:100]


def test_the_example_applies_with_its_variables_set(db, operator):
    text = Path("examples/acme.yaml").read_text(encoding="utf-8")
    operator.set(
        ACME_MINI_SECRET="0123456789abcdef0123456789abcdef",
        ACME_SITE_SECRET="fedcba9876543210fedcba9876543210",
        ACME_WEB_SECRET="first-made-up-secret-of-the-web-application",
    )

    assert operator.apply(text).endswith("In all: 5 to create.\nApplied.\n")
    assert operator.apply(text) == "No changes.\n"
    assert Application.objects.count() == 2
