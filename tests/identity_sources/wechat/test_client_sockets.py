"""The client against real sockets: only there does it show what had been sent before a failure."""

import json

import pytest

from identity_sources.wechat.errors import WeChatUnavailable

SESSION = {
    "session_key": "AAECAwQFBgcICQoLDA0ODw==",
    "openid": "oFAKEfake0000000000000000001",
    "unionid": "oFAKEunion00000000000000001A",
}
BODY = json.dumps(SESSION).encode()
UPSTREAM = "http://api.weixin.invalid"


def _reason(client, login):
    with pytest.raises(WeChatUnavailable) as caught:
        client.jscode2session(**login)
    return caught.value.reason


def test_a_refused_connection_is_tried_twice(client_for, closed_port, login, records):
    client = client_for(f"http://127.0.0.1:{closed_port}")

    assert _reason(client, login) == "connect_failed"
    assert records[0].attempts == 2


def test_a_connection_reset_after_sending_is_not_tried_again(client_for, server, login, records):
    server.reset()

    assert _reason(client_for(server.url), login) == "broken_connection"
    assert (server.connections, records[0].attempts) == (1, 1)
    assert b"js_code=" in server.requests[0]


def test_a_connection_closed_without_an_answer_is_not_tried_again(client_for, server, login):
    assert _reason(client_for(server.url), login) == "broken_connection"
    assert server.connections == 1


def test_a_silent_server_is_timed_out_and_not_tried_again(client_for, server, login, records):
    server.hang()

    assert _reason(client_for(server.url), login) == "timed_out"
    assert server.connections == 1
    assert 300 <= records[0].milliseconds < 5000


def test_a_server_that_stops_within_its_answer_is_timed_out(client_for, server, login):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"

    def stop_within(connection):
        connection.sendall(head)
        server.closing.wait(5)

    server.handler = stop_within

    assert _reason(client_for(server.url), login) == "timed_out"
    assert server.connections == 1


def test_a_truncated_answer_is_a_broken_connection(client_for, server, login):
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY) + 1}\r\n\r\n".encode()
    server.handler = lambda connection: connection.sendall(head + BODY)

    assert _reason(client_for(server.url), login) == "broken_connection"
    assert server.connections == 1


def test_an_answer_that_is_not_http_is_a_broken_connection(client_for, server, login):
    server.handler = lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")

    assert _reason(client_for(server.url), login) == "broken_connection"
    assert server.connections == 1


def test_an_answer_without_announced_length_is_cut_off(client_for, server, login):
    head = b"HTTP/1.1 200 OK\r\n\r\n{"
    server.handler = lambda connection: connection.sendall(head + b" " * 4 * 1024 * 1024)

    assert _reason(client_for(server.url), login) == "too_large"


def test_a_redirect_is_not_followed(client_for, server, login):
    server.answer(b"", head=f"HTTP/1.1 302 Found\r\nLocation: {server.url}/elsewhere")

    assert _reason(client_for(server.url), login) == "bad_status"
    assert server.connections == 1


def test_a_server_without_tls_fails_the_handshake_once(client_for, server, login):
    server.handler = lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    client = client_for(server.url.replace("http:", "https:"))

    assert _reason(client, login) == "tls_failed"
    assert server.connections == 1


def test_a_proxy_that_refuses_connections_is_tried_twice(client_for, closed_port, login, records):
    client = client_for(UPSTREAM, proxy_url=f"http://127.0.0.1:{closed_port}")

    assert _reason(client, login) == "connect_failed"
    assert records[0].attempts == 2


@pytest.mark.parametrize("ending", ["reset", "close"])
def test_a_proxy_that_breaks_off_after_sending_is_not_tried_again(
    client_for, server, login, ending
):
    if ending == "reset":
        server.reset()

    assert _reason(client_for(UPSTREAM, proxy_url=server.url), login) == "proxy_failed"
    assert server.connections == 1
    assert b"js_code=" in server.requests[0]


def test_a_proxy_that_refuses_the_tunnel_is_not_tried_again(client_for, server, login):
    server.answer(b"", head="HTTP/1.1 407 Proxy Authentication Required")
    client = client_for(UPSTREAM.replace("http:", "https:"), proxy_url=server.url)

    assert _reason(client, login) == "proxy_failed"
    assert server.connections == 1
    assert server.requests[0].startswith(b"CONNECT api.weixin.invalid:443 ")
    assert b"js_code" not in server.requests[0]


def test_the_environments_proxy_is_not_used(client_for, server, closed_port, login, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
    server.answer(BODY)

    assert client_for(server.url).jscode2session(**login).openid == SESSION["openid"]


def test_a_connection_is_kept_for_the_next_call(client_for, server, login):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)

    def answer_twice(connection):
        connection.sendall(answer)
        connection.recv(65536)
        connection.sendall(answer)

    server.handler = answer_twice
    client = client_for(server.url)

    assert client.jscode2session(**login) == client.jscode2session(**login)
    assert server.connections == 1
