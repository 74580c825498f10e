"""The panels dashboards are made of: every one says what it shows, in which unit, and tells its lines apart without colour."""

from __future__ import annotations

from typing import NamedTuple

from grafana_foundation_sdk.builders import common, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    DynamicConfigValue,
    VariableHide,
    VariableOption,
    VariableRefresh,
)

from deploy.telemetry.thresholds import thresholds

SECONDS, PER_SECOND, SHARE, COUNT = "s", "reqps", "percentunit", "short"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
HERE = 'namespace=~"$namespace"'
"""Selects the stacks that are looked at; a series without the label is one of all."""
_DASHES: tuple[dict[str, object], ...] = (
    {"fill": "solid"},
    {"fill": "dash", "dash": [12, 6]},
    {"fill": "dot", "dash": [0, 8]},
    {"fill": "dash", "dash": [24, 6, 4, 6]},
)


class Line(NamedTuple):
    """What is drawn, and how it is called; `{{label}}` in the name makes a line of each value."""

    name: str
    expression: str


def lines(title: str, says: str, unit: str, *drawn: Line) -> timeseries.Panel:
    """Lines over time, a table of names and values below."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(says)
        .unit(unit)
        .min(0)
        .datasource(SOURCE)
        .height(8)
        .span(12)
        .line_width(2)
        .fill_opacity(0)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.TABLE)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull", "max"])
        )
    )
    for number, line in enumerate(drawn):
        ref = "ABCDEFGH"[number]
        panel.with_target(Dataquery().expr(line.expression).legend_format(line.name).ref_id(ref))
        # Colours alone would tell some people nothing.
        dashes = DynamicConfigValue("custom.lineStyle", _DASHES[number % len(_DASHES)])
        panel.override_by_query(ref, [dashes])
    return panel


def number(title: str, says: str, unit: str, expression: str, *, alarm: str | None = None) -> stat.Panel:
    """One figure as it is now, with its course behind it; plain, since a colour would say what the alarms say.

    Of an `alarm` it says at which value that rings: the first one its rule compares with.
    """
    return (
        stat.Panel()
        .title(title)
        .description(
            says if alarm is None else f"{says} An alarm rings at {_value(thresholds()[alarm][0], unit)}."
        )
        .unit(unit)
        .datasource(SOURCE)
        .height(4)
        .span(6)
        .color_mode(BigValueColorMode.NONE)
        .graph_mode(BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("nothing measured")
        .with_target(Dataquery().expr(expression).ref_id("A"))
    )


def _value(value: float, unit: str) -> str:
    return f"{value * 100:g} %" if unit == SHARE else f"{value:g} {unit}"


_OTHERS = (
    grafana.DashboardLink("Foci")
    .type(DashboardLinkType.DASHBOARDS)
    .tags(["foci"])
    .as_dropdown(True)
    .keep_time(True)
    .include_vars(True)
)
_PROMETHEUS = (
    grafana.DatasourceVariable("datasource")
    .label("Prometheus")
    .type("prometheus")
    .hide(VariableHide.DONT_HIDE)
)
_STACKS = (
    grafana.QueryVariable("namespace")
    .label("Stack")
    .datasource(SOURCE)
    .query("label_values(foci_service_info, namespace)")
    .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    .multi(True)
    .include_all(True)
    .all_value(".*")
    .current(VariableOption(selected=True, text="All", value="$__all"))
)


def board(
    uid: str, title: str, says: str, *parts: grafana.Row | timeseries.Panel | stat.Panel
) -> grafana.Dashboard:
    """A dashboard of these, with what all have: where the figures come from, which stacks, the way to the others."""
    made = grafana.Dashboard(title).uid(uid).description(says).tags(["foci"])
    made.timezone("browser").refresh("30s").time("now-3h", "now").readonly()
    made.link(_OTHERS).with_variable(_PROMETHEUS).with_variable(_STACKS)
    for part in parts:
        if isinstance(part, grafana.Row):
            made.with_row(part)
        else:
            made.with_panel(part)
    return made


def row(title: str) -> grafana.Row:
    """A heading."""
    return grafana.Row(title)
