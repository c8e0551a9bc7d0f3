"""Where WeChat pushes its events."""

URL = "/wechat/acme/acme-mini/events"
