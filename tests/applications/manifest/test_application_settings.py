"""How an application proves itself, and what else it may say of itself in a file."""

import json

import pytest
from joserfc.jwk import ECKey

from applications.manifest.exporting import export_manifest
from applications.models import Application
from tests.support.manifests import ACME

KEY = ECKey.generate_key("P-256", {"kid": "2026", "use": "sig"})
JWKS = {"keys": [KEY.as_dict(private=False)]}
WEB = "        client_secret: {env: WEB_SECRET}\n"
SHOP = "        type: mini_program\n"
SETTINGS = f"""\
        client_authentication: private_key_jwt
        jwks: {json.dumps(JWKS)}
        signing_algorithm: RS256
        pkce: optional
        requires_consent: true
        allows_device_flow: true
        refresh_leeway: 45
        backchannel_logout_uri: https://shop.example.com/logged-out
        post_logout_redirect_uris: ["https://shop.example.com/", "https://shop.example.com/bye"]
"""


def with_web(lines: str, *, keep_secret: bool = False) -> str:
    assert ACME.count(WEB) == 1
    return ACME.replace(WEB, f"{WEB if keep_secret else ''}{lines}")


def line(key: str, value: object) -> str:
    return f"        {key}: {json.dumps(value)}\n"


def reasons(problems: list[str]) -> list[str]:
    """Return the problems without line and application."""
    return [problem.partition("].applications[1].")[2] for problem in problems]


def keys_of(exported: str) -> list[str]:
    rows = exported.splitlines()[1:]
    return [row[8:].partition(":")[0] for row in rows if row[:8].isspace() and row[8:9].isalpha()]


def empty_the_server():
    Application.objects.get(client_id="acme-web").login_methods.all().delete()
    Application.objects.get(client_id="acme-web").client_secrets.all().delete()
    Application.objects.filter(client_id="acme-web").delete()


@pytest.fixture(params=["new", "there"])
def anywhere(request, operator):
    """Whether the application is there already."""
    if request.param == "there":
        request.getfixturevalue("acme")
    else:
        request.getfixturevalue("db")
    return operator


SECONDS = "must be a whole number of seconds from 0 to 60."


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            line("client_authentication", "client_secret_jwt"),
            (
                "client_authentication: must be one of none, client_secret, private_key_jwt. "
                "Did you mean client_secret?"
            ),
        ),
        (
            line("signing_algorithm", "HS256"),
            "signing_algorithm: must be one of ES256, RS256. Did you mean RS256?",
        ),
        (line("pkce", False), "pkce: must be a string: one of required, optional."),
        (
            line("requires_consent", "yes"),
            "requires_consent: must be true or false, without quotation marks.",
        ),
        (
            line("allows_device_flow", 1),
            "allows_device_flow: must be true or false, without quotation marks.",
        ),
        *(
            (line("refresh_leeway", wrong), f"refresh_leeway: {SECONDS}")
            for wrong in (-1, 61, 30.0, "30", True)
        ),
        (
            line("backchannel_logout_uri", "http://shop.example.com/"),
            "backchannel_logout_uri: Use https; http is for localhost, 127.0.0.1 and [::1] only.",
        ),
        (line("jwks", None), "jwks: has no value."),
        (line("jwks", []), 'jwks: Paste a JWK set: {"keys": […]} with one to ten keys.'),
        (
            line("jwks", {"keys": [JWKS["keys"][0] | {"kid": 7}]}),
            "jwks: One of the keys isn't a JWK (RFC 7517).",
        ),
        (
            line("jwks", {"keys": [KEY.as_dict(private=True)]}),
            "jwks: This is a private key: keep it, and paste the public one.",
        ),
        (
            line("post_logout_redirect_uris", ["http://shop.example.com/"]),
            (
                "post_logout_redirect_uris[0]: "
                "Use https; http is for localhost, 127.0.0.1 and [::1] only."
            ),
        ),
        (
            line("post_logout_redirect_uris", ["https://a.example/", "https://a.example/"]),
            "post_logout_redirect_uris[1]: stands in the list twice.",
        ),
        (line("post_logout_redirect_uris", "x"), "post_logout_redirect_uris: must be a list."),
        (
            line("client_authentication", "private_key_jwt") + line("jwks", JWKS),
            "client_authentication: must be client_secret where a client_secret is given.",
        ),
    ],
)
def test_what_is_malformed_is_named_and_not_quoted(anywhere, lines, expected):
    problems = anywhere.is_refused(with_web(lines, keep_secret=True))

    assert reasons(problems) == [expected]
    assert KEY.as_dict(private=True)["d"] not in "".join(problems)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            line("client_authentication", "none"),
            "client_authentication: An application of this type must have a secret.",
        ),
        (
            line("client_authentication", "private_key_jwt"),
            "jwks: private_key_jwt needs the application's public keys.",
        ),
    ],
)
def test_what_proves_nothing_is_refused(acme, operator, lines, expected):
    assert reasons(operator.is_refused(with_web(lines))) == [expected]


@pytest.mark.parametrize(
    ("type_", "lines", "expected"),
    [
        (
            "spa",
            line("pkce", "optional"),
            "pkce: An application that proves itself by nothing needs PKCE.",
        ),
        (
            "machine",
            line("allows_device_flow", True) + WEB,
            "allows_device_flow: An application of this type can't use it.",
        ),
        (
            "native",
            line("client_authentication", "private_key_jwt") + line("jwks", JWKS),
            "client_authentication: An application of this type can't keep a key.",
        ),
        (
            "spa",
            line("client_authentication", "client_secret"),
            "client_secret: is required: a confidential application needs a secret.",
        ),
        (
            "web",
            line("client_authentication", "private_key_jwt"),
            "jwks: private_key_jwt needs the application's public keys.",
        ),
        (
            "web",
            line("pkce", "optional"),
            "client_secret: is required: a confidential application needs a secret.",
        ),
    ],
)
def test_a_new_application_gets_nothing_that_its_type_cant_use(
    db, operator, type_, lines, expected
):
    text = with_web(lines).replace("type: web\n", f"type: {type_}\n")
    text = text.replace("        login_methods: [acme-site, acme-mini]\n", "")

    assert reasons(operator.is_refused(text)) == [expected]
    assert not Application.objects.exists()


def test_a_setting_that_contradicts_what_is_there_is_refused(acme, operator, web):
    shop = ACME.replace(SHOP, f"{SHOP}        pkce: optional\n")

    (problem,) = operator.is_refused(shop)

    assert problem.endswith(
        "applications[0].pkce: An application that proves itself by nothing needs PKCE."
    )


def test_settings_are_applied_whether_or_not_the_application_is_there(anywhere):
    anywhere.apply(with_web(SETTINGS))

    web = Application.objects.get(client_id="acme-web")
    assert web.client_authentication == "private_key_jwt"
    assert web.jwks == JWKS
    assert web.signing_algorithm == "RS256"
    assert web.pkce == "optional"
    assert web.requires_consent
    assert web.allows_device_flow
    assert web.refresh_leeway == 45
    assert web.backchannel_logout_uri == "https://shop.example.com/logged-out"
    assert [row.uri for row in web.post_logout_redirect_uris.order_by("position")] == [
        "https://shop.example.com/",
        "https://shop.example.com/bye",
    ]
    assert anywhere.apply(with_web(SETTINGS)) == "No changes.\n"


def test_the_plan_says_what_is_set(acme, operator):
    printed = operator.apply(with_web(SETTINGS), "--plan")

    assert '  client_authentication: "client_secret" → "private_key_jwt"\n' in printed
    assert "  requires_consent: false → true\n" in printed
    assert '  backchannel_logout_uri: "" → "https://shop.example.com/logged-out"\n' in printed
    assert '  post_logout_redirect_uris: [] → ["https://shop.example.com/", ' in printed


def test_keys_that_the_file_lacks_stay_as_they_are(acme, operator):
    operator.apply(with_web(SETTINGS))

    assert operator.apply(with_web("")) == "No changes.\n"
    web = Application.objects.get(client_id="acme-web")
    assert (web.pkce, web.jwks, web.requires_consent) == ("optional", JWKS, True)
    assert web.post_logout_redirect_uris.count() == 2


def test_giving_a_client_secret_makes_an_application_confidential_again(acme, operator):
    operator.apply(with_web(SETTINGS))

    operator.apply()

    web = Application.objects.get(client_id="acme-web")
    assert web.client_authentication == "client_secret"
    assert web.jwks == JWKS


def test_an_address_and_a_list_can_be_taken_away(acme, operator):
    operator.apply(with_web(SETTINGS))

    operator.apply(
        with_web(line("backchannel_logout_uri", "") + line("post_logout_redirect_uris", []))
    )

    web = Application.objects.get(client_id="acme-web")
    assert web.backchannel_logout_uri == ""
    assert not web.post_logout_redirect_uris.exists()


def test_a_setting_changed_in_the_console_is_refused(acme, operator):
    operator.apply(with_web(SETTINGS))
    Application.objects.filter(client_id="acme-web").update(
        requires_consent=False, client_authentication="client_secret"
    )

    problems = reasons(operator.is_refused(with_web(SETTINGS)))

    assert [problem.partition(" (it is")[0] for problem in problems] == [
        "client_authentication: was changed in the console since the last apply",
        "requires_consent: was changed in the console since the last apply",
    ]


def test_a_row_that_is_older_than_a_setting_takes_it_from_the_file(acme, operator, web):
    web.applied = {name: value for name, value in web.applied.items() if name != "requires_consent"}
    web.save()

    operator.apply(with_web(line("requires_consent", True), keep_secret=True))

    web.refresh_from_db()
    assert web.requires_consent


def test_a_setting_that_the_console_made_is_not_taken_for_an_old_row(acme, operator, web):
    web.applied = {name: value for name, value in web.applied.items() if name != "pkce"}
    web.pkce = "optional"
    web.save()

    problems = operator.is_refused(with_web(line("pkce", "required"), keep_secret=True))

    assert reasons(problems)[0].startswith('pkce: was set in the console (it is "optional" now).')


def test_settings_are_exported_where_they_are_unusual(acme, operator):
    operator.apply(with_web(SETTINGS))

    exported = operator.export()

    shop, web = exported.partition("applications:")[2].split("- client_id: ")[1:]
    assert keys_of(shop) == ["name", "type", "enabled", "redirect_uris", "login_methods"]
    assert keys_of(web) == [
        "name",
        "type",
        "enabled",
        "client_authentication",
        "redirect_uris",
        "signing_algorithm",
        "jwks",
        "pkce",
        "requires_consent",
        "allows_device_flow",
        "refresh_leeway",
        "backchannel_logout_uri",
        "post_logout_redirect_uris",
        "login_methods",
    ]


def test_what_was_exported_makes_the_same_again(acme, operator):
    operator.apply(with_web(SETTINGS))
    operator.set(**{f"ACME_ACME_{name}": value for name, value in operator.secrets.items()})
    exported = operator.export()

    assert operator.apply(exported) == "No changes.\n"
    empty_the_server()
    operator.apply(exported)

    assert export_manifest() == exported
    assert Application.objects.get(client_id="acme-web").jwks == JWKS
