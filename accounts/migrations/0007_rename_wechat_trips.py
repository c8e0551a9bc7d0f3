import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    # The table keeps its name: nothing is changed in the database.

    dependencies = [
        ("accounts", "0006_openid_provider"),
        ("applications", "0003_openid_provider"),
    ]

    operations = [
        migrations.AlterModelTable(name="wechattrip", table="accounts_wechattrip"),
        migrations.RenameModel(old_name="WeChatTrip", new_name="WeChatState"),
        migrations.AlterModelOptions(
            name="wechatstate",
            options={"verbose_name": "WeChat state", "verbose_name_plural": "WeChat states"},
        ),
        migrations.AlterField(
            model_name="wechatstate",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="wechat_states",
                to="accounts.authorizationrequest",
            ),
        ),
        migrations.AlterField(
            model_name="wechatstate",
            name="login_method",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="wechat_states",
                to="applications.loginmethod",
            ),
        ),
    ]
