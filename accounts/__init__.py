"""Users, how they log in, and what follows from a login.

A module imports only from the layers below its own; import-linter checks it::

    management/     commands: erase closed accounts, purge, signing keys, logout notices

    admin/          the console's pages about users and their logins
    experience/     the experience login: an operator logs in as an end user would
    overview.py     the figures on the console's first page

    api/            the REST endpoints
    pages/          the hosted pages of a login in a browser
    wechat_events/  the endpoint to which WeChat pushes events

    oidc/           the OpenID Connect provider
    binding/        account binding: a binding ticket is redeemed for a login
    users/          changes to one user, made by the person or by an operator
    words/          login events, refusals and merges in an operator's language
    backchannel/    delivery of logout tokens to applications

    login/          the rules of a login, the same for every door

    merging/        merging two users, and undoing a merge
    sessions/       scopes, tokens, single sign-on, and the end of a session

    locking.py      locks on users; a transaction that loses a race starts again

    refusals.py     the errors that refuse a login
    sweeping.py     deletes expired rows while requests are served

    models/         the tables
"""
