"use strict";
const words = document.body.dataset;
const rows = new Map([...document.querySelectorAll("tr[data-space]")].map((row) => [row.dataset.space, row]));
const summary = document.getElementById("summary");
const state = document.getElementById("state");

function inWords(figures) {
  if (figures.capacity === 0 || figures.free === 0) return words.full;
  return figures.free * 5 <= figures.capacity ? words.few : words.free;
}

function show(figures) {
  const numbers = words.numbers.replace("{free}", figures.free).replace("{capacity}", figures.capacity);
  if (figures.space === "all") summary.textContent = `${inWords(figures)}: ${numbers}`;
  const row = rows.get(figures.space);
  if (!row) return;
  row.querySelector(".words").textContent = inWords(figures);
  row.querySelector(".numbers").textContent = numbers;
  row.querySelector(".present").textContent = figures.present ?? "–";
}

let wait = 1000;
function follow() {
  const source = new EventSource(words.live);
  source.onopen = () => { wait = 1000; state.textContent = words.moving; };
  source.onmessage = (event) => show(JSON.parse(event.data).data);
  // What ends by itself is opened again by the browser; what was refused is not.
  source.onerror = () => {
    state.textContent = words.waiting;
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(follow, wait);
    wait = Math.min(wait * 2, 60000);
  };
}
follow();
