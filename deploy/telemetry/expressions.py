"""What panels ask Prometheus, over the stacks that are looked at and all their replicas."""

from __future__ import annotations

from deploy.telemetry.panels import HERE, Line

_RATE = "$__rate_interval"


def rate(metric: str, by: str = "", where: str = "") -> str:
    """How much of it comes a second, over all replicas."""
    chosen = f"{HERE}, {where}" if where else HERE
    return f"sum {f'by ({by}) ' if by else ''}(rate({metric}{{{chosen}}}[{_RATE}]))"


def most(metric: str, by: str = "", where: str = "") -> str:
    """What the replica says that says most: all of them measure the same."""
    chosen = f"{HERE}, {where}" if where else HERE
    return f"max {f'by ({by}) ' if by else ''}({metric}{{{chosen}}})"


def slowest(share: float, metric: str, by: str = "", where: str = "") -> str:
    """So many seconds the given share takes at most."""
    return f"histogram_quantile({share}, {rate(f'{metric}_bucket', f'{by}, le' if by else 'le', where)})"


def percentiles(metric: str, where: str = "") -> tuple[Line, ...]:
    """Half, nearly all, all but one in a hundred."""
    shares = (("half", 0.5), ("95 of 100", 0.95), ("99 of 100", 0.99))
    return tuple(Line(name, slowest(share, metric, where=where)) for name, share in shares)
