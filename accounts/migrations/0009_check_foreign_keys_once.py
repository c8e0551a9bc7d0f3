import config.kernel.constraints
import django.db.models.deletion
from django.db import migrations, models

from config.kernel.schema import OnPostgreSQL, leave_room


class Migration(migrations.Migration):
    # A foreign key over (pool, …) says what the one of the single column said, and an index that no
    # query uses goes (docs/decisions/0004-same-pool-foreign-keys.md).

    dependencies = [
        ('accounts', '0008_keep_only_what_wechat_said'),
        ('applications', '0003_openid_provider'),
        ('identity_sources', '0002_health_and_association'),
        ('userpools', '0003_name_things_as_operators_do'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='browsersession',
            name='accounts_browser_of_user',
        ),
        migrations.RemoveIndex(
            model_name='browsersession',
            name='accounts_browser_expiry',
        ),
        migrations.AlterField(
            model_name='accountevent',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='account_events', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='accountevent',
            name='user',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='account_events', to='accounts.user'),
        ),
        migrations.AlterField(
            model_name='authorizationcode',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='authorization_codes', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='authorizationcode',
            name='session',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='authorization_codes', to='accounts.session'),
        ),
        migrations.AlterField(
            model_name='authorizationrequest',
            name='application',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='authorization_requests', to='applications.application'),
        ),
        migrations.AlterField(
            model_name='authorizationrequest',
            name='device',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='authorization_requests', to='accounts.deviceauthorization'),
        ),
        migrations.AlterField(
            model_name='authorizationrequest',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='authorization_requests', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='authorizationrequest',
            name='session',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='authorization_requests', to='accounts.session'),
        ),
        migrations.AlterField(
            model_name='bindingticket',
            name='application',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='binding_tickets', to='applications.application'),
        ),
        migrations.AlterField(
            model_name='bindingticket',
            name='login_method',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='binding_tickets', to='applications.loginmethod'),
        ),
        migrations.AlterField(
            model_name='bindingticket',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='binding_tickets', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='blockedidentity',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='blocked_identities', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='blockedidentity',
            name='user',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='blocked_identities', to='accounts.user'),
        ),
        migrations.AlterField(
            model_name='browsersession',
            name='identity_source',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='browser_sessions', to='identity_sources.identitysource'),
        ),
        migrations.AlterField(
            model_name='browsersession',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='browser_sessions', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='browsersession',
            name='user',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='browser_sessions', to='accounts.user'),
        ),
        migrations.AlterField(
            model_name='conflict',
            name='other',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='conflicts_as_other', to='accounts.user', verbose_name='other user'),
        ),
        migrations.AlterField(
            model_name='conflict',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='conflicts', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='conflict',
            name='user',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='conflicts', to='accounts.user', verbose_name='user'),
        ),
        migrations.AlterField(
            model_name='consent',
            name='application',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='applications.application'),
        ),
        migrations.AlterField(
            model_name='consent',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='consent',
            name='user',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='accounts.user'),
        ),
        migrations.AlterField(
            model_name='deviceauthorization',
            name='application',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='device_authorizations', to='applications.application'),
        ),
        migrations.AlterField(
            model_name='deviceauthorization',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='device_authorizations', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='deviceauthorization',
            name='session',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='device_authorizations', to='accounts.session'),
        ),
        migrations.AlterField(
            model_name='emailcode',
            name='pool',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='email_codes', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='linkedaccount',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='linked_accounts', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='linkedaccount',
            name='user',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='linked_accounts', to='accounts.user'),
        ),
        migrations.AlterField(
            model_name='loginevent',
            name='application',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='login_events', to='applications.application', verbose_name='application'),
        ),
        migrations.AlterField(
            model_name='loginevent',
            name='identity_source',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='login_events', to='identity_sources.identitysource', verbose_name='identity source'),
        ),
        migrations.AlterField(
            model_name='loginevent',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='login_events', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='loginevent',
            name='user',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='login_events', to='accounts.user'),
        ),
        migrations.AlterField(
            model_name='logoutnotice',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='logout_notices', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='logoutnotice',
            name='session',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='logout_notices', to='accounts.session'),
        ),
        migrations.AlterField(
            model_name='merge',
            name='merged',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='merges_as_merged', to='accounts.user', verbose_name='merged user'),
        ),
        migrations.AlterField(
            model_name='merge',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='merges', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='merge',
            name='survivor',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='merges', to='accounts.user', verbose_name='survivor'),
        ),
        migrations.AlterField(
            model_name='pushedrequest',
            name='application',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='pushed_requests', to='applications.application'),
        ),
        migrations.AlterField(
            model_name='pushedrequest',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='pushed_requests', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='refreshtoken',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='refresh_tokens', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='refreshtoken',
            name='session',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='refresh_tokens', to='accounts.session'),
        ),
        migrations.AlterField(
            model_name='revokedaccesstoken',
            name='pool',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='revoked_access_tokens', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='session',
            name='application',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='sessions', to='applications.application', verbose_name='application'),
        ),
        migrations.AlterField(
            model_name='session',
            name='browser_session',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='sessions', to='accounts.browsersession'),
        ),
        migrations.AlterField(
            model_name='session',
            name='identity_source',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='sessions', to='identity_sources.identitysource'),
        ),
        migrations.AlterField(
            model_name='session',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='sessions', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='session',
            name='user',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='sessions', to='accounts.user'),
        ),
        migrations.AlterField(
            model_name='tally',
            name='pool',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tallies', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='user',
            name='merged_into',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tombstones', to='accounts.user', verbose_name='merged into'),
        ),
        migrations.AlterField(
            model_name='user',
            name='pool',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='users', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='wechatevent',
            name='identity_source',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='wechat_events', to='identity_sources.identitysource', verbose_name='identity source'),
        ),
        migrations.AlterField(
            model_name='wechatevent',
            name='pool',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='wechat_events', to='userpools.userpool'),
        ),
        migrations.AlterField(
            model_name='wechatevent',
            name='user',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='wechat_events', to='accounts.user', verbose_name='user'),
        ),
        migrations.AlterField(
            model_name='wechatstate',
            name='login_method',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='wechat_states', to='applications.loginmethod'),
        ),
        migrations.AddIndex(
            model_name='session',
            index=models.Index(condition=models.Q(('browser_session__isnull', False)), fields=['browser_session'], name='accounts_session_of_browser'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(condition=models.Q(('merged_into__isnull', False)), fields=['merged_into'], name='accounts_user_tombstones'),
        ),
        migrations.AddConstraint(
            model_name='loginevent',
            constraint=config.kernel.constraints.SamePool(field='application', name='accounts_loginevent_application_pool'),
        ),
        migrations.AddConstraint(
            model_name='loginevent',
            constraint=config.kernel.constraints.SamePool(field='identity_source', name='accounts_loginevent_source_pool'),
        ),
        migrations.AddConstraint(
            model_name='loginevent',
            constraint=config.kernel.constraints.SamePool(field='user', name='accounts_loginevent_user_pool'),
        ),
        # Django adds it to every unique text column, for LIKE.
        OnPostgreSQL(
            'DROP INDEX IF EXISTS "accounts_codeexchange_key_38239df1_like"',
            'CREATE INDEX IF NOT EXISTS "accounts_codeexchange_key_38239df1_like"'
            ' ON "accounts_codeexchange" ("key" varchar_pattern_ops)',
        ),
        leave_room("accounts_authorizationrequest", 80),
        leave_room("accounts_linkedaccount", 90),
        leave_room("accounts_refreshtoken", 90),
    ]
