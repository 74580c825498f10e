// An operator's own system: it knows the AsyncAPI document and its credentials file, and nothing else of Foci.
//   node occupancy.mjs ASYNCAPI CREDENTIALS READY
// Prints the snapshot, touches READY, waits for a live change, and shows that it is refused everything else.
import { readFileSync, writeFileSync } from "node:fs";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, nkeyAuthenticator } from "@nats-io/transport-node";
import Ajv from "ajv";
import addFormats from "ajv-formats";

const [asyncapi, credentialsFile, ready] = process.argv.slice(2);
const document = JSON.parse(readFileSync(asyncapi, "utf8"));
const credentials = JSON.parse(readFileSync(credentialsFile, "utf8"));
const PATIENCE_MS = 30_000;

// --- what the document says ---
const channel = document.channels.spaceOccupancyV1;
const stream = channel["x-stream"].name;
const [message] = Object.keys(channel.messages);
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema({ $id: "asyncapi", components: document.components });
const reference = document.components.messages[message].payload.$ref;
const validate = ajv.compile({ $ref: `asyncapi${reference}` });

const server = document.servers.nats;
const address = server.host.replace(/\{(\w+)\}/g, (_, name) => server.variables[name].default);
console.log(`${server.protocol}://${address} in the document, ${credentials.url} in the credentials`);

const complaints = [];
const connection = await connect({
  servers: credentials.url,
  authenticator: nkeyAuthenticator(new TextEncoder().encode(credentials.seed)),
  inboxPrefix: credentials.inbox_prefix,
});
(async () => {
  for await (const status of connection.status()) {
    if (status.type === "error") complaints.push(String(status.error));
  }
})();

function fail(sentence) {
  console.error(`FAILED: ${sentence}`);
  process.exit(1);
}
const timer = setTimeout(() => fail("no live change within 30 s"), PATIENCE_MS);

// --- the snapshot, then what changes ---
const consumer = await jetstream(connection).consumers.get(stream, {
  filter_subjects: credentials.subjects[0],
  deliver_policy: "last_per_subject",
});
const latest = new Map();
let live = 0;
let complete = false;
for await (const one of await consumer.consume()) {
  const event = one.json();
  if (!validate(event)) fail(`${one.subject}: ${ajv.errorsText(validate.errors)}`);
  const known = latest.get(one.subject);
  if (known && known.version >= event.data.version) continue;
  latest.set(one.subject, event.data);
  const { space, capacity, booked, present, free } = event.data;
  console.log(`${complete ? "live    " : "snapshot"} ${space}: ${booked}/${capacity} booked, ${present} present, ${free} free`);
  if (complete && space === "interop" && booked === 1 && known?.booked === 0) {
    live = 1;
    break;
  }
  if (!complete && one.info.pending === 0) {
    complete = true;
    writeFileSync(ready, "");
  }
}
clearTimeout(timer);
if (!live) fail("the stream ended");
console.log(`every message is as the document says; ${latest.size} subjects`);

// --- everything else is refused ---
const refused = async (what, attempt) => {
  const before = complaints.length;
  try {
    await attempt();
    await connection.flush();
    await new Promise((done) => setTimeout(done, 100)); // the server's refusal comes beside the reply to the flush
  } catch (error) {
    console.log(`refused: ${what}: ${error.message}`);
    return;
  }
  if (complaints.length === before) fail(`${what} was not refused`);
  console.log(`refused: ${what}: ${complaints.at(-1)}`);
};
const jsm = await jetstreamManager(connection, { checkAPI: false, timeout: 2000 });
const config = { ack_policy: "none", deliver_policy: "last_per_subject", mem_storage: true };
await refused("facts", () => void connection.subscribe("hubs.>", { callback: () => {} }));
await refused("others' replies", () => void connection.subscribe("_INBOX_gateway.>", { callback: () => {} }));
await refused("saying something", () => connection.publish("occupancy.alvhamn-coffice.room.v1", "{}"));
await refused("stating a fact", () => connection.publish("hubs.alvhamn-coffice.booking.booking-confirmed.v1", "{}"));
await refused("asking a service", () => connection.request("rpc.local.booking.list-bookings", "{}", { timeout: 2000 }));
await refused("discovering services", () => connection.request("$SRV.PING", "", { timeout: 2000 }));
await refused("another hub", () => jsm.consumers.add(stream, { ...config, name: "x1", filter_subject: "occupancy.lindeby-kontorfaellesskab.>" }));
await refused("all hubs", () => jsm.consumers.add(stream, { ...config, name: "x2" }));
await refused("another stream", () => jsm.consumers.add("BOOKING", { ...config, name: "x3", filter_subject: "hubs.>" }));
await refused("deleting the stream", () => jsm.streams.delete(stream));
await connection.close();
