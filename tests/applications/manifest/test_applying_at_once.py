"""Several operators apply at the same time: one consistent result, by locks and constraints."""

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction

from applications.manifest.applying import apply_manifest
from applications.manifest.entries import read_entries
from applications.manifest.plan import Action
from applications.manifest.problems import ManifestRefused
from applications.manifest.reading import read_document
from applications.models import Application, ClientSecret, LoginMethod, RedirectURI
from identity_sources.models import IdentitySource
from userpools.models import SigningKey, UserPool

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,  # SQLite has one writer at a time anyway
]
THREADS = 6


def apply_at_once(texts, **options):
    """Apply each text in a thread of its own; return the plans or refusals, in their order."""
    start = Barrier(len(texts))

    def apply(text):
        try:
            manifest = read_entries(read_document(text), os.environ)
            start.wait(timeout=10)
            return apply_manifest(manifest, overwrite=options.get("overwrite", False))
        except ManifestRefused as refused:
            return [str(problem) for problem in refused.problems]
        finally:
            connection.close()

    with ThreadPoolExecutor(len(texts)) as threads:
        return list(threads.map(apply, texts))


def test_the_same_new_file_is_applied_once(operator):
    plans = apply_at_once([operator.text] * THREADS)

    assert sorted(str(plan) == "No changes." for plan in plans) == [False] + [True] * (THREADS - 1)
    counts = {
        model.__name__: model.objects.count()
        for model in (
            UserPool,
            SigningKey,
            IdentitySource,
            Application,
            ClientSecret,
            RedirectURI,
            LoginMethod,
        )
    }
    assert counts == {
        "UserPool": 1,
        "SigningKey": 2,
        "IdentitySource": 2,
        "Application": 2,
        "ClientSecret": 1,
        "RedirectURI": 1,
        "LoginMethod": 3,
    }


def test_two_different_files_leave_the_whole_of_one(operator):
    operator.apply()
    uris = ["https://one.example/", "https://two.example/"]
    texts = [
        operator.text.replace("name: Acme", f"name: {uri}").replace(
            "https://shop.example.com/callback", uri
        )
        for uri in uris
    ]

    plans = apply_at_once(texts)

    # Both are the file's changes: the later one wins, whole.
    assert [plan.pools[0].pool.action for plan in plans] == [Action.CHANGE, Action.CHANGE]
    pool = UserPool.objects.get()
    assert pool.name in uris
    assert Application.objects.get(client_id="acme-web").name == f"{pool.name} web"
    assert RedirectURI.objects.get().uri == pool.name


def test_pools_named_in_another_order_do_not_wait_in_a_circle(db):
    names = [f"pool-{number}" for number in range(8)]

    def text(order):
        return "user_pools:\n" + "".join(
            f"  - {{identifier: {name}, name: {name}}}\n" for name in order
        )

    plans = apply_at_once([text(names), text(names[::-1])] * 3)

    assert sum(str(plan) == "No changes." for plan in plans) == 5
    assert UserPool.objects.count() == 8


def test_a_client_id_taken_meanwhile_is_refused_and_nothing_of_that_file_is_applied(db):
    texts = [
        f"user_pools: [{{identifier: {name}, name: N, applications: "
        f"[{{client_id: wanted, name: N, type: spa}}]}}]"
        for name in ("one", "two")
    ]

    results = apply_at_once(texts)

    (refused,) = [result for result in results if isinstance(result, list)]
    assert refused == ["1: user_pools[0].applications[0].client_id: belongs to another user pool."]
    assert UserPool.objects.get() == Application.objects.get().pool


def test_a_console_change_made_while_apply_waits_is_seen(operator):
    operator.apply()
    text = operator.text.replace("name: Acme\n", "name: Acme 2\n")

    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        UserPool.objects.update(name="Acme of the console")
        waiting = threads.submit(apply_at_once, [text])
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.5)

    (problems,) = waiting.result(timeout=10)
    assert len(problems) == 1
    assert UserPool.objects.get().name == "Acme of the console"


def test_a_fault_of_ours_is_raised_at_once(operator, monkeypatch):
    tries = []

    def write(_writer, plan):
        tries.append(plan)
        UserPool.objects.create(identifier="another", name=None)

    monkeypatch.setattr("applications.manifest.applying._PoolWriter.write", write)

    with pytest.raises(IntegrityError):
        apply_at_once([operator.text])
    assert len(tries) == 1
