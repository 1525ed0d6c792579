import httpx
import pytest

from linnworks_connector.sandbox.options import APPLICATION_SECRET

KEYS = {"ApplicationId": "application_id", "ApplicationSecret": "application_secret", "Token": "token"}
PATH = "/api/Auth/AuthorizeByApplication"


def fields(client):
    return {name: client.sandbox.credentials[key] for name, key in KEYS.items()}


def test_json_opens_a_session_on_another_server(client):
    body = client.sign_in().json()
    assert body["Server"] == client.sandbox.server_address != client.sandbox.address
    assert body["TTL"] is None
    assert body["Locality"] == "EU"
    assert {"DatabaseUser", "DatabasePassword", "Md5Hash", "AccessToken"} <= set(body)


def test_a_form_opens_a_session_too(client):
    answer = client.http.post(client.sandbox.address + PATH, data=fields(client))
    assert answer.status_code == 200


def test_any_case_of_the_path_will_do(client):
    assert client.http.post(client.sandbox.address + PATH.upper(), json=fields(client)).status_code == 200


def test_a_json_header_over_a_form_is_refused(client):
    answer = client.http.post(
        client.sandbox.address + PATH, data=fields(client), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("field", KEYS)
def test_wrong_credentials_say_so(client, field):
    answer = client.sign_in(**{field: "99999999-0000-4000-8000-000000000000"})
    assert answer.status_code == 400
    assert answer.json() == {"Code": None, "Message": "Invalid application id or application secret"}


def test_the_token_goes_raw(client):
    token = client.sign_in().json()["Token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert client.post("Inventory/GetStockLocations", headers=headers).status_code == 401
    assert client.post("Inventory/GetStockLocations", headers={"Authorization": token}).status_code == 200


def test_no_token_is_401(client):
    client.sign_in()
    assert client.post("Inventory/GetStockLocations", headers={}).status_code == 401


def test_the_sign_in_address_is_the_wrong_cluster_for_calls(client):
    answer = client.http.post(f"{client.sandbox.address}/api/Stock/GetStockItemsFull", headers=client.headers, json={})
    assert answer.status_code == 404


def test_the_session_server_does_not_sign_in(client):
    assert client.http.post(client.sandbox.server_address + PATH, json=fields(client)).status_code == 404


def test_an_idle_session_dies_and_a_used_one_lives(client):
    control = client.sandbox.control
    client.sign_in()
    for _ in range(3):
        control.advance(1199)
        assert client.get("Inventory/GetStockLocations").status_code == 200
    control.advance(1200)
    assert client.get("Inventory/GetStockLocations").status_code == 401
    assert control.rejected["session"] == 1


def test_a_ttl_ends_a_session_that_is_in_use(start):
    client = start(ttl=100)
    assert client.sign_in().json()["TTL"] == 100
    client.sandbox.control.advance(60)
    assert client.get("Inventory/GetStockLocations").status_code == 200
    client.sandbox.control.advance(60)
    assert client.get("Inventory/GetStockLocations").status_code == 401


def test_sessions_can_be_killed_at_any_time(client):
    client.sign_in()
    assert client.sandbox.control.expire_sessions() == 1
    assert client.get("Inventory/GetStockLocations").status_code == 401
    client.sign_in()
    assert client.get("Inventory/GetStockLocations").status_code == 200
    assert client.sandbox.control.sign_ins == 2


def test_the_log_has_no_secrets(client):
    client.sign_in()
    client.get("Inventory/GetStockLocations")
    logged = repr(list(client.sandbox.control.log))
    assert "GetStockLocations" in logged
    assert APPLICATION_SECRET not in logged
    assert client.session["Token"] not in logged


def test_credentials_and_settings_are_what_a_connector_asks_for(client):
    assert list(client.sandbox.credentials) == [
        "scope",
        "token",
        "application_id",
        "application_secret",
        "grant_type",
        "response_authentication_token_key",
    ]
    assert client.sandbox.settings == {"api_address": client.sandbox.address}


def test_a_closed_sandbox_answers_nothing_and_may_be_closed_again(client):
    address = client.sandbox.address
    client.sandbox.close()
    client.sandbox.close()
    with pytest.raises(httpx.ConnectError):
        client.http.get(f"{address}/_sandbox/state")
