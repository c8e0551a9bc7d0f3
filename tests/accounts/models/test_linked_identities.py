"""The WeChat identities of a user, named by the sources of the user's own pool."""

from accounts.models import linked_identities
from tests.support.people import make_pair, make_person


def test_a_user_without_wechat_has_no_identity(acme, globex):
    assert linked_identities(make_pair(globex)[0])[0].openids[0].openid == "o-of-alice"
    user = make_person(acme, 1)
    user.linked_accounts.all().delete()

    assert linked_identities(user) == []


def test_rows_of_one_wechat_account_are_one_identity(acme):
    user = make_person(acme, 1)
    assert len(linked_identities(user)) == 2

    user.linked_accounts.update(wechat_identity=user.linked_accounts.first().wechat_identity)

    (identity,) = linked_identities(user, with_sources=True)
    assert len(identity.accounts) == 2
    assert [row.unionid for row in identity.unionids] == [f"oSANDBOX_unionid_{1:012d}"]
    assert [row.source_name for row in identity.openids] == ["Mini program"]


def test_an_openid_of_no_source_has_no_name_and_another_pools_source_lends_none(acme, globex):
    user = make_person(acme, 1)
    user.linked_accounts.filter(kind="openid").update(app_id=globex.source.app_id)

    names = [
        row.source_name
        for item in linked_identities(user, with_sources=True)
        for row in item.openids
    ]

    assert names == [""]
