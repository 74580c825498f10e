// A calendar program in JavaScript: reads a hub's programme feed by ical.js and finds in it what the API says.
//   node feeds.mjs URL HUB
import ICAL from "ical.js";

const [url, hub] = process.argv.slice(2);
const address = `${url}/v1/hubs/${hub}/feeds/programme.ics`;
const DAY = 86_400_000;

function fail(sentence) {
  console.error(`FAILED: ${sentence}`);
  process.exit(1);
}
function same(what, seen, expected) {
  const [one, other] = [JSON.stringify(seen), JSON.stringify(expected)];
  if (one !== other) fail(`${what}: ${one}, and the API says ${other}`);
}

// --- as a subscriber: fetched, and not fetched again ---
const first = await fetch(address);
if (first.status !== 200) fail(`${address} answers ${first.status}`);
same("its type", first.headers.get("content-type"), "text/calendar; charset=utf-8");
const text = await first.text();
const tag = first.headers.get("etag");
const again = await fetch(address, { headers: { "If-None-Match": tag } });
same("asked again with its tag", [again.status, await again.text()], [304, ""]);
same("fetched again", await (await fetch(address)).text(), text);

// --- the calendar ---
const calendar = new ICAL.Component(ICAL.parse(text));
same("method and version", [calendar.getFirstPropertyValue("version")], ["2.0"]);
same("how often to look", calendar.getFirstPropertyValue("refresh-interval").toSeconds(), 3600);
same("the same for Outlook", calendar.getFirstPropertyValue("x-published-ttl"), "PT1H");
const zones = calendar.getAllSubcomponents("vtimezone");
if (!zones.length) fail("it defines no time zone");
for (const zone of zones) ICAL.TimezoneService.register(new ICAL.Timezone(zone));
const events = calendar.getAllSubcomponents("vevent").map((one) => new ICAL.Event(one));
const byId = new Map(events.map((one) => [one.uid.replace(/@foci$/, ""), one]));
if (byId.size !== events.length) fail("two events have the same UID");

// --- what the API says ---
const known = [];
const [from, until] = [new Date(Date.now() - 30 * DAY), new Date(Date.now() + 350 * DAY)];
let next = `${url}/v1/hubs/${hub}/events?limit=100&from=${from.toISOString()}&to=${until.toISOString()}`;
while (next) {
  const page = await (await fetch(next)).json();
  known.push(...page.items.filter((one) => one.visibility === "public" && one.status !== "cancelled"));
  next = page.next;
}
if (known.length < 5) fail(`the hub has only ${known.length} events; that proves nothing`);
for (const one of known) {
  const shown = byId.get(one.id);
  if (!shown) fail(`${one.title} (${one.start}) is not in the feed`);
  same("title", shown.summary, one.title);
  const times = [shown.startDate, shown.endDate].map((time) => time.toUnixTime() * 1000);
  same(one.title, times, [Date.parse(one.start), Date.parse(one.end)]);
  if (shown.startDate.zone.tzid !== "UTC") {
    same("wall time", shown.startDate.toString(), one.start.slice(0, 19));
    same("zone", shown.startDate.zone.tzid, one.time_zone);
  }
  same("state", shown.component.getFirstPropertyValue("status"), "CONFIRMED");
}
const offsets = new Set(known.map((one) => one.start.slice(19)));
console.log(`ical.js: ${events.length} events, ${known.length} compared with the API, at ${[...offsets].join(" and ")}`);
