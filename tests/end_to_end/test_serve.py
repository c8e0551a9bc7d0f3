"""``make serve`` as an operator starts it, against a program that answers as WeChat does."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import jwt
import pytest
import requests
from psycopg import sql

from tests.support.processes import ROOT, START_SECONDS
from tests.support.serving import Server, new_environment, on_server


def test_a_person_logs_in_and_the_tokens_verify_by_discovery_alone(server: Server) -> None:
    answer = server.log_in("alice-1").json()

    metadata = server.get("/oidc/acme/.well-known/openid-configuration").json()
    keys = jwt.PyJWKClient(metadata["jwks_uri"])
    for name, audience in (("access_token", metadata["issuer"]), ("id_token", "acme-shop")):
        token = answer[name]
        claims = jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=metadata["id_token_signing_alg_values_supported"],
            audience=audience,
            issuer=metadata["issuer"],
        )
        assert claims["sub"] == answer["user"]["sub"]


def test_the_phone_number_is_stored(server: Server) -> None:
    answer = server.log_in("bob-1", phone_code="phone-1").json()

    assert answer["phone"] == {"status": "stored"}
    assert answer["user"]["phone_number"] == "+8613580006666"


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("err40029-1", 400, "invalid_code"),
        ("err42003-1", 400, "invalid_code"),
        ("err40163-1", 400, "code_already_used"),
        ("err40226-1", 403, "wechat_user_blocked"),
        ("err45011-1", 429, "too_many_requests"),
        ("err40013-1", 502, "identity_source_misconfigured"),
        ("err40125-1", 502, "identity_source_misconfigured"),
        ("err40001-1", 502, "identity_source_misconfigured"),
        ("err40164-1", 502, "identity_source_misconfigured"),
        ("err40243-1", 502, "identity_source_misconfigured"),
        ("err50002-1", 502, "identity_source_misconfigured"),
        ("err41002-1", 500, "server_error"),
        ("err41008-1", 500, "server_error"),
        ("err45009-1", 503, "wechat_unavailable"),
        ("err-1-1", 503, "wechat_unavailable"),
        ("html-1", 503, "wechat_unavailable"),
        ("status500-1", 503, "wechat_unavailable"),
        ("empty-1", 503, "wechat_unavailable"),
        ("slow-1", 503, "wechat_unavailable"),
    ],
)
def test_each_of_wechats_refusals_comes_out_as_specified(
    server: Server, code: str, status: int, error: str
) -> None:
    response = server.log_in(code)

    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.headers["Cache-Control"] == "no-store"
    if code.startswith("err"):
        assert response.json()["wechat_errcode"] == int(code[3:-2])
        assert response.json()["wechat_rid"] == "65f3e9f7-77cf1a1c-0dd74a0e"


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"identity_source": "acme-closed"}, 403, "login_method_disabled"),
        ({"client_id": "acme-members"}, 403, "registration_closed"),
        ({"scope": "everything"}, 400, "invalid_scope"),
        ({"phone": "13580006666"}, 400, "invalid_request"),
    ],
)
def test_each_refusal_of_ours_comes_out_as_specified(
    server: Server, fields: dict[str, str], status: int, error: str
) -> None:
    response = server.log_in("erin-1", **fields)

    assert (response.status_code, response.json()["error"]) == (status, error)


def test_a_code_sent_twice_logs_the_same_person_in(server: Server) -> None:
    first = server.log_in("carol-1")
    second = server.log_in("carol-1")

    assert second.json()["user"] == first.json()["user"]


def test_a_chunked_body_is_refused_and_not_taken_for_an_empty_one(server: Server) -> None:
    response = requests.post(
        f"{server.url}/api/v1/login/wechat-mini-program",
        data=iter([b'{"client_id": "acme-shop", ', b'"code": "alice-2"}']),
        headers={"Content-Type": "application/json"},
        timeout=20,
    )

    assert (response.status_code, response.json()["error"]) == (411, "invalid_request")


def test_it_is_alive_and_ready(server: Server) -> None:
    assert server.get("/healthz").json() == {"status": "alive"}
    assert server.get("/readyz").json()["status"] == "ready"


def test_the_api_page_serves_its_own_files(server: Server) -> None:
    page = server.get("/api/docs")

    assert page.status_code == 200
    assert "http" not in page.text.replace(server.url, "")


def test_a_killed_worker_is_replaced(server: Server) -> None:
    workers = _workers(server.process.pid)
    os.kill(workers[0], signal.SIGKILL)

    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not _has_new_worker(server, workers):
        time.sleep(0.1)

    assert len(_workers(server.process.pid)) == len(workers)
    assert [server.get("/healthz").status_code for _request in range(20)] == [200] * 20


@pytest.mark.postgresql
def test_a_restarted_database_costs_nobody_a_login(server: Server) -> None:
    for person in ("frank", "grace", "heidi"):
        assert server.log_in(f"{person}-9").status_code == 200
    # This server's alone: another worker may be at another's.
    name = server.environment["DATABASE_URL"].rpartition("/")[2]
    # As at a restart, the connections are closed before new ones are taken.
    kill = sql.SQL(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = {}"
    )
    on_server(os.environ["DATABASE_URL"], kill.format(sql.Literal(name)))

    statuses = [server.log_in(f"frank-{number}").status_code for number in range(20, 32)]

    assert statuses == [200] * 12


def test_it_refuses_to_start_on_unapplied_migrations(tmp_path: Path) -> None:
    environment = new_environment("http://127.0.0.1:9", tmp_path)
    environment["DATABASE_URL"] = f"sqlite:///{tmp_path / 'empty.sqlite3'}"

    started = subprocess.run(
        [sys.executable, "-m", "config.serve"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert started.returncode != 0
    assert "manage.py migrate" in started.stderr
    assert "Traceback" not in started.stderr


def _has_new_worker(server: Server, before: list[int]) -> bool:
    # What waited in the killed worker's queue is reset; that is its end, not the new one's.
    with suppress(requests.ConnectionError):
        is_up = server.get("/readyz").ok
        return is_up and bool(set(_workers(server.process.pid)) - set(before))
    return False


def _workers(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if "granian" in _command(child)]


def _command(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
