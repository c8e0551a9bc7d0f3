"""The checks of the OpenID Foundation's conformance suite, each under the name of its module.

The plans are ``oidcc-basic-certification-test-plan`` and ``oidcc-config-certification-test-plan``;
every request has PKCE besides, since it is required here. ``relying_party.py`` is the suite's part:
it knows the issuer and what it was registered with, and nothing of how the server is built.
"""
