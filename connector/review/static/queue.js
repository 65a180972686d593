// The queue: it stays fresh by itself, rows can be selected, assigned and approved together.

import { SignedOut, ask, signIn } from "./api.js";
import { together } from "./together.js";

const EVERY = 10_000;
const ended = document.getElementById("signed-out");
const board = () => document.getElementById("queue");
const bar = document.getElementById("picked");
const picked = new Set();
let stamp = "";

const say = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const boxes = () => [...document.querySelectorAll("[data-pick]")];
const idOf = (element) => Number(element.closest("tr").dataset.id);

// -- fresh without a reload --------------------------------------------------------------------------------------

let asked = 0;
let answered = 0;

async function refresh() {
  const turn = ++asked;
  const answer = await fetch(location.href, { headers: stamp ? { "If-None-Match": stamp } : {}, redirect: "manual" }).catch(() => null);
  // An answer that comes after a later one's tells how it was before.
  if (!answer || turn < answered) return;
  answered = turn;
  // It leads to signing in: the session has ended. The list stays under the person's hands, and a bar says that it is old.
  if (answer.type === "opaqueredirect") ended.hidden = false;
  if (answer.ok || answer.status === 304) ended.hidden = true;
  if (answer.status !== 200) return;
  // Whoever goes to another page meanwhile breaks the answer off.
  const text = await answer.text().catch(() => "");
  const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("queue");
  // What a person is typing or reading aloud is left alone.
  if (!fresh || turn < answered || document.activeElement?.id === "q") return;
  stamp = answer.headers.get("ETag") ?? "";
  const focused = document.activeElement?.id;
  const html = fresh.innerHTML;
  if (html !== board().innerHTML) board().innerHTML = html;
  show();
  if (focused?.startsWith("job-")) document.getElementById(focused)?.focus({ preventScroll: true });
}

setInterval(() => {
  if (document.visibilityState === "visible" && !document.querySelector("dialog[open]")) refresh();
}, EVERY);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh());
// Back from a bill the browser shows the page as it was left.
addEventListener("pageshow", (event) => event.persisted && refresh());

// -- selection -------------------------------------------------------------------------------------------------------

function show() {
  const here = new Set(boxes().map(idOf));
  for (const id of picked) if (!here.has(id)) picked.delete(id);
  for (const box of boxes()) {
    box.checked = picked.has(idOf(box));
    box.closest("tr").classList.toggle("picked", box.checked);
  }
  bar.hidden = !picked.size;
  const count = bar.querySelector("[data-count]");
  count.textContent = say(count.dataset.text, { n: picked.size });
}

function toggle(id) {
  if (!picked.delete(id)) picked.add(id);
  show();
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick]")) toggle(idOf(event.target));
});

async function assign(to) {
  if (!picked.size) return;
  try {
    await ask("PUT", "/api/v1/reviews/assignee", { ids: [...picked], to });
  } catch (error) {
    if (error instanceof SignedOut) return signIn();
    throw error;
  }
  picked.clear();
  show();
  await refresh();
}

// Rows of the same vendor and company for the same reasons.
const alike = (row) => [...document.querySelectorAll("tr[data-alike]")].filter((one) => row && one.dataset.alike === row.dataset.alike);

function pickAlike(row) {
  const rows = alike(row).map((one) => Number(one.dataset.id));
  const all = rows.every((id) => picked.has(id));
  for (const id of rows) all ? picked.delete(id) : picked.add(id);
  show();
}

function approve(row) {
  if (!picked.size) pickAlike(row);
  if (picked.size) together([...picked], () => (picked.clear(), show(), refresh()));
}

const chosenRow = () => document.activeElement?.closest("tr[data-id]") ?? boxes().find((box) => box.checked)?.closest("tr");
const actions = {
  me: () => assign("me"),
  nobody: () => assign("nobody"),
  clear: () => (picked.clear(), show()),
  alike: () => pickAlike(chosenRow()),
  together: () => approve(chosenRow()),
};
ended.querySelector("button").addEventListener("click", () => signIn());
bar.addEventListener("click", (event) => actions[event.target.closest("[data-do]")?.dataset.do]?.());

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select");
  if (event.key === "Escape" && event.target.id === "q") event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || typing || document.querySelector("dialog[open]")) return;
  const row = document.activeElement?.closest("tr[data-id]");
  const keys = {
    x: () => row && toggle(Number(row.dataset.id)),
    X: () => pickAlike(row),
    a: () => approve(row),
    m: actions.me,
    "/": () => document.getElementById("q").focus(),
    Escape: actions.clear,
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

show();
