import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('applications', '0003_openid_provider'),
        ('identity_sources', '0002_health_and_association'),
        ('userpools', '0003_name_things_as_operators_do'),
    ]

    operations = [
        migrations.AlterField(
            model_name='loginmethod',
            name='application',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='login_methods', to='applications.application'),
        ),
        migrations.AlterField(
            model_name='loginmethod',
            name='identity_source',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='login_methods', to='identity_sources.identitysource'),
        ),
        migrations.AlterField(
            model_name='loginmethod',
            name='pool',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='login_methods', to='userpools.userpool'),
        ),
    ]
