"""What tests of several folders share: plain functions, classes and constants, no fixtures.

Rows
    `builders` makes valid rows of every model, `tenants` the pools Acme and Globex, `people` users
    with sessions, login events and conflicts, `website` Acme's website source and the applications
    that people log in to with a browser, `manifests` Acme as a file that is applied.

Requests
    `client` is a browser or program that calls the server in this process, `pages` reads a page
    and fills in its forms, `website` and `login_steps` go through a login in a browser, `oidc`
    calls the OpenID Connect endpoints and reads tokens.

WeChat
    `wechat` records the sandbox's calls and emulates a live WeChat, `wechat_calls` are finished
    calls, `fake_wechat` is a WeChat that listens on a port.

Processes
    `processes` starts programs, `serving` runs ``make serve`` with a database of its own,
    `logout_receiver` is an application's server that receives logout notices.

Looking at the database
    `records` reads and counts rows, `statements` abbreviates SQL, `secret_scanner` searches every
    table for secrets.

Helpers for one folder are in that folder, in their own module. Fixtures are in the conftest.py of
the nearest folder that has all their tests. Nothing is imported from a conftest.py or a test.
"""
