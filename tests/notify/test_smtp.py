"""The mail channel against a real mail server: what every ending of a mail means, and connections that are kept."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from deploy.local.servers import free_port
from services.notify.channels.smtp import MailServer, Outcome, Result, Server, Tls, Waits
from services.notify.rules.mail import Mail
from tests.notify.post_office import CUT, CUT_AFTER, HANG, PostOffice, post_office
from tests.waiting import eventually

ANN, BO = "ann@example.org", "bo@example.com"
QUICK = Waits(turn=0.5, begin=0.5, end=0.3, away=0.2, idle=30)


def _mail(to: str = ANN, text: str = "Hej!") -> Mail:
    content = (
        f"From: Foci <foci@foci.example>\r\nTo: <{to}>\r\nMessage-ID: <1@foci.example>\r\n\r\n{text}\r\n"
    )
    return Mail("<1@foci.example>", "foci@foci.example", to, content.encode())


def _server(port: int, tls: Tls = "none", login: tuple[str, str] | None = None) -> Server:
    user, password = login or (None, None)
    return Server("localhost", port, tls, user, password, "foci.example")


def _mails(office: PostOffice, *, connections: int = 1, waits: Waits = QUICK) -> MailServer:
    return MailServer(_server(office.port), connections=connections, waits=waits)


@pytest.mark.parametrize(
    ("step", "said", "result", "reason"),
    [
        ("MAIL", "451 4.3.0 later", Result.LATER, "mail 451 4.3.0"),
        ("MAIL", "550 5.7.1 not you", Result.LATER, "mail 550 5.7.1"),
        ("MAIL", "552 5.3.4 too large", Result.NEVER, "mail 552 5.3.4"),
        ("RCPT", "450 4.2.0 greylisted", Result.LATER, "rcpt 450 4.2.0"),
        ("RCPT", "451 greylisted", Result.LATER, "rcpt 451"),
        ("RCPT", f"550 5.1.1 <{ANN}>: nobody of that name", Result.BAD_ADDRESS, "rcpt 550 5.1.1"),
        ("RCPT", "556 5.1.10 takes no mail", Result.BAD_ADDRESS, "rcpt 556 5.1.10"),
        ("RCPT", "553 5.1.8 the sender's domain", Result.NEVER, "rcpt 553 5.1.8"),
        ("RCPT", "550 5.7.1 relaying denied", Result.NEVER, "rcpt 550 5.7.1"),
        ("RCPT", "550 no", Result.NEVER, "rcpt 550"),
        ("DATA", "451 4.3.0 later", Result.LATER, "data 451 4.3.0"),
        ("DATA", "554 5.5.1 no", Result.NEVER, "data 554 5.5.1"),
        ("END", "452 4.3.1 no room", Result.LATER, "end 452 4.3.1"),
        ("END", "554 5.7.1 spam", Result.NEVER, "end 554 5.7.1"),
        ("END", f"550 5.1.1 <{ANN}>", Result.BAD_ADDRESS, "end 550 5.1.1"),
        ("DATA", CUT, Result.LATER, "lost SMTPServerDisconnected"),
        ("DATA", HANG, Result.LATER, "lost SMTPReadTimeoutError"),
        ("END", CUT, Result.UNKNOWN, "end SMTPServerDisconnected"),
        ("END", CUT_AFTER, Result.UNKNOWN, "end SMTPServerDisconnected"),
        ("END", HANG, Result.UNKNOWN, "end SMTPReadTimeoutError"),
        ("END", "gibberish", Result.UNKNOWN, "end SMTPResponseException"),
    ],
)
async def test_every_ending_has_a_meaning_and_the_next_mail_goes_through(
    step: str, said: str, result: Result, reason: str
) -> None:
    async with post_office() as office:
        mails = _mails(office)
        office.say(step, "" if step == "MAIL" else ANN, said)
        assert await mails.send(_mail()) == Outcome(result, reason)
        assert await mails.send(_mail(BO)) == Outcome(Result.ACCEPTED, "end 250")
        assert len(office.mails_to(ANN)) == (said == CUT_AFTER)
        await mails.close()


async def test_a_mail_arrives_as_it_was_written() -> None:
    text = "\r\n".join((".", "..two", "a.b", "", ".end", "x" * 900, "Hej då".encode().hex()))
    async with post_office() as office:
        mails = _mails(office)
        assert (await mails.send(_mail(text=text))).result is Result.ACCEPTED
        (taken,) = office.taken
        assert (taken.sender, taken.to) == ("foci@foci.example", ANN)
        assert taken.raw == _mail(text=text).content
        await mails.close()


async def test_connections_are_kept_used_again_and_left_politely() -> None:
    async with post_office() as office:
        mails = _mails(office, connections=3)
        outcomes = await asyncio.gather(
            *(mails.send(_mail(f"p{number}@example.org")) for number in range(30))
        )
        assert {one.result for one in outcomes} == {Result.ACCEPTED}
        assert office.connections == office.most_open == 3
        await mails.close()
        assert office.quits == 3
        await eventually(lambda: office.open == 0)


async def test_a_server_that_hung_up_on_an_unused_connection_loses_no_mail() -> None:
    async with post_office() as office:
        mails = _mails(office)
        assert (await mails.send(_mail())).result is Result.ACCEPTED
        office.hang_up()
        await eventually(lambda: office.open == 0)
        assert (await mails.send(_mail())).result is Result.ACCEPTED
        office.say("MAIL", "", "421 4.4.2 you were silent for too long")
        assert (await mails.send(_mail())).result is Result.ACCEPTED
        office.say("MAIL", "", CUT)
        assert (await mails.send(_mail())).result is Result.ACCEPTED
        assert (len(office.taken), office.connections) == (4, 4)
        await mails.close()


async def test_a_server_that_wants_no_mail_now_is_told_so_once_per_connection() -> None:
    async with post_office() as office:
        mails = _mails(office)
        office.always["MAIL", ""] = "421 4.3.2 closing"
        assert await mails.send(_mail()) == Outcome(Result.LATER, "mail 421 4.3.2")
        assert office.connections == 1
        await mails.close()


async def test_a_server_that_is_away_is_left_alone_for_a_moment() -> None:
    mails = MailServer(_server(free_port()), connections=2, waits=QUICK)
    assert await mails.send(_mail()) == Outcome(Result.LATER, "away SMTPConnectError")
    async with post_office(port=mails._server.port) as office:
        assert await mails.send(_mail()) == Outcome(Result.LATER, "away lately")
        assert office.connections == 0

        async def sent() -> bool:
            return (await mails.send(_mail())).result is Result.ACCEPTED

        await eventually(sent, within=3)
        await mails.close()


async def test_who_gets_no_connection_in_time_comes_later() -> None:
    async with post_office() as office:
        mails = _mails(office, waits=Waits(turn=0.1, begin=1, end=1))
        office.say("END", ANN, HANG)
        first = asyncio.create_task(mails.send(_mail()))
        await eventually(lambda: office.open == 1)
        assert await mails.send(_mail(BO)) == Outcome(Result.LATER, "no connection free")
        assert (await first).result is Result.UNKNOWN
        await mails.close()


async def test_a_mail_that_is_not_ours_any_more_is_not_sent() -> None:
    async with post_office() as office:
        mails = _mails(office)
        assert await mails.send(_mail(), still=lambda: False) == Outcome(Result.LATER, "too late")
        assert office.taken == []
        await mails.close()


async def test_a_cancelled_mail_leaves_no_connection_behind_that_another_would_use() -> None:
    async with post_office() as office:
        mails = _mails(office, waits=Waits())
        office.say("END", ANN, HANG)
        first = asyncio.create_task(mails.send(_mail()))
        await eventually(lambda: not office.answers["END", ANN])
        first.cancel()
        assert (await asyncio.gather(first, return_exceptions=True))[0].__class__ is asyncio.CancelledError
        assert (await mails.send(_mail(BO))).result is Result.ACCEPTED
        assert office.connections == 2
        await mails.close()


async def test_an_address_beyond_ascii_needs_a_server_that_knows_such() -> None:
    async with post_office() as office:
        mails = _mails(office)
        assert (await mails.send(_mail("åsa@example.org"))).result is Result.ACCEPTED
        assert [one.to for one in office.taken] == ["åsa@example.org"]
        await mails.close()
    async with post_office(smtputf8=False) as office:
        mails = _mails(office)
        assert await mails.send(_mail("åsa@example.org")) == Outcome(Result.NEVER, "rcpt 553 5.6.7")
        assert (await mails.send(_mail())).result is Result.ACCEPTED
        await mails.close()


@pytest.mark.parametrize(
    "hostile", ["ann@example.org>\r\nRCPT TO:<eve@example.org", "ann@example.org> SIZE=1", "a b"]
)
async def test_no_command_can_be_smuggled_in_an_address(hostile: str) -> None:
    async with post_office() as office:
        mails = _mails(office)
        assert await mails.send(_mail(hostile)) == Outcome(Result.BAD_ADDRESS, "address cannot be written")
        assert (await mails.send(_mail())).result is Result.ACCEPTED
        assert [one.to for one in office.taken] == [ANN]
        await mails.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for localhost that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "localhost.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_mail_goes_over_tls_only_to_a_server_whose_certificate_is_believed(
    tls: Tls, certificate: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    login = ("foci", "s3cret")
    async with post_office(tls=context, implicit=tls == "implicit", login=login) as office:
        server = _server(office.port, tls, login)
        stranger = MailServer(server, connections=1, waits=Waits(away=0))
        assert (await stranger.send(_mail())).reason.startswith("away ")
        trusting = MailServer(
            server, connections=1, waits=Waits(away=0), trusted=ssl.create_default_context(cafile=certificate)
        )
        assert (await trusting.send(_mail())).result is Result.ACCEPTED
        await trusting.close()
        wrong = MailServer(
            _server(office.port, tls, ("foci", "guess")),
            connections=1,
            waits=Waits(away=0),
            trusted=ssl.create_default_context(cafile=certificate),
        )
        assert await wrong.send(_mail()) == Outcome(Result.LATER, "away SMTPAuthenticationError 535")
        assert len(office.taken) == 1


async def test_mail_never_goes_in_clear_where_tls_is_wanted() -> None:
    async with post_office() as office:
        mails = MailServer(_server(office.port, "starttls"), connections=1, waits=QUICK)
        assert await mails.send(_mail()) == Outcome(Result.LATER, "away SMTPException")
        assert office.taken == []
