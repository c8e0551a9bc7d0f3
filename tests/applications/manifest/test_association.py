"""Association in the manifest: what each source may say, when it is new and when it is there."""

import pytest

from identity_sources.models import IdentitySource
from tests.support.manifests import ACME

MINI = "        app_secret: {env: MINI_SECRET}\n"
SITE = "        app_secret: {env: SITE_SECRET}\n"
REFUSED = (
    "user_pools[0].identity_sources[1].association: "
    "only a mini program gives phone numbers to match by."
)


def with_association(after: str, word: str) -> str:
    return ACME.replace(after, f"{after}        association: {word}\n")


@pytest.mark.django_db
def test_a_new_website_app_matches_nobody_by_phone_number(operator):
    problems = operator.is_refused(with_association(SITE, "field"))

    assert [problem.partition(": ")[2] for problem in problems] == [REFUSED]
    assert not IdentitySource.objects.exists()


def test_a_website_app_that_is_there_matches_nobody_by_phone_number(acme, operator):
    problems = operator.is_refused(with_association(SITE, "field"))

    assert [problem.partition(": ")[2] for problem in problems] == [REFUSED]
    assert not IdentitySource.objects.filter(association="field").exists()


@pytest.mark.parametrize("word", ["field", "ask", "none"])
def test_a_mini_program_takes_every_association_and_it_is_exported(acme, operator, word, mini):
    manifest = with_association(MINI, word)

    operator.apply(manifest)

    mini.refresh_from_db()
    assert mini.association == word
    assert f"association: {word}" in operator.export("acme")
    assert operator.apply(manifest).strip() == "No changes."


def test_a_website_app_may_ask(acme, operator):
    operator.apply(with_association(SITE, "ask"))

    assert IdentitySource.objects.get(identifier="acme-site").association == "ask"
