"""Where messages may go: what a URL may look like, and where a name may lead, now and at each connect."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
import ssrfguard
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.notify.channels.http import PUBLIC_ONLY, Outside
from services.notify.rules.targets import TargetNotFound, TargetNotPublic, TargetRefused, target_of
from shared.contracts.notify.webhooks import AddWebhook, ChangeWebhook
from shared.kit.ids import utc_now
from tests.notify.webhooks.receiver import Receiver, answering, receiving
from tests.notify.webhooks.world import HUB, Hooks, Refused

Row = tuple[int, int, int, str, tuple[str, int]]


def leading_to(*answers: Iterable[str]) -> Callable[..., list[Row]]:
    """A resolver: the first answer at the first look, and so on, the last for ever. No answer: there is no such name."""
    left = list(answers)
    looked: list[str] = []

    def resolve(host: str, port: int, *_: object) -> list[Row]:
        looked.append(host)
        addresses = list(left.pop(0) if len(left) > 1 else left[0])
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        family = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            (family[ip_address(one).version], socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses
        ]

    resolve.looked = looked  # type: ignore[attr-defined]
    return resolve


@pytest.mark.parametrize(
    ("url", "sent_to"),
    [
        ("https://hooks.example.org", "https://hooks.example.org/"),
        ("https://HOOKS.Example.org.:443/a/b?c=d", "https://hooks.example.org/a/b?c=d"),
        ("https://hooks.example.org:8443/a%2Fb?c=d%20e&f", "https://hooks.example.org:8443/a%2Fb?c=d%20e&f"),
        ("https://smörgås.example/kö?plats=två", "https://xn--smrgs-pra0j.example/k%C3%B6?plats=tv%C3%A5"),
        ("https://faß.example/", "https://xn--fa-hia.example/"),
    ],
)
def test_a_url_is_kept_as_it_is_sent(url: str, sent_to: str) -> None:
    assert target_of(url).url == sent_to
    assert target_of(sent_to).url == sent_to


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/", "ftp://hooks.example.org/", "hooks.example.org/x", "https:///x", "https://",
        "https://ann:secret@hooks.example.org/", "https://hooks.example.org@/", "https://hooks.example.org/#part",
        "https://hooks.example.org:22/", "https://hooks.example.org:0/", "https://hooks.example.org:99999/",
        "https://hooks.example.org:x/", "https://127.0.0.1/", "https://93.184.216.34/", "https://[::1]/",
        "https://[::ffff:169.254.169.254]/", "https://[fe80::1%25eth0]/", "https://2130706433/", "https://0x7f000001/",
        "https://0177.0.0.1/", "https://127.1/", "https://①②⑦.0.0.1/", "https://127。0。0。1/", "https://%31%32%37.0.0.1/",
        "https://localhost/", "https://metadata/", "https://hooks.example.org\\@127.0.0.1/", "https://hooks.example.org /",
        "https://hooks.example.org/a\tb", "https://hooks\u200b.example.org/\u202e", "https://-a.example.org/",
        "https://a..example.org/", "https://" + "a" * 64 + ".example.org/", "https://a.0x7f/", "https://hooks.example.1/",
        "https://hooks.example.org/" + "x" * 2000, "javascript:alert(1)", "//hooks.example.org/",
    ],
)  # fmt: skip
def test_a_url_that_is_none_for_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(TargetRefused):
        target_of(url)


async def test_trust_is_for_one_place_alone() -> None:
    trusted = {"127.0.0.1:8099"}
    assert target_of("http://127.0.0.1:8099/x", trusted).url == "http://127.0.0.1:8099/x"
    for other in ("http://127.0.0.1:8098/", "http://127.0.0.2:8099/", "http://x@127.0.0.1:8099/"):
        with pytest.raises(TargetRefused):
            target_of(other, trusted)


NOBODY_TRUSTED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""No certificate gets past it; for stories that end before there is one."""


INSIDE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.254", "192.168.1.1", "100.64.0.1",
    "169.254.1.1", "169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16", "224.0.0.1",
    "239.255.255.250", "255.255.255.255", "198.18.0.1", "203.0.113.7", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
    "2002:7f00:1::", "::7f00:1", "fec0::1", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
async def test_a_name_that_leads_inside_is_refused_when_given_and_when_connecting(address: str) -> None:
    for resolver in (leading_to([address]), leading_to(["93.184.216.34", address])):
        outside = Outside(resolver=resolver, certificates=NOBODY_TRUSTED)
        with pytest.raises(TargetNotPublic) as refused:
            await outside.look_at("https://hooks.example.org/x")
        assert address not in refused.value.detail
        answer = await outside.post("https://hooks.example.org/x", {}, b"{}")
        assert (answer.status, answer.problem) == (None, "The name does not lead to the public internet.")
        await outside.aclose()


async def test_a_name_that_leads_outside_is_accepted() -> None:
    for addresses in (["93.184.216.34"], ["2606:2800:220:1::1", "93.184.216.34"], ["::ffff:93.184.216.34"]):
        outside = Outside(resolver=leading_to(addresses), certificates=NOBODY_TRUSTED)
        assert (await outside.look_at("https://hooks.example.org/x")).host == "hooks.example.org"
        await outside.aclose()


async def test_a_name_that_leads_nowhere_is_said_so() -> None:
    outside = Outside(resolver=leading_to([]))
    with pytest.raises(TargetNotFound):
        await outside.look_at("https://hooks.example.org/x")
    answer = await outside.post("https://hooks.example.org/x", {}, b"{}")
    assert (answer.status, answer.problem) == (None, "The name cannot be found.")
    await outside.aclose()


async def test_a_name_that_is_moved_inside_after_the_look_is_refused_at_the_connect() -> None:
    local = own_address()
    async with receiving(host=local, port=8443) as receiver:
        resolver = leading_to(["93.184.216.34"], [local])
        outside = Outside(resolver=resolver, certificates=NOBODY_TRUSTED)
        await outside.look_at("https://hooks.example.org:8443/x")
        answer = await outside.post("https://hooks.example.org:8443/x", {}, b"{}")
        assert (answer.status, answer.problem) == (None, "The name does not lead to the public internet.")
        assert receiver.connections == 0
        await outside.aclose()


def certificate_for(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS for a server called that, and for a client that trusts its maker."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = utc_now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(pem, secret)
    return server, ssl.create_default_context(cafile=str(pem))


def own_address() -> str:
    """An address of this machine that no other test listens at, in this run or another."""
    return f"127.{os.getpid() % 200 + 20}.{os.getpid() // 200 % 250}.{next(_numbers)}"


_numbers = itertools.count(1)


def letting_through(*addresses: str) -> ssrfguard.Policy:
    """As in production, with these in the part of addresses on the public internet."""
    return dataclasses.replace(
        PUBLIC_ONLY, allowed_networks=tuple(ip_network(address) for address in addresses)
    )


async def test_the_connection_goes_to_the_address_that_was_checked_and_asks_for_the_names_certificate(
    tmp_path: Path,
) -> None:
    server, client = certificate_for("hooks.example.org", tmp_path)
    checked, moved = own_address(), own_address()
    policy = letting_through(checked)
    async with (
        receiving(host=checked, port=8443, tls=server) as right,
        receiving(host=moved, port=8443, tls=server) as wrong,
    ):
        resolver = leading_to([checked], [moved])
        outside = Outside(resolver=resolver, policy=policy, certificates=client)
        answer = await outside.post("https://hooks.example.org:8443/x", {"webhook-id": "1"}, b"{}")
        assert (answer.status, answer.problem) == (204, None)
        assert right.received[0].headers["host"] == "hooks.example.org:8443"
        assert resolver.looked == ["hooks.example.org"]  # type: ignore[attr-defined]
        other = Outside(resolver=leading_to([checked]), policy=policy, certificates=client)
        answer = await other.post("https://another.example.org:8443/x", {}, b"{}")
        assert answer.status is None
        assert str(answer.problem).startswith("The certificate is not accepted: Hostname mismatch")
        stranger = Outside(resolver=leading_to([checked]), policy=policy)
        answer = await stranger.post("https://hooks.example.org:8443/x", {}, b"{}")
        assert str(answer.problem).startswith("The certificate is not accepted: self")
        assert (len(right.received), wrong.connections) == (1, 0)
        for one in (outside, other, stranger):
            await one.aclose()


async def test_a_second_address_is_tried_when_the_first_does_not_answer(tmp_path: Path) -> None:
    server, client = certificate_for("hooks.example.org", tmp_path)
    silent, answers = own_address(), own_address()
    policy = letting_through(silent, answers)
    async with receiving(host=answers, port=8443, tls=server) as right:
        outside = Outside(resolver=leading_to([silent, answers]), policy=policy, certificates=client)
        answer = await outside.post("https://hooks.example.org:8443/x", {}, b"{}")
        assert (answer.status, right.connections) == (204, 1)
        await outside.aclose()


async def test_proxies_in_the_environment_are_not_asked(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    async with receiving(answering(200)) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        outside = Outside(trusted={f"127.0.0.1:{receiver.port}"})
        answer = await outside.post(receiver.url, {}, b"{}")
        assert (answer.status, proxy.connections) == (204, 0)
        await outside.aclose()


async def test_what_is_packed_stays_packed(receiver: Receiver) -> None:
    receiver.answer = answering(200, "Content-Encoding: gzip", body=b"no gzip at all")
    outside = Outside(trusted={f"127.0.0.1:{receiver.port}"})
    for _ in range(3):
        assert (await outside.post(receiver.url, {}, b"{}")).status == 200
    assert receiver.connections == 1
    await outside.aclose()


async def test_a_slow_name_keeps_no_other_from_being_looked_up() -> None:
    holding = threading.Event()

    def resolver(host: str, port: int, *_: object) -> list[Row]:
        if host.startswith("slow"):
            holding.wait(30)
        return leading_to(["10.0.0.1"])(host, port)

    outside = Outside(resolver=resolver, longest=0.3)
    slow = [asyncio.create_task(outside.post("https://slow.example.org/", {}, b"{}")) for _ in range(50)]
    with pytest.raises(TargetNotPublic):
        await outside.look_at("https://quick.example.org/")
    assert {answer.problem for answer in await asyncio.gather(*slow)} == {"No answer within 0.3 seconds."}
    holding.set()
    await outside.aclose()


async def test_operators_hear_at_once_what_is_wrong_with_a_url(hooks: Hooks) -> None:
    hooks.outside = Outside(resolver=leading_to(["169.254.169.254"]))
    for url, code in (
        ("http://hooks.example.org/", "webhook-url"),
        ("https://hooks.example.org/", "webhook-not-public"),
    ):
        with pytest.raises(Refused) as refused:
            await hooks.ask(AddWebhook(hub=HUB, url=url))
        assert (refused.value.code, refused.value.status) == (code, 422)
        assert refused.value.problem["field"] == "url"
    await hooks.outside.aclose()
    hooks.outside = Outside(resolver=leading_to(["93.184.216.34"], []))
    webhook = await hooks.ask(AddWebhook(hub=HUB, url="https://hooks.example.org/x"))
    with pytest.raises(Refused) as refused:
        await hooks.ask(
            ChangeWebhook(hub=HUB, webhook=webhook.id, version=1, url="https://other.example.org")
        )
    assert refused.value.code == "webhook-host-not-found"
    assert (await hooks.seen(webhook)).url == "https://hooks.example.org/x"
    await hooks.outside.aclose()
