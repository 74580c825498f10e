"""Facts in: one short function per fact, in the transaction that also remembers having heard it."""

from services.events.consumers.leavers import frees_leavers_places
from services.events.consumers.mirrors import mirrors_hubs, mirrors_spaces
from services.events.consumers.venues import compares_venues, follows_venues

__all__ = ["compares_venues", "follows_venues", "frees_leavers_places", "mirrors_hubs", "mirrors_spaces"]
