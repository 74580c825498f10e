// A host signs in with a browser by the link in the mail, and sees the hub move: node doors.mjs GATEWAY MAILBOX HUB EMAIL BROWSER
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [gateway, mailbox, hub, email, executablePath] = process.argv.slice(2);
const PATIENCE_MS = 30_000;
const QUIET = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const chromiumSandbox = process.getuid() !== 0; // Chromium refuses to have one as root
const browser = await chromium.launch({ executablePath, chromiumSandbox, args: QUIET });
const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce" });
context.setDefaultTimeout(PATIENCE_MS);
const page = await context.newPage();
const complaints = [];
page.on("console", (said) => said.type() === "error" && complaints.push(said.text()));
page.on("pageerror", (error) => complaints.push(String(error)));

// What a page of our own may ask the gateway for, with the cookie it has and cannot read.
const ask = (method, path, body, token) =>
  page.evaluate(
    async ([method, path, body, token]) => {
      const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
      const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
      return { status: answer.status, body: await answer.json() };
    },
    [method, path, body, token],
  );

console.log("nobody is signed in: the page shows what everybody may know");
await page.goto(`${gateway}/v1/hubs/${hub}/now`);
await page.getByText("The page moves by itself.").waitFor();
assert.match(await page.locator("#precision").textContent(), /every five minutes/);
assert.equal((await ask("POST", "/v1/session/refresh")).status, 401);
complaints.length = 0; // Chromium says each 401 aloud

console.log("a link is asked for, mailed, looked at, and followed");
assert.equal((await ask("POST", "/v1/sign-in", { email, hub })).status, 202);
const mails = `${mailbox}/?to=${encodeURIComponent(email)}`;
const subject = page.getByRole("link", { name: /sign in|logga in|log ind/i });
for (const until = Date.now() + PATIENCE_MS; ; ) {
  await page.goto(mails);
  if (await subject.count()) break;
  assert.ok(Date.now() < until, "no mail has come");
}
await subject.first().click();
const popup = context.waitForEvent("page");
await page.frameLocator("iframe").getByRole("link", { name: /sign in|logga in|log ind/i }).first().click();
const door = await popup;
await door.waitForLoadState();
assert.equal((await context.cookies(gateway)).length, 0, "looking at a link does nothing");
await door.getByRole("button").click();
await door.getByRole("heading", { name: "You are signed in" }).waitFor();
const [cookie] = await context.cookies(gateway);
assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, "Strict", "/"]);
assert.equal(await door.evaluate("document.cookie"), "", "no script can read it");

console.log("the page it leads to knows the host, and moves as somebody books");
await door.getByRole("link").click();
await door.waitForURL(`**/v1/hubs/${hub}/now`);
await page.close();
await door.getByText("You see exact figures").waitFor();
const free = async () => Number((await door.locator('tr[data-space="interop"] .numbers').textContent()).match(/\d+/)[0]);
const before = await free();
const book = () =>
  door.evaluate(async (path) => {
    const { access_token: token } = await (await fetch("/v1/session/refresh", { method: "POST" })).json();
    const now = Date.now();
    const body = { space: "interop", start: new Date(now - 300_000).toISOString(), end: new Date(now + 3_600_000).toISOString() };
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: answer.status, body: await answer.json(), at: performance.now() };
  }, `/v1/hubs/${hub}/bookings`);
const moved = door.evaluate(
  () =>
    new Promise((resolve) => {
      const cell = document.querySelector('tr[data-space="interop"] .numbers');
      new MutationObserver(() => resolve(performance.now())).observe(cell, { childList: true, characterData: true, subtree: true });
    }),
);
const booked = await book();
assert.equal(booked.status, 201, JSON.stringify(booked.body));
const after = await moved;
assert.equal(await free(), before - 1);
console.log(`seen ${Math.max(0, Math.round(after - booked.at))} ms after the answer: ${before} free, then ${before - 1}`);

console.log("signed out, the page is everybody's again");
const out = await door.evaluate(async () => (await fetch("/v1/session/sign-out", { method: "POST" })).json());
assert.deepEqual(out, { sessions: 1 });
assert.equal((await context.cookies(gateway)).length, 0);
await door.reload();
await door.getByText("The page moves by itself.").waitFor();
assert.match(await door.locator("#precision").textContent(), /every five minutes/);
assert.deepEqual(complaints, [], "the browser has nothing to complain of");
await browser.close();
