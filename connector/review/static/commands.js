// The keys that work everywhere on the bill, the way between its panes, and the divider between page and values.

import { t } from "./element.js";
import { jump } from "./jump.js";

const PLACES = ["#paper", "#fields", "#lines", "#verdicts"];
const [NARROWEST, WIDEST, USUAL] = [25, 70, 46];

export function commands(desk) {
  addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const command = event.ctrlKey || event.metaKey;
    const letter = event.key.toLowerCase();
    if (command && event.key === "Enter") desk.settle("approve");
    else if (command && letter === "z" && !event.altKey) {
      const control = desk.controls.find(({ input }) => input === event.target);
      if (control?.isDirty || (event.target.closest?.("input, textarea") && !control)) return;
      if (event.shiftKey) desk.draft.redo();
      else desk.draft.undo();
    } else if (command && letter === "y") desk.draft.redo();
    else if (command && letter === "k") jump(desk);
    else if (event.key === "F6") pane(desk);
    else if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) desk.step(event.key === "ArrowDown" ? 1 : -1);
    else if (command || event.altKey) return;
    else if (event.key === "/" && !typingIn(desk, event.target)) jump(desk);
    else if (event.key === "?" && !typingIn(desk, event.target)) document.getElementById("keys").showModal();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  everywhere(desk, document.getElementById("everywhere"));
  divider(document.getElementById("divider"));
}

// In a field that was not changed since it got the focus, `?` and `/` are commands; they begin no value.
function typingIn(desk, target) {
  if (!target.closest?.("input, textarea, select")) return false;
  const control = desk.controls.find(({ input }) => input === target);
  return !control || control.isDirty;
}

function pane(desk) {
  const panes = [desk.viewer.sheets, desk.controls.find((one) => one.isDoubtful)?.input ?? desk.controls[0]?.input, desk.lines.controls[0]?.input, desk.verdicts.first()];
  const at = PLACES.findIndex((place) => document.activeElement?.closest(place));
  for (let step = 1; step <= PLACES.length; step++) {
    const found = panes[(at + step) % PLACES.length];
    if (found?.getClientRects().length) return found.focus();
  }
  return undefined;
}

// Whether Tab stops at every field, or at those in doubt.
function everywhere(desk, button) {
  button.addEventListener("click", () => {
    desk.tabsEverywhere = !desk.tabsEverywhere;
    button.setAttribute("aria-pressed", String(desk.tabsEverywhere));
    button.textContent = t(desk.tabsEverywhere ? "settle.tab_all" : "settle.tab_doubtful");
    desk.reach();
  });
}

function divider(bar) {
  const panes = bar.parentElement;
  const divide = (share) => {
    const kept = Math.round(Math.min(WIDEST, Math.max(NARROWEST, share)));
    panes.style.setProperty("--share", `${kept}%`);
    bar.setAttribute("aria-valuenow", String(kept));
    localStorage.setItem("vouch-divider", String(kept));
  };
  divide(Number(localStorage.getItem("vouch-divider")) || USUAL);
  bar.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    bar.setPointerCapture(event.pointerId);
    const move = (now) => divide(((now.clientX - panes.getBoundingClientRect().left) / panes.clientWidth) * 100);
    bar.addEventListener("pointermove", move);
    bar.addEventListener("pointerup", () => bar.removeEventListener("pointermove", move), { once: true });
  });
  bar.addEventListener("keydown", (event) => {
    const now = Number(bar.getAttribute("aria-valuenow"));
    const to = { ArrowLeft: now - 2, ArrowRight: now + 2, Home: NARROWEST, End: WIDEST }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    divide(to);
  });
}
