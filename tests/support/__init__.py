"""What tests of several folders share: plain functions, classes and constants, no fixtures.

Rows
    `builders` makes valid rows of every model, `tenants` the pools Acme and Globex, `people` users
    with sessions, login events and conflicts, `website` Acme's website source and the applications
    that people log in to with a browser, `manifests` Acme as a file that is applied.

Requests
    `client` is the browser or program that asks the server in this process, `pages` reads a page
    and fills in its forms, `website` and `login_steps` go through a login in a browser, `oidc`
    asks the OpenID Connect endpoints and reads tokens.

WeChat
    `wechat` overhears the sandbox and plays a live WeChat, `wechat_calls` are calls that have
    ended, `fake_wechat` is a WeChat that listens on a port.

Processes
    `processes` starts programs, `serving` runs ``make serve`` with a database of its own,
    `logout_receiver` is an application's server that hears of logouts.

Looking at the database
    `records` reads and counts rows, `statements` puts SQL in few words, `secret_scanner` looks for
    secrets in every table.

What one folder needs lies in that folder, in a module of its own. Fixtures are in the conftest.py
of the nearest folder that has all their tests. Nothing is imported from a conftest.py or a test.
"""
