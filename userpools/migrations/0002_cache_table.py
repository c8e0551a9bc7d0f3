"""The table of Django's database cache, so that ``migrate`` alone makes the server ready."""

from django.conf import settings
from django.core.management import call_command
from django.db import migrations


def create(apps, schema_editor):
    call_command(
        "createcachetable", settings.CACHE_TABLE, database=schema_editor.connection.alias, verbosity=0
    )


def drop(apps, schema_editor):
    schema_editor.execute(f"DROP TABLE {schema_editor.quote_name(settings.CACHE_TABLE)}")


class Migration(migrations.Migration):
    dependencies = [("userpools", "0001_initial")]

    operations = [migrations.RunPython(create, drop)]
