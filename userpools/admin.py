"""The console's pages of pools and operators."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from config.kernel.database import one_or_none
from userpools.console.model_admin import PoolForm, PoolModelAdmin
from userpools.console.place import operator_of, place_of, pools_of
from userpools.console.site import console_url
from userpools.models import Membership, Operator, UserPool
from userpools.pools import save_new_pool

# Permissions come from roles in pools; Django's groups would have no effect.
admin.site.unregister(Group)


@admin.register(UserPool)
class UserPoolAdmin(PoolModelAdmin):
    """The pool's settings; outside of any pool, the list of pools and the page to add one."""

    path = "pools"
    invitation = _(
        "You have no role in any user pool yet: an administrator of one gives it to you."
    )
    form = forms.ModelForm
    fields = ("name", "identifier")
    list_display = ("pool_link", "identifier", "created_at")
    list_display_links = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[UserPool]:
        pool = place_of(request).pool
        pools = pools_of(operator_of(request))
        return pools.filter(pk=pool.pk) if pool else pools

    def get_form(
        self, request: HttpRequest, obj: Any = None, **kwargs: Any
    ) -> type[forms.ModelForm]:
        return super(PoolModelAdmin, self).get_form(request, obj, **kwargs)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return operator_of(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("user pool"))
    def pool_link(self, pool: UserPool) -> str:
        return format_html(
            '<a href="{}" class="font-semibold">{}</a>', console_url(pool), pool.name
        )

    def save_model(self, request: HttpRequest, obj: UserPool, form: Any, change: bool) -> None:  # noqa: FBT001  Django's signature
        if change:
            obj.save(update_fields=form.changed_data)
        else:
            save_new_pool(obj)

    def response_add(
        self, request: HttpRequest, obj: UserPool, post_url_continue: str | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(console_url(obj))


class MembershipForm(PoolForm):
    """Selects an operator by the full user name, so that there is no list of all."""

    username = forms.CharField(label=_("User name"), widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = Membership
        fields = ("role",)

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        operator = one_or_none(Operator.objects.filter(username=username))
        if operator is None:
            raise ValidationError(
                _("No operator has this name. An operator of every pool can make one.")
            )
        if Membership.objects.filter(pool=self.pool, operator=operator).exists():
            raise ValidationError(_("This operator has a role in this pool already."))
        self.instance.operator = operator
        return username


@admin.register(Membership)
class MembershipAdmin(PoolModelAdmin):
    """The operators' roles in the pool."""

    path = "operators"
    invitation = _("Operators of every pool work here already. Give others a role in this pool.")
    list_display = ("operator", "role", "created_at")
    list_select_related = ("operator",)
    ordering = ("operator__username",)

    def get_form(
        self, request: HttpRequest, obj: Any = None, **kwargs: Any
    ) -> type[forms.ModelForm]:
        kwargs |= {} if obj else {"form": MembershipForm}
        return super().get_form(request, obj, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("operator", "role") if obj else ("username", "role")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("operator",) if obj else ()


@admin.register(Operator)
class OperatorAdmin(UserAdmin, ModelAdmin):
    """The accounts of operators, for operators of every pool."""

    path = "operator-accounts"
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "name", "is_active", "is_superuser", "last_login")
    list_filter = ()
    filter_horizontal = ()
    actions = None
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (None, {"fields": ("first_name", "last_name", "email")}),
        (None, {"fields": ("is_active", "is_superuser")}),
    )

    @display(description=pgettext_lazy("of a person", "name"))
    def name(self, operator: Operator) -> str:
        return operator.get_full_name()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return operator_of(request).is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return operator_of(request).is_superuser

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return operator_of(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return operator_of(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Operators are made inactive instead: what they did stays attributed to them.
        return False
