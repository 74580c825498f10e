"""Figures are few: no label is by person, hub or thing, so that a stack of many hubs has no more of them than one of few."""

from __future__ import annotations

from tests.telemetry.exported import exported

FEW = {
    "asked": "services",
    "because": "words in the code",
    "cell": "of the process",
    "consumer": "durable consumers",
    "count": "three figures",
    "generation": "Python's",
    "kind": "duties",
    "le": "bounds of histograms",
    "method": "HTTP's, and `other`",
    "need": "what a process needs",
    "operation": "requests of the contracts",
    "outcome": "words in the code",
    "part": "services and the gateway",
    "release": "of the process",
    "result": "words in the code",
    "route": "routes, and `other`",
    "status": "HTTP's",
    "stream": "declared streams",
    "topic": "what can be listened to",
    "why": "words in the code",
}
"""Every label there is, with what its values are."""


def test_every_label_has_few_values_that_are_known_beforehand() -> None:
    used = {label for labels in exported().values() for label in labels}
    assert used <= set(FEW), used - set(FEW)
