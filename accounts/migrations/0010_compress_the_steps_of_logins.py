from django.db import migrations

from config.kernel.schema import OnPostgreSQL


class Migration(migrations.Migration):
    """PostgreSQL compresses the steps of new events within their row.

    By itself it compresses rows of more than 2 kB; an event has 1.5 kB, nearly all of it the steps.
    MAIN: they stay in the row.
    https://www.postgresql.org/docs/current/storage-toast.html
    """

    dependencies = [
        ('accounts', '0009_check_foreign_keys_once'),
    ]

    operations = [
        OnPostgreSQL(
            'ALTER TABLE "accounts_loginevent" ALTER COLUMN "steps" SET STORAGE MAIN',
            'ALTER TABLE "accounts_loginevent" ALTER COLUMN "steps" SET STORAGE EXTENDED',
        ),
        OnPostgreSQL(
            'ALTER TABLE "accounts_loginevent" SET (toast_tuple_target = 512)',
            'ALTER TABLE "accounts_loginevent" RESET (toast_tuple_target)',
        ),
    ]
