"""The documents made from the contracts: AsyncAPI whole and stable, docs/contracts.md up to date."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from services.cli.app import app
from services.cli.contracts import PAGE, page
from shared.contracts.asyncapi import asyncapi_document
from shared.contracts.booking.facts import OccupancyChangedV1
from shared.contracts.catalogue import FACTS, OPERATIONS, REQUESTS
from shared.contracts.streams import OCCUPANCY
from tests.contracts.golden import PUBLISHED, Published

URL = "nats://127.0.0.1:4222"
DOCUMENT = asyncapi_document(URL)
ALL_FACTS = [fact for facts in FACTS.values() for fact in facts]


def _references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [one for item in part for one in _references(item)]
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [one for item in part.values() for one in _references(item)]
    return []


def _at(reference: str) -> Any:
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_the_document_is_the_same_every_time_and_plain_json() -> None:
    again = asyncapi_document(URL)
    assert json.dumps(again) == json.dumps(DOCUMENT)
    assert json.loads(json.dumps(DOCUMENT)) == DOCUMENT


def test_every_reference_leads_somewhere() -> None:
    references = _references(DOCUMENT)
    assert len(references) > 100
    for reference in references:
        assert _at(reference)


def test_every_published_message_is_in_it_with_its_audience_and_who_states_it() -> None:
    messages = DOCUMENT["components"]["messages"]
    assert messages.keys() == {fact.__name__ for fact in ALL_FACTS} | {OccupancyChangedV1.__name__}
    for message in messages.values():
        assert {
            "x-audience",
            "x-producer",
            "x-consumers",
            "x-version",
            "examples",
            "payload",
        } <= message.keys()
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()}
    assert addresses == {fact.subject_for("{hub}") for fact in ALL_FACTS} | {
        "occupancy.{hub}.{space}.v1",
        "occupancy.{hub}.all.v1",
    }


def test_channels_name_their_parameters_and_are_each_used_by_one_operation() -> None:
    for channel in DOCUMENT["channels"].values():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == channel["parameters"].keys()
    used = [operation["channel"]["$ref"] for operation in DOCUMENT["operations"].values()]
    assert sorted(used) == sorted(f"#/channels/{key}" for key in DOCUMENT["channels"])
    for operation in DOCUMENT["operations"].values():
        channel = _at(operation["channel"]["$ref"])
        for message in operation["messages"]:
            assert message["$ref"].split("/")[-1] in channel["messages"]


def _standing_alone(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "components": DOCUMENT["components"]}


def test_examples_and_golden_files_are_valid_against_the_documents_schemas() -> None:
    for message in DOCUMENT["components"]["messages"].values():
        schema = _standing_alone(message["payload"])
        for shown in message["examples"]:
            jsonschema.validate(shown["payload"], schema, cls=jsonschema.Draft7Validator)
            jsonschema.validate(shown["headers"], message["headers"], cls=jsonschema.Draft7Validator)


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda one: one.name)
def test_golden_examples_are_valid_against_the_documents_schemas(published: Published) -> None:
    schema = _standing_alone(DOCUMENT["components"]["schemas"][published.model.__name__])
    jsonschema.validate(
        json.loads(published.example_file.read_text()), schema, cls=jsonschema.Draft7Validator
    )


def test_an_operator_learns_everything_from_the_document() -> None:
    server = DOCUMENT["servers"]["nats"]
    assert server["protocol"] == "nats"
    assert {name: one["default"] for name, one in server["variables"].items()} == {
        "host": "127.0.0.1",
        "port": "4222",
    }
    assert DOCUMENT["components"]["securitySchemes"]["nkey"]["type"] == "asymmetricEncryption"
    stream = DOCUMENT["channels"]["spaceOccupancyV1"]["x-stream"]
    assert stream["name"] == OCCUPANCY
    assert stream["consumer"]["deliver_policy"] == "last_per_subject"
    for word in (OCCUPANCY, "last_per_subject", "inbox prefix", "nkey"):
        assert word in DOCUMENT["info"]["description"]


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("nats://bus.example.org", "bus.example.org", "4222"),
        ("tls://bus.example.org:443", "bus.example.org", "443"),
        ("nats://user:secret@[::1]:4333", "[::1]", "4333"),
    ],
)
def test_the_servers_address_is_shown_without_its_password(url: str, host: str, port: str) -> None:
    document = asyncapi_document(url)
    variables = document["servers"]["nats"]["variables"]
    assert (variables["host"]["default"], variables["port"]["default"]) == (host, port)
    assert "secret" not in json.dumps(document["servers"])


def test_a_cell_that_does_not_say_where_its_bus_is_sends_nobody_to_their_own_machine() -> None:
    document = asyncapi_document(None)
    assert document["servers"] == {}
    assert "#/servers" not in json.dumps(document)
    assert "127.0.0.1" not in json.dumps(document)
    told = {key: {**one, "servers": None} for key, one in DOCUMENT["channels"].items()}
    assert {key: {**one, "servers": None} for key, one in document["channels"].items()} == told


def test_the_page_of_contracts_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run `make docs` and commit docs/contracts.md"


def test_the_page_names_every_fact_and_request() -> None:
    text = page()
    for model in (*ALL_FACTS, *(one for many in REQUESTS.values() for one in many), *OPERATIONS):
        assert f"| `{model.__name__}` |" in text


def test_the_command_compares_writes_and_prints(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = CliRunner()
    elsewhere = tmp_path / "docs" / "contracts.md"
    monkeypatch.setattr("services.cli.contracts.PAGE", elsewhere)
    assert runner.invoke(app, ["contracts", "--check"]).exit_code == 2
    elsewhere.parent.mkdir()
    elsewhere.write_text("old")
    stale = runner.invoke(app, ["contracts", "--check"])
    assert stale.exit_code == 1
    assert "foci contracts --write" in stale.output
    assert runner.invoke(app, ["contracts", "--write"]).exit_code == 0
    assert elsewhere.read_text() == page()
    assert runner.invoke(app, ["contracts", "--check"]).exit_code == 0
    printed = json.loads(runner.invoke(app, ["contracts", "--format", "json"]).stdout)
    assert len(printed["facts"]) == len(ALL_FACTS) + 1
    assert "BookingConfirmedV1" in runner.invoke(app, ["contracts"]).stdout
