"""The sentences that a person reads when a login fails: what to do, not the technical cause."""

from django.utils.translation import gettext_lazy as _

from accounts.sessions import scopes

_SENTENCES = {
    "refused_in_wechat": _("You didn't confirm in WeChat. Try again if you meant to."),
    "invalid_code": _("WeChat's answer was too old. Please try again."),
    "code_already_used": _("WeChat's answer was used before. Please try again."),
    "wechat_user_blocked": _("WeChat doesn't let this account log in. Trying again doesn't help."),
    "registration_closed": _(
        "There is no account for this WeChat yet, and new ones aren't opened here."
    ),
    "user_suspended": _("This account is suspended. Ask those who run the application."),
    "account_closed": _("This account was closed. Ask those who run the application."),
    "identity_conflict": _("This WeChat account can't log in. Ask those who run the application."),
    "invalid_binding_ticket": _("That took too long, or too many tries. Please log in again."),
    "invalid_proof": _("No account has this address, or the password or code is wrong."),
    "already_linked": _("That account has another WeChat already. Unlink it there first."),
    "phone_code_required": _(
        "There is no account for this WeChat yet. Log in by the mini program first, which asks for "
        "your phone number."
    ),
    "login_method_disabled": _("This way of logging in was switched off just now."),
    "identity_source_disabled": _("This way of logging in was switched off just now."),
    "application_disabled": _("This application was switched off just now."),
    "too_many_requests": _("Too many tries. Please wait a minute."),
    "wechat_unavailable": _("WeChat doesn't answer at the moment. Please try again."),
}
_OTHERWISE = _("That didn't work, and it isn't your fault. Please try again later.")

_SCOPES = {
    scopes.OPENID: _("recognise you, by an identifier without your name"),
    scopes.PROFILE: _("see your nickname and picture"),
    scopes.PHONE: _("see your phone number"),
    scopes.EMAIL: _("see your e-mail address"),
    scopes.ACCOUNT: _("change how you log in: link and unlink WeChat accounts"),
    scopes.OFFLINE_ACCESS: _("stay logged in while you are away"),
}


def sentence_for_person(error: str) -> str:
    """Return the sentence for an error code, for the person who was refused."""
    return str(_SENTENCES.get(error, _OTHERWISE))


def scopes_in_words(scope: tuple[str, ...]) -> list[str]:
    """Return what each scope allows, in the words of the consent page."""
    return [str(_SCOPES[name]) for name in scope]
