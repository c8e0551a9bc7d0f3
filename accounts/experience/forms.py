"""The form on the phone of the experience page: a sandbox person, or a real code."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.api.inputs import CODE_MAX_LENGTH, SECRET_MAX_LENGTH
from applications.models import Application
from identity_sources.gateway import sandbox
from identity_sources.models import IdentitySource
from identity_sources.sandbox.exceptions import PhoneUnavailableError
from identity_sources.sandbox.world import PEOPLE


class ExperienceForm(forms.Form):
    """Returns the fields of the REST call; a sandbox source needs a person, a live one a code."""

    person = forms.ChoiceField(choices=[(key, key) for key in PEOPLE], required=False)
    with_phone = forms.BooleanField(label=_("also give the phone number"), required=False)
    code = forms.CharField(
        label=_("code of wx.login"), max_length=CODE_MAX_LENGTH, required=False, strip=True
    )
    client_secret = forms.CharField(
        label=_("client secret"),
        max_length=SECRET_MAX_LENGTH,
        required=False,
        widget=forms.PasswordInput({"autocomplete": "off"}),
    )

    def __init__(
        self, data: Any, *, sources: Sequence[IdentitySource], application: Application
    ) -> None:
        super().__init__(data)
        self.sources = {source.identifier: source for source in sources}
        self.fields["identity_source"] = forms.ChoiceField(
            choices=[(source.identifier, source.display_name) for source in sources]
        )
        if application.client_authentication == Application.ClientAuthentication.NONE:
            del self.fields["client_secret"]

    def clean(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().clean() or self.cleaned_data
        source = self.sources.get(fields.get("identity_source", ""))
        if source and source.mode == IdentitySource.Mode.SANDBOX:
            self._require("person", _("Pick who holds the phone."))
        if source and source.mode == IdentitySource.Mode.LIVE:
            self._require("code", _("Paste the code that wx.login gave."))
            # WeChat decides whose code it is.
            fields["person"] = ""
        return fields

    def _require(self, field: str, sentence: Any) -> None:
        if not self.cleaned_data.get(field) and field not in self.errors:
            self.add_error(field, sentence)

    def rest_fields(self) -> dict[str, str]:
        """Return the body of the REST call, without the application; ask the sandbox for codes."""
        filled = self.cleaned_data
        source = self.sources[filled["identity_source"]]
        fields = {"identity_source": source.identifier}
        if source.mode == IdentitySource.Mode.SANDBOX:
            fields |= self._codes_of_person(source.app_id)
        else:
            fields["code"] = filled["code"]
        if filled.get("client_secret"):
            fields["client_secret"] = filled["client_secret"]
        return fields

    def _codes_of_person(self, app_id: str) -> dict[str, str]:
        person = self.cleaned_data["person"]
        codes = {"code": sandbox().wx_login(app_id, person)}
        if self.cleaned_data["with_phone"]:
            try:
                codes["phone_code"] = sandbox().get_phone_number(app_id, person)
            except PhoneUnavailableError:
                # The person has no number, so there is no code, as on a real phone.
                return codes
        return codes
