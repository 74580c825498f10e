"use strict";
const words = document.body.dataset;
const rows = new Map([...document.querySelectorAll("tr[data-space]")].map((row) => [row.dataset.space, row]));
const summary = document.getElementById("summary");
const state = document.getElementById("state");
const precision = document.getElementById("precision");
const EXACT = "foci.booking.occupancy.v1";
const SILENT_MS = 45000; // three signs of life have stayed away
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60000;

function inWords(figures) {
  if (figures.capacity === 0 || figures.free === 0) return words.full;
  return figures.free * 5 <= figures.capacity ? words.few : words.free;
}

function show(message) {
  const figures = message.data;
  const numbers = words.numbers.replace("{free}", figures.free).replace("{capacity}", figures.capacity);
  precision.textContent = message.type === EXACT ? words.exact : words.protected;
  if (figures.space === "all") summary.textContent = `${inWords(figures)}: ${numbers}`;
  const row = rows.get(figures.space);
  if (!row) return;
  row.querySelector(".words").textContent = inWords(figures);
  row.querySelector(".numbers").textContent = numbers;
  row.querySelector(".present").textContent = figures.present ?? "–";
}

// EventSource cannot say who asks, and does not notice a connection that has died without a word.
async function read(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = {};
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const colon = line.indexOf(":");
      if (colon > 0) event[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
      if (line !== "") continue;
      if (event.data && !event.event) show(JSON.parse(event.data));
      event = {};
    }
  }
}

async function stream(token) {
  const silence = new AbortController();
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENT_MS);
  };
  heard();
  try {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const answer = await fetch(words.live, { headers, signal: silence.signal });
    if (!answer.ok) throw new Error(answer.statusText);
    state.textContent = words.moving;
    await read(answer.body, heard);
  } finally {
    clearTimeout(timer);
  }
}

// What the browser keeps of a session gets the next access token; no script ever sees it.
async function accessToken() {
  const answer = await fetch("/v1/session/refresh", { method: "POST" });
  if (answer.status === 401) return null;
  if (!answer.ok) throw new Error(answer.statusText);
  return (await answer.json()).access_token;
}

const pause = (most) => new Promise((resolve) => setTimeout(resolve, most * (0.5 + Math.random() / 2)));

async function follow() {
  let signedIn = words.session === "yes";
  let wait = FIRST_WAIT_MS;
  for (;;) {
    try {
      const token = signedIn ? await accessToken() : null;
      signedIn = token !== null;
      await stream(token);
      wait = FIRST_WAIT_MS;
    } catch {
      state.textContent = words.waiting;
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
    await pause(wait);
  }
}
follow();
