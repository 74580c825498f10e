// The ordinary services client finds every service of the cell: who they are, what they answer, how often they did.
//   node discovery.mjs URL SEED_FILE SERVICE...
import { readFileSync } from "node:fs";
import { Svcm } from "@nats-io/services";
import { connect, nkeyAuthenticator } from "@nats-io/transport-node";

const [servers, seedFile, ...services] = process.argv.slice(2);
const seed = new TextEncoder().encode(readFileSync(seedFile, "utf8").trim());
const connection = await connect({ servers, authenticator: nkeyAuthenticator(seed), inboxPrefix: "_INBOX_admin" });
const client = new Svcm(connection).client({ strategy: "stall", maxWait: 2000 });

async function all(answers) {
  const found = [];
  for await (const one of await answers) found.push(one);
  return found.sort((one, other) => one.name.localeCompare(other.name));
}

const names = (await all(client.ping())).map((one) => one.name);
console.log(`PING: ${names.join(", ")}`);
const expected = services.map((one) => `foci-${one}`).sort();
if (!expected.length || names.join() !== expected.join()) throw new Error(`expected ${expected}, found ${names}`);
for (const one of await all(client.info())) {
  console.log(`INFO: ${one.name} ${one.version} in cell ${one.metadata.cell}: ${one.endpoints.map((end) => end.name).join(", ")}`);
  const strange = one.endpoints.filter((end) => !end.subject.startsWith(`rpc.${one.metadata.cell}.`));
  if (strange.length) throw new Error(`outside its cell: ${JSON.stringify(strange)}`);
}
let counted = 0;
for (const one of await all(client.stats())) {
  const busy = one.endpoints.filter((end) => end.num_requests > 0);
  console.log(`STATS: ${one.name}: ${busy.map((end) => `${end.name} ${end.num_requests}`).join(", ")}`);
  counted += busy.length;
}
if (!counted) throw new Error("nobody has counted a request");
await connection.close();
