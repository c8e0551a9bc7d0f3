"""What ties a user to WeChat, named by the sources of the user's own pool."""

from accounts.users.ties import ties_of
from tests.accounts.admin.conftest import make_pair, make_person


def test_whoever_has_no_wechat_has_no_ties(acme, globex):
    assert ties_of(make_pair(globex)[0])[0].openids[0].account.openid == "o-of-alice"
    user = make_person(acme, 1)
    user.linked_accounts.all().delete()

    assert ties_of(user) == []


def test_rows_of_one_wechat_account_are_one_tie(acme):
    user = make_person(acme, 1)
    assert len(ties_of(user)) == 2

    user.linked_accounts.update(wechat_identity=user.linked_accounts.first().wechat_identity)

    (tie,) = ties_of(user)
    assert tie.accounts == 2
    assert [row.unionid for row in tie.unionids] == [f"oSANDBOX_unionid_{1:012d}"]
    assert [known.source for known in tie.openids] == ["Mini program"]


def test_an_openid_of_no_source_has_no_name_and_another_pools_source_lends_none(acme, globex):
    user = make_person(acme, 1)
    user.linked_accounts.filter(kind="openid").update(app_id=globex.source.app_id)

    names = [known.source for tie in ties_of(user) for known in tie.openids]

    assert names == [""]
