"""Signing in as people and programs do it: the mailed link, the cookie, the tokens, the sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
import jwt
import pytest

from shared.contracts.directory.requests import EnsurePerson
from shared.contracts.directory.words import Role
from tests.gateway.cell import Cell
from tests.gateway.problems import problem
from tests.gateway.sign_in_things import mailed_link, signed_in

PAGE = {"Accept": "text/html", "Accept-Language": "en"}
OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}


def account(cell: Cell, name: str) -> str:
    """The address of somebody with an account."""
    email = f"{name}@people.example"
    cell.as_admin(EnsurePerson(hub="here", name=name, role=Role.MEMBER, email=email))
    return email


def link_for(cell: Cell, name: str) -> str:
    """The address in the mail that somebody is sent who wants to sign in."""
    return mailed_link(cell, account(cell, name), hub="here")


def bearer(grant: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {grant['access_token']}"}


def test_a_browser_signs_in_by_the_mailed_link_and_goes_on_without_it(cell: Cell) -> None:
    path = link_for(cell, "browser")
    with cell.client() as browser:
        # Looking does nothing, however often: programs that scan mail follow every link.
        for _ in range(2):
            shown = browser.get(path, headers=PAGE)
            assert "Sign in" in shown.text
            assert not browser.cookies
        done = browser.post(path, headers={**PAGE, **OUR_PAGE})
        assert done.status_code == 200
        assert "You are signed in" in done.text
        assert browser.get("/v1/hubs/here/now", headers=PAGE).status_code == 200
        assert 'href="/v1/hubs/here/now"' in done.text
        kept = done.headers["set-cookie"].lower()
        assert all(word in kept for word in ("httponly", "samesite=strict", "path=/"))
        assert done.headers["cache-control"] == "no-store"
        refreshed = browser.post("/v1/session/refresh", headers=OUR_PAGE)
        assert refreshed.status_code == 200
        grant = refreshed.json()
        assert grant["refresh_token"] is None, "no script of the page can read it"
        assert grant["expires_in"] == 300
        me = browser.get("/v1/me", headers=bearer(grant)).json()
        assert me["email"] == "browser@people.example"
        again = browser.post(path, headers={**PAGE, **OUR_PAGE})
        assert again.status_code == 409, "pressed twice"
        for page in (again, browser.get(path, headers=PAGE)):
            assert "This link has been used" in page.text
            assert 'href="/v1/hubs/here/now"' in page.text
        assert browser.post("/v1/session/sign-out", headers=OUR_PAGE).json() == {"sessions": 1}
        assert not browser.cookies
        assert "href=" not in browser.post(path, headers={**PAGE, **OUR_PAGE}).text
        problem(browser.post("/v1/session/refresh", headers=OUR_PAGE), 401, "unauthenticated")


def test_a_program_signs_in_and_refreshes_with_a_header(cell: Cell) -> None:
    grant = cell.http.post(link_for(cell, "program")).json()
    assert grant["refresh_token"].startswith("foci_rt_")
    assert "set-cookie" not in cell.http.get("/v1/me", headers=bearer(grant)).headers
    old = {"Foci-Refresh-Token": grant["refresh_token"]}
    following = cell.http.post("/v1/session/refresh", headers=old).json()
    assert cell.http.get("/v1/me", headers=bearer(following)).status_code == 200
    cell.clock.ahead += timedelta(minutes=1)
    problem(cell.http.post("/v1/session/refresh", headers=old), 401, "session-over")
    new = {"Foci-Refresh-Token": following["refresh_token"]}
    problem(cell.http.post("/v1/session/refresh", headers=new), 401, "session-over")


def test_with_tls_the_cookie_is_bound_to_the_host(cell: Cell) -> None:
    path = link_for(cell, "tls")
    with cell.another_gateway(secure_cookies=True, front_url="https://front.example/{hub}/now") as client:
        done = client.post(path, headers={**PAGE, **OUR_PAGE})
    kept = done.headers["set-cookie"]
    assert kept.startswith("__Host-foci-session=foci_rt_")
    assert "secure" in kept.lower()
    assert "domain" not in kept.lower()
    assert "https://front.example/here/now" in done.text


def test_a_browser_that_says_only_its_origin_may_press_our_button(cell: Cell) -> None:
    """Without TLS, or of before 2023. With the policy of other answers it would say `null`."""
    path = link_for(cell, "older")
    assert cell.http.get(path, headers=PAGE).headers.get_list("referrer-policy") == ["same-origin"]
    assert cell.http.get("/v1/hubs").headers.get_list("referrer-policy") == ["no-referrer"]
    refused = cell.http.post(path, headers={**PAGE, "Origin": "null"})
    assert refused.status_code == 403
    assert "press the button there" in refused.text
    assert cell.http.post(path, headers={**PAGE, "Origin": cell.url}).status_code == 200


@pytest.mark.parametrize("path", ["refresh", "sign-out"])
def test_a_cookie_that_is_no_refresh_token_is_taken_away(cell: Cell, path: str) -> None:
    for kept in ("short", "x" * 201, "foci_rt_" + "%20" * 10):
        answer = cell.http.post(f"/v1/session/{path}", headers={"Cookie": f"foci-session={kept}", **OUR_PAGE})
        problem(answer, 401, "unauthenticated")
        assert "max-age=0" in answer.headers["set-cookie"].lower()
    problem(cell.http.post(f"/v1/session/{path}"), 401, "unauthenticated")


FOREIGN: dict[str, dict[str, str]] = {
    "another site's page": {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    "another host of the domain": {"Sec-Fetch-Site": "same-site", "Origin": "https://x.foci.example"},
    "an older browser": {"Origin": "https://evil.example"},
    "a page without an origin": {"Origin": "null"},
}


@pytest.mark.parametrize("kind", [*FOREIGN, "nobody knows"])
def test_no_other_sites_page_uses_the_cookie(cell: Cell, kind: str) -> None:
    grant = signed_in(cell, cell.person("here", "member"))
    cookie = {"Cookie": f"foci-session={grant.refresh_token}"}
    for path in ("refresh", "sign-out"):
        sent = {**cookie, **FOREIGN.get(kind, {})}
        problem(cell.http.post(f"/v1/session/{path}", headers=sent), 403, "cross-site")
    assert cell.http.post("/v1/session/refresh", headers={**cookie, **OUR_PAGE}).status_code == 200


@pytest.mark.parametrize("kind", list(FOREIGN))
def test_no_other_site_signs_its_visitors_in_as_somebody_else(cell: Cell, kind: str) -> None:
    path = link_for(cell, "planted")
    for accept in ({}, PAGE):
        refused = cell.http.post(path, headers={**accept, **FOREIGN[kind]})
        assert refused.status_code == 403
        assert "set-cookie" not in refused.headers
    assert cell.http.post(path, headers=OUR_PAGE).status_code == 200


def test_a_frontend_of_ours_may_use_the_cookie_and_any_frontend_of_all_may_not(cell: Cell) -> None:
    front = {"Sec-Fetch-Site": "same-site", "Origin": "https://front.foci.example"}
    grant = signed_in(cell, cell.person("here", "member"))
    sent = {"Cookie": f"foci-session={grant.refresh_token}", **front}
    with cell.another_gateway(cors_origins=("https://front.foci.example",)) as client:
        refreshed = client.post("/v1/session/refresh", headers=sent)
        assert refreshed.status_code == 200
        assert refreshed.headers["access-control-allow-credentials"] == "true"
        assert refreshed.headers["access-control-allow-origin"] == "https://front.foci.example"
    with cell.another_gateway(cors_origins=("*",)) as client:
        refused = client.post("/v1/session/refresh", headers=sent)
        problem(refused, 403, "cross-site")
        assert "access-control-allow-credentials" not in refused.headers


def test_an_unknown_address_hears_what_a_known_one_hears(cell: Cell) -> None:
    known = cell.http.post("/v1/sign-in", json={"email": account(cell, "known")})
    unknown = cell.http.post("/v1/sign-in", json={"email": "nobody@people.example"})
    assert known.status_code == unknown.status_code == 202
    assert known.content == unknown.content
    assert {*known.headers} == {*unknown.headers}


def test_the_link_works_in_the_persons_own_language_at_night_too(cell: Cell) -> None:
    wanted = EnsurePerson(
        hub="here", name="Danish", role=Role.MEMBER, email="danish@people.example", language="da"
    )
    cell.as_admin(wanted)
    path = mailed_link(cell, "danish@people.example")
    assert "Log ind" in str(cell.outside.post.mails_to("danish@people.example")[-1].message["Subject"])
    assert "Log ind" in cell.http.get(path, headers={**PAGE, "Accept-Language": "da"}).text
    assert "Logga in" in cell.http.get(path, headers={**PAGE, "Accept-Language": "sv"}).text
    cell.clock.ahead += timedelta(minutes=16)
    problem(cell.http.post(path), 404, "link-invalid")


def test_anybody_can_check_an_access_token_with_the_published_keys(cell: Cell) -> None:
    grant = signed_in(cell, cell.person("here", "member"))
    published = cell.http.get("/.well-known/jwks.json")
    assert published.headers["cache-control"] == "public, max-age=300"
    keys = {one.key_id: one for one in jwt.PyJWKSet.from_dict(published.json()).keys}
    kid = jwt.get_unverified_header(grant.access_token)["kid"]
    options: Any = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(
        grant.access_token, keys[kid], ["EdDSA"], audience="foci", issuer="foci:local", options=options
    )
    assert claims["sub"] == str(cell.person("here", "member"))


def test_somebody_sees_where_they_are_signed_in_and_signs_out_there(cell: Cell) -> None:
    person = cell.person("here", "member", "Many Browsers")
    grants = [signed_in(cell, person, agent=f"Browser {number}") for number in range(3)]
    auth = {"Authorization": f"Bearer {grants[0].access_token}"}
    listed = cell.http.get("/v1/me/sessions", headers=auth).json()["items"]
    assert {one["agent"] for one in listed} == {"Browser 0", "Browser 1", "Browser 2"}
    assert cell.http.delete(f"/v1/me/sessions/{grants[1].session}", headers=auth).status_code == 200
    assert len(cell.http.get("/v1/me/sessions", headers=auth).json()["items"]) == 2
    assert cell.http.delete("/v1/me/sessions", headers=auth).json() == {"sessions": 2}
    again: httpx2.Response = cell.http.post(
        "/v1/session/refresh", headers={"Foci-Refresh-Token": str(grants[2].refresh_token)}
    )
    problem(again, 401, "session-over")


def test_logs_hold_nothing_that_signs_in(cell: Cell) -> None:
    path = link_for(cell, "quiet")
    grant = cell.http.post(path).json()
    for _ in range(2):
        cell.http.post("/v1/session/refresh", headers={"Foci-Refresh-Token": grant["refresh_token"]})
        cell.clock.ahead += timedelta(minutes=1)
    said = str(cell.logs)
    for secret in (path, path.rpartition("/")[2], grant["refresh_token"], grant["access_token"], "quiet@"):
        assert secret not in said
