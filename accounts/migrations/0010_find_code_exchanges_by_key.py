from django.db import migrations


class Migration(migrations.Migration):
    # The table has the codes of a few minutes: expired ones are found without an index, which each
    # login would have to write (docs/performance.md).

    dependencies = [
        ('accounts', '0009_check_foreign_keys_once'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='codeexchange',
            name='accounts_exchange_expiry',
        ),
    ]
