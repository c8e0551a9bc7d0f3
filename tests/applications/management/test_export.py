from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from userpools.pools import create_pool


def export(*arguments):
    out = StringIO()
    call_command("export", *arguments, stdout=out)
    return out.getvalue()


def test_an_unknown_pool_is_an_error(db):
    with pytest.raises(CommandError, match=r"There is no user pool 'acme'\."):
        export("acme")


def test_a_server_without_pools_exports_an_empty_list(db):
    assert export() == "user_pools: []\n"


def test_a_pool_without_anything_in_it_is_exported(db):
    create_pool(identifier="acme", name="Acme")
    create_pool(identifier="globex", name="Globex")

    assert export("acme") == (
        "user_pools:\n"
        "  - identifier: acme\n"
        "    name: Acme\n"
        "    merge: automatic\n"
        "    genauth_compatible: false\n"
        "    identity_sources: []\n"
        "    applications: []\n"
    )
