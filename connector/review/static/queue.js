// The queue: it stays fresh by itself, rows can be selected, assigned and, where they are alike, approved together.

const EVERY = 10_000;
const token = document.querySelector('meta[name="vouch-token"]').content;
const board = () => document.getElementById("queue");
const bar = document.getElementById("picked");
const bulk = document.getElementById("bulk");
const texts = JSON.parse(bulk.dataset.texts);
const picked = new Set();
let stamp = "";

const say = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const boxes = () => [...document.querySelectorAll("[data-pick]")];
const idOf = (element) => Number(element.closest("tr").dataset.id);

async function send(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", "X-Vouch-Token": token, Accept: "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.status === 401) location.assign(`/sign-in?back=${encodeURIComponent(location.pathname + location.search)}`);
  const told = await answer.json().catch(() => ({}));
  return { ok: answer.ok, told };
}

// -- fresh without a reload --------------------------------------------------------------------------------------

async function refresh() {
  const answer = await fetch(location.href, { headers: stamp ? { "If-None-Match": stamp } : {} }).catch(() => null);
  if (!answer || answer.status !== 200 || answer.redirected) return;
  stamp = answer.headers.get("ETag") ?? "";
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("queue");
  // What a person is typing or reading aloud is left alone.
  if (!fresh || document.activeElement?.id === "q") return;
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
  await send("PUT", "/api/v1/reviews/assignee", { ids: [...picked], to });
  picked.clear();
  show();
  await refresh();
}

// -- several at once --------------------------------------------------------------------------------------------------

let ready = [];

function cell(text, style = "") {
  const made = document.createElement("td");
  made.className = style;
  made.textContent = text;
  return made;
}

function rowOf(bill) {
  const row = document.createElement("tr");
  row.dataset.bill = bill.id;
  row.append(cell(bill.vendor), cell(bill.number), cell(bill.date), cell(bill.amount, "number"), cell(bill.doubt), cell(bill.why ?? "", "no"));
  return row;
}

async function preview() {
  if (!picked.size) return;
  const { ok, told } = await send("POST", "/api/v1/reviews/approve/preview", { ids: [...picked] });
  const bills = ok ? told.bills : [];
  ready = bills.filter((bill) => !bill.why);
  bulk.querySelector("tbody").replaceChildren(...bills.map(rowOf));
  bulk.querySelector(".ask").textContent = ok ? (ready.length ? say(texts.ready, { n: ready.length }) : texts.refused) : told.message;
  const go = bulk.querySelector("[data-approve]");
  go.hidden = !ready.length;
  go.disabled = false;
  go.textContent = say(texts.button, { n: ready.length });
  bulk.showModal();
  if (ready.length) go.focus();
}

async function approve() {
  const go = bulk.querySelector("[data-approve]");
  go.disabled = true;
  let done = 0;
  for (const bill of ready) {
    // One key a bill: whatever the network does, it is written once.
    const body = { bills: [{ id: bill.id, version: bill.version, key: bill.key }] };
    const { ok, told } = await send("POST", "/api/v1/reviews/approve", body).catch(() => ({ ok: false, told: {} }));
    const result = ok ? told.results[0] : { ok: false, message: told.message ?? texts.failed };
    const at = bulk.querySelector(`[data-bill="${bill.id}"]`).lastElementChild;
    at.className = result.ok ? "yes" : "bad";
    at.textContent = result.ok ? texts.filled : result.message;
    done += result.ok ? 1 : 0;
    bulk.querySelector(".ask").textContent = say(texts.done, { done, n: ready.length });
  }
  go.hidden = true;
  picked.clear();
  show();
}

bulk.querySelector("[data-approve]").addEventListener("click", approve);
bulk.addEventListener("close", () => refresh());

const actions = { approve: preview, me: () => assign("me"), nobody: () => assign("nobody"), clear: () => (picked.clear(), show()) };
bar.addEventListener("click", (event) => actions[event.target.closest("[data-do]")?.dataset.do]?.());

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select");
  if (event.key === "Escape" && event.target.id === "q") event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || typing || document.querySelector("dialog[open]")) return;
  const row = document.activeElement?.closest("tr[data-id]");
  const keys = {
    x: () => row && toggle(Number(row.dataset.id)),
    a: preview,
    m: actions.me,
    "/": () => document.getElementById("q").focus(),
    Escape: actions.clear,
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

show();
