// Keyboard: rows are links marked data-row, so that focus, Enter and the screen reader work without this file.

const rows = () => [...document.querySelectorAll("a[data-row]")];
const sheet = document.getElementById("keys");

function move(by) {
  const all = rows();
  const at = all.indexOf(document.activeElement);
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
  next?.focus();
  next?.closest("tr").scrollIntoView({ block: "nearest" });
}

function follow(selector) {
  document.querySelector(selector)?.click();
}

function openRecord() {
  const row = document.activeElement?.closest("tr");
  (row?.querySelector("a[data-erp]") ?? (document.body.matches(".bill, .settle") && document.querySelector("a[data-erp]")) ?? null)?.click?.();
}

const actions = {
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  o: openRecord,
  n: () => follow("a[data-next]"),
  p: () => follow("a[data-previous]"),
  u: () => follow("a[data-back]"),
  "?": () => sheet.showModal(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (event.ctrlKey || event.metaKey || event.altKey || typing || document.querySelector("dialog[open]")) return;
  // On the bill the arrows scroll the page until a field has the focus.
  const arrow = event.key.startsWith("Arrow");
  if (arrow && document.body.matches(".bill") && !document.activeElement?.matches("a[data-row]")) return;
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

const help = document.querySelector("[data-help]");
help.hidden = false;
help.addEventListener("click", () => sheet.showModal());

// A click anywhere on a row of a list opens it, unless text is being selected.
document.addEventListener("click", (event) => {
  const row = event.target.closest("table.rows tbody tr");
  if (!row || event.target.closest("a, input, label, .pick") || String(getSelection())) return;
  row.querySelector("a[data-row]")?.click();
});
