"""What matching shows a person of themselves, by table: never who was suggested, nor what somebody else answered."""

from __future__ import annotations

from services.matching.queries.introductions import STANDING, mine

_OWN = "SELECT p.person FROM profile p WHERE p.person = :person OR p.kept_by = :person"
# ruff: noqa: S608  # the statements are put together from constants
EXPORTED = {
    "profile": """
        SELECT jsonb_build_array(person) AS place, person AS owner, owner_kind, name, hub, about, talk_about, fields,
               languages, visibility, paused, changed_at
        FROM profile WHERE person = :person OR kept_by = :person
    """,
    "statement": f"""
        SELECT jsonb_build_array(id) AS place, person AS owner, side, concept, level, words, until
        FROM statement WHERE person IN ({_OWN})
    """,
    "consent": f"""
        SELECT jsonb_build_array(person, hub) AS place, person AS owner, hub, given_at, withdrawn_at
        FROM consent WHERE person IN ({_OWN})
    """,
    # How it stands, as its two are told at any time: the status itself says of the other what is nobody's to know. Who
    # suggested it to two others is told that they did.
    "introduction": f"""
        SELECT jsonb_build_array(created_at, id, mine.mine) AS place, id, hub, by_host, {STANDING} AS status, created_at, met_at,
               lapse_at, suggested_by = :person AS suggested_by_me, i_said
        FROM ({mine(":person")}) mine
        UNION ALL
        SELECT jsonb_build_array(created_at, id), id, hub, by_host, NULL, created_at, NULL, lapse_at, true, NULL
        FROM introduction
        WHERE suggested_by = :person AND :person NOT IN (one, other) AND one NOT IN ({_OWN}) AND other NOT IN ({_OWN})
    """,
    "outcome": f"""
        SELECT jsonb_build_array(introduction, person) AS place, introduction, outcome, said_at
        FROM outcome WHERE person IN ({_OWN})
    """,
    "shown": """
        SELECT jsonb_build_array(person, other) AS place, last_at, earlier_at, times, person = :person AS to_me
        FROM shown WHERE person = :person OR other = :person
    """,
    "exposure": "SELECT jsonb_build_array(person) AS place, times_decayed, at FROM exposure WHERE person = :person",
    # That somebody put the person aside is that somebody's.
    "blocked": "SELECT jsonb_build_array(other) AS place, at FROM blocked WHERE person = :person",
    "membership": """
        SELECT jsonb_build_array(hub) AS place, hub, role, joined_at, left_at FROM membership WHERE person = :person
    """,
    "target": "SELECT jsonb_build_array(hub, concept) AS place, hub, concept, wanted FROM target WHERE set_by = :person",
}
