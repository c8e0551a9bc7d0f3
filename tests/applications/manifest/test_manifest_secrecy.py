"""No secret is in anything that is printed, raised or remembered, not even in part."""

import json
import os
import traceback

import pytest
from django.core.management import CommandError, call_command

from applications.manifest.applying import preview
from applications.manifest.entries import read_entries
from applications.manifest.reading import read_document
from applications.models import Application
from identity_sources.models import IdentitySource
from userpools.models import UserPool

APP_SECRET = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
CLIENT_SECRET = "Hunter-2-is-not-a-good-one-but-long-enough"


def leaks(text, secret=CLIENT_SECRET):
    """Return the parts of a secret, of 6 characters and more, that the text shows."""
    parts = {secret[start : start + 6] for start in range(len(secret) - 5)}
    return sorted(part for part in parts if part.lower() in text.lower())


@pytest.fixture
def file(tmp_path):
    return tmp_path / "secret.yaml"


@pytest.mark.parametrize(
    "line",
    [
        "client_secret: *{secret}",
        "client_secret: @{secret}",
        "client_secret: !{secret} x",
        "client_secret: !{secret}!x y",
        "client_secret: &{secret} [",
        "client_secret: %{secret}\n  x",
        "client_secret: '{secret}\n",
        'client_secret: "{secret}\\q"',
        "client_secret: |{secret}\n  x",
        "client_secret: {secret}\n client_secret: {secret}",
        "client_secret: {secret}\nclient_secret: {secret}",
        "client_secret: {secret}\nnonsense",
        "client_secret:{secret}",
        "{{client_secret:{secret}}}",
        "{{client_secret: {{{secret}}}}}",
        "{{client_secret: {{{secret}: x}}}}",
        "{{client_secret: {{env: {secret}}}}}",
        "{{client_secret: {{environment: {secret}}}}}",
        "{{client_secret: [{secret}]}}",
        "{{client_secret: {secret} }}",
        "{{client_secret: ' {secret}'}}",
        "{{client_secret: '{secret}\\n'}}",
        '{{client_secret: "{secret}\\ud800"}}',
        "{{app_secret: {secret}}}",
        "{{type: {secret}}}",
        "{{enabled: {secret}}}",
        "{{user_pools: {secret}}}",
        "{{'{secret}': 1}}",
        "? [{secret}]\n: 1",
        "%{secret}\n---\na: 1",
        "a: {secret}\n---\nb: {secret}",
        "\x00{secret}",
    ],
)
@pytest.mark.parametrize("depth", ["file", "application"])
def test_no_mistake_in_a_file_shows_a_secret(db, file, line, depth, recwarn):
    text = line.format(secret=CLIENT_SECRET)
    if depth == "application":
        indented = text.replace("\n", "\n          ")
        text = f"user_pools:\n  - identifier: acme\n    applications:\n      - {indented}\n"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(CommandError) as refusal:
        call_command("apply", str(file))

    printed = "".join(traceback.format_exception(refusal.value, chain=True))
    assert leaks("\n".join([str(refusal.value), repr(refusal.value.__context__)])) == []
    assert leaks(printed) == []
    assert [warning for warning in recwarn if leaks(str(warning.message))] == []


def test_no_plan_no_export_and_nothing_remembered_shows_a_secret(db, operator, caplog):
    operator.set(MINI_SECRET=APP_SECRET, WEB_SECRET=CLIENT_SECRET)
    operator.apply(operator.text, "--plan")
    operator.apply()
    operator.export()
    operator.set(MINI_SECRET=APP_SECRET[::-1], WEB_SECRET=CLIENT_SECRET[::-1])
    operator.apply(operator.text, "--plan")
    operator.apply()
    operator.set(MINI_SECRET=APP_SECRET, WEB_SECRET=CLIENT_SECRET)
    operator.is_refused()
    operator.apply(operator.text, "--overwrite")
    remembered = [
        json.dumps(row.applied)
        for model in (UserPool, IdentitySource, Application)
        for row in model.objects.all()
    ]

    everything = "\n".join([*operator.heard, *remembered, caplog.text])

    assert len(operator.heard) == 8
    for secret in (APP_SECRET, APP_SECRET[::-1], CLIENT_SECRET, CLIENT_SECRET[::-1]):
        assert leaks(everything, secret) == []
    assert "app_secret: (set)" in everything
    assert "client_secret: (changed)" in everything


def test_no_object_shows_a_secret_when_it_is_printed(db, operator):
    operator.set(MINI_SECRET=APP_SECRET, WEB_SECRET=CLIENT_SECRET)
    manifest = read_entries(read_document(operator.text), os.environ)
    plan = preview(manifest, overwrite=False)

    for printed in (repr(manifest), repr(plan), str(plan)):
        assert leaks(printed, APP_SECRET) + leaks(printed, CLIENT_SECRET) == []


def test_a_literal_secret_is_not_shown_either(db, operator):
    text = operator.text.replace("{env: WEB_SECRET}", CLIENT_SECRET)
    document = read_document(text)

    operator.apply(text)

    assert leaks(operator.heard[-1]) == []
    assert leaks(repr(document)) == []
