"""Everything rendered is what Kubernetes and the operators take, in the oldest and the newest version; helm has no complaints."""

from __future__ import annotations

import pytest

from shared.contracts.users import SERVICES
from tests.chart.rendering import EXAMPLES, FLAGS, Rendered, helm, matrix, objects_in
from tests.chart.schemas import VERSIONS, faults
from tests.chart.sources import CHART, main

MATRIX = sorted([*(file.stem for file in EXAMPLES.glob("*.yaml")), *FLAGS, "long name"])


@pytest.fixture(scope="module")
def rendered() -> dict[str, Rendered]:
    return matrix()


@pytest.mark.parametrize("name", MATRIX)
def test_every_object_fits_its_schema(name: str, rendered: dict[str, Rendered]) -> None:
    for version in VERSIONS:
        assert faults(rendered[name].objects, version) == []


@pytest.mark.parametrize("name", MATRIX)
def test_names_are_short_enough_and_nothing_stands_twice(name: str, rendered: dict[str, Rendered]) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in rendered[name].objects]
    assert len(names) == len(set(names))
    assert not [one for _, one in names if len(one) > 63]


def test_a_misspelt_field_would_be_found(rendered: dict[str, Rendered]) -> None:
    """The schemas are strict: otherwise all of the above would say nothing."""
    everything = {one["kind"]: one for one in rendered["everything"].objects} | {
        one["kind"]: one for one in rendered["http route"].objects
    }
    for kind, one in everything.items():
        planted = {**one, "spec": {**one.get("spec", {}), "replicaz": 1}}
        assert faults([planted], VERSIONS[-1]), kind


def test_helm_lints_every_example() -> None:
    for example in EXAMPLES.glob("*.yaml"):
        done = helm("lint", "--strict", CHART, "-f", example)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ('publicUrl=""', "/publicUrl"),
        ('publicUrl="foci.example"', "/publicUrl"),
        ('mail.from="nobody"', "/mail/from"),
        ("services.booking.settings.POOL_SIZ=3", "POOL_SIZ"),
        ('services.booking.settings.DATABASE_URL="x"', "DATABASE_URL"),
        ('services.gateway.settings.DEV_TOKEN_PUBLIC_KEY="x"', "DEV_TOKEN_PUBLIC_KEY"),
        ('services.gateway.fromSecret.DEV_TOKEN_PUBLIC_KEY="x"', "DEV_TOKEN_PUBLIC_KEY"),
        ("services.billing.enabled=true", "billing"),
        ("replicas=3", "replicas"),
        ('environment.GATEWAY_DEV_TOKEN_PUBLIC_KEY="x"', "invalid propertyName"),
        ("streams.replicas=2", "/streams/replicas"),
        ("ingress.enabled=true", "/ingress/host"),
        ("httpRoute.enabled=true", "/httpRoute/parentRefs"),
        ('nats.operatorsUrl="nats://user:secret@bus.example"', "/nats/operatorsUrl"),
        ('networkPolicy.private=["everything"]', "/networkPolicy/private"),
        ('ingress={"enabled": true, "host": "foci.example"}', "TRUSTED_PROXIES"),
        ('httpRoute={"enabled": true, "parentRefs": [{"name": "shared"}]}', "TRUSTED_PROXIES"),
    ],
)
def test_values_that_mean_nothing_are_refused(said: str, because: str) -> None:
    done = helm("template", "foci", CHART, "-f", EXAMPLES / "minimal.yaml", "--set-json", said)
    assert done.returncode != 0
    assert because in done.stderr


def test_whoever_installs_behind_a_proxy_is_shown_what_must_agree_with_it() -> None:
    def notes(*more: str) -> str:
        said = ["-f", str(EXAMPLES / f"{more[0]}.yaml"), *more[1:]]
        done = helm("install", "foci", CHART, "--dry-run=client", "--namespace", "foci", *said)
        assert done.returncode == 0, done.stderr
        return done.stdout.rpartition("NOTES:")[2]

    closed, told = notes("minimal"), notes("everything")
    assert "Nobody reaches the gateway from outside" in closed
    assert "TRUSTED_PROXIES" not in closed
    for value in ("10.42.0.0/16", "ingress-nginx", "https://foci.example", '["https://hub.foci.example"]'):
        assert value in told
    assert "proxy" not in notes("everything", "--set", "services.gateway.enabled=false")


def test_the_chart_says_what_the_code_says() -> None:
    assert main(["--check"]) == 0


def test_what_must_be_there_before_fits_its_schemas_too() -> None:
    objects = objects_in((CHART / "prerequisites" / "postgresql.yaml").read_text())
    for version in VERSIONS:
        assert faults(objects, version) == []
    cluster, *databases = objects
    assert {one["spec"]["name"]: one["spec"]["owner"] for one in databases} == {
        name: name for name in SERVICES
    }
    assert [one["name"] for one in cluster["spec"]["managed"]["roles"]] == list(SERVICES)
    # The first line that fits counts: each role reaches its own database, and then nothing.
    allowed, others = (
        cluster["spec"]["postgresql"]["pg_hba"][:-2],
        cluster["spec"]["postgresql"]["pg_hba"][-2:],
    )
    assert allowed == [f"hostssl {name} {name} all scram-sha-256" for name in SERVICES]
    everybody = ",".join(SERVICES)
    assert others == [f"host {everybody} all all reject", f"host all {everybody} all reject"]
