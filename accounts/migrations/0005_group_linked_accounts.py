"""Tell which linked accounts are one WeChat identity: a UnionID with every OpenID seen with it."""

from itertools import groupby

from django.db import migrations

from config.kernel.primary_keys import new_id


def group_linked_accounts(apps, schema_editor):
    accounts = apps.get_model("accounts", "LinkedAccount").objects
    rows = accounts.order_by("user_id", "unionid").values_list("pk", "user_id", "unionid")
    for (_user, unionid), group in groupby(rows.iterator(), key=lambda row: row[1:]):
        keys = [key for key, _user_id, _unionid in group]
        for together in [keys] if unionid else [[key] for key in keys]:
            accounts.filter(pk__in=together).update(wechat_identity=new_id())


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_one_person_one_user")]

    operations = [migrations.RunPython(group_linked_accounts, migrations.RunPython.noop)]
