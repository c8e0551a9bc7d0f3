"""A pool's identifier in a URL: nothing that can't be one reaches the database."""

import pytest


@pytest.mark.parametrize(
    "identifier", ["Acme", "acme_2", "a.b", "a" * 65, "%00", "acme%2Fx", "..", "acme%0a", "登录"]
)
def test_what_cant_be_a_pool_is_not_looked_up(client, db, django_assert_num_queries, identifier):
    with django_assert_num_queries(0):
        response = client.get(f"/oidc/{identifier}/jwks.json")

    assert response.status_code == 404


def test_a_pool_is_looked_up(client, acme):
    assert client.get("/oidc/acme/jwks.json").status_code == 200
