"""WeChat apps: their credentials, the calls to WeChat, and the built-in WeChat.

::

    models.py         identity sources, and WeChat's access token for each
    gateway.py        the WeChat client of a source: for WeChat, or for the sandbox
    wechat/           the client of WeChat's server APIs
    access_tokens.py  WeChat's access token of a source, shared by all processes
    health.py         whether WeChat accepts a source's settings
    complaints.py     WeChat's complaints about a source, in an operator's language
    connection.py     tests an AppID and AppSecret without a person's login
    push_keys.py      token and EncodingAESKey of a source's message push
    sandbox/          an emulated WeChat
    sandbox_views.py  its addresses on this server
    admin/            the console's pages of identity sources
"""
