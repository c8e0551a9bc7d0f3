"""The forms of an identity source: a new one by its type, and an existing one."""

import secrets
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from identity_sources.models import IdentitySource
from identity_sources.sandbox.world import (
    APP_ID_PREFIX,
    is_sandbox_app_id,
    sandbox_app_secret,
)
from userpools.console.model_admin import PoolForm

# Where WeChat shows both, by its Chinese menus.
WHERE_TO_FIND = {
    IdentitySource.Type.WECHAT_MINI_PROGRAM: _("mp.weixin.qq.com: 管理 > 开发管理 > 开发设置"),
    IdentitySource.Type.WECHAT_OFFICIAL_ACCOUNT: _("mp.weixin.qq.com: 设置与开发 > 开发接口管理"),
    IdentitySource.Type.WECHAT_WEBSITE: _("open.weixin.qq.com: 管理中心 > 网站应用 > 查看"),
    IdentitySource.Type.WECHAT_MOBILE_APP: _("open.weixin.qq.com: 管理中心 > 移动应用 > 查看"),
}

_TAKEN = {
    "identifier": _("The pool has an identity source of this identifier."),
    "app_id": _("The pool has an identity source with this AppID."),
}


class AppSecretField(forms.CharField):
    """An AppSecret, which is never shown again, not even after an error in another field."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminPasswordWidget({"autocomplete": "off", "spellcheck": "false"})
        super().__init__(label=_("AppSecret"), widget=widget, **kwargs)


class SourceForm(PoolForm):
    """Base class of both forms: the AppSecret is checked, and encrypted into the row."""

    app_secret = AppSecretField(required=False)

    class Meta:
        model = IdentitySource
        fields: tuple[str, ...] = ("display_name", "registration", "association", "enabled")
        help_texts: ClassVar = {
            "association": _(
                "What becomes of somebody new. “None” makes a new user; “By phone number” finds "
                "the user with the number that WeChat proves; “Ask” lets the person choose "
                "between a new account and one of theirs."
            ),
            "registration": _("“Login only” lets in who has an account and makes no new ones."),
            "enabled": _("While this is off, nobody logs in from this source."),
        }

    def offer_associations(self) -> None:
        """Leave out what the source's type doesn't support."""
        field = self.fields.get("association")
        if isinstance(field, forms.ChoiceField):
            field.choices = [
                (word, label)
                for word, label in IdentitySource.Association.choices
                if word != IdentitySource.Association.FIELD or self.instance.gives_phone_numbers
            ]

    def clean(self) -> dict[str, Any]:
        fields = super().clean() or self.cleaned_data
        app_secret = fields.get("app_secret")
        if app_secret and not self.errors:
            try:
                self.instance.set_app_secret(app_secret, now=timezone.now())
            except ValidationError as error:
                self.add_error(None, error)
        return fields


class ChangeSourceForm(SourceForm):
    """Changes a source; an empty AppSecret leaves it unchanged."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_associations()
        if "app_secret" in self.fields:
            set_at = date_format(
                timezone.localtime(self.instance.app_secret_set_at), "DATETIME_FORMAT"
            )
            self.fields["app_secret"].label = _("New AppSecret")
            self.fields["app_secret"].help_text = _(
                "Set on %(time)s and never shown. Leave this empty to keep it."
            ) % {"time": set_at}


class NewSourceForm(SourceForm):
    """Creates a source of the type that the page was opened for."""

    source_type: ClassVar[str]

    mode = forms.ChoiceField(
        label=_("Mode"),
        choices=IdentitySource.Mode.choices,
        initial=IdentitySource.Mode.LIVE,
        widget=forms.RadioSelect,
        required=False,
        help_text=_(
            "A sandbox source talks to the built-in WeChat: its people are made up, and AppID and "
            "AppSecret may be left empty."
        ),
    )
    app_id = forms.CharField(
        label=_("AppID"), max_length=32, required=False, widget=UnfoldAdminTextInputWidget
    )

    class Meta(SourceForm.Meta):
        fields = (
            "identifier",
            "display_name",
            "app_id",
            "registration",
            "association",
            "enabled",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        where = WHERE_TO_FIND[IdentitySource.Type(self.source_type)]
        self.fields["app_id"].help_text = where
        self.fields["app_secret"].help_text = _(
            "Beside the AppID. WeChat shows it once, when it is made; it is kept encrypted here."
        )
        self.instance.type = self.source_type
        self.offer_associations()
        if not settings.WECHAT_SANDBOX:
            del self.fields["mode"]

    def clean_identifier(self) -> str:
        return self._untaken("identifier", IdentitySource.objects.all())

    def clean_app_id(self) -> str:
        return self._untaken("app_id", IdentitySource.objects.filter(archived_at__isnull=True))

    def _untaken(self, name: str, sources: QuerySet[IdentitySource]) -> str:
        # The constraint would report it for the whole form, and skip the AppID, whose condition has
        # a field that isn't in the form.
        value: str = self.cleaned_data[name]
        if sources.filter(pool=self.pool, **{name: value}).exists():
            raise ValidationError(_TAKEN[name])
        return value

    def clean(self) -> dict[str, Any]:
        self.instance.mode = self.cleaned_data.get("mode") or IdentitySource.Mode.LIVE
        if self.instance.mode == IdentitySource.Mode.SANDBOX:
            self._make_up_credentials()
        for name in ("app_id", "app_secret"):
            if not self.cleaned_data.get(name) and name not in self.errors:
                self.add_error(name, _("Copy this from WeChat's console."))
        return super().clean()

    def _make_up_credentials(self) -> None:
        fields = self.cleaned_data
        fields["app_id"] = fields.get("app_id") or f"{APP_ID_PREFIX}0{secrets.token_hex(4)}"
        if is_sandbox_app_id(fields["app_id"]):
            fields["app_secret"] = fields.get("app_secret") or sandbox_app_secret(fields["app_id"])
