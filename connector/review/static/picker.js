// An editable combobox with a list (WAI-ARIA Authoring Practices 1.2, "Editable Combobox With List Autocomplete").

import { announce, el, fresh, said, t, visible } from "./element.js";

const PAUSE = 160;
let shown = null;

// `search(text, signal)` gives choices {id, name, detail, note?}; `choose(choice)` takes one; `chosen()` is the text shown
// while nothing is being searched. `multiple` keeps the list open and the text empty.
export function picker(input, { search, choose, label }) {
  const id = fresh("choices");
  const list = el("ul", { id, class: "choices", role: "listbox", "aria-label": label, hidden: true });
  Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id, autocomplete: "off", spellcheck: "false" })
    .forEach(([name, value]) => input.setAttribute(name, value));
  let choices = [];
  let at = -1;
  let timer = 0;
  let asking = null;

  const isOpen = () => !list.hidden;

  function place() {
    const box = input.getBoundingClientRect();
    const width = Math.max(box.width, Math.min(360, innerWidth - 16));
    const below = innerHeight - box.bottom - 8;
    const above = box.top - 8;
    const up = below < 220 && above > below;
    Object.assign(list.style, {
      width: `${width}px`,
      left: `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`,
      maxHeight: `${Math.min(320, up ? above : below)}px`,
      top: up ? "auto" : `${box.bottom + 2}px`,
      bottom: up ? `${innerHeight - box.top + 2}px` : "auto",
    });
  }

  function mark(index) {
    list.children[at]?.setAttribute("aria-selected", "false");
    at = index;
    const option = list.children[at];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
  }

  function show(found, note = "") {
    choices = found;
    list.replaceChildren(...found.map((choice, index) => el("li", {
      id: `${id}-${index}`, role: "option", "aria-selected": "false", class: choice.kind ?? "",
      onpointerdown: (event) => { event.preventDefault(); take(index); },
      onpointermove: () => index !== at && mark(index),
    }, el("span", { class: "name" }, said(choice.name)), choice.detail ? el("span", { class: "detail" }, said(choice.detail)) : null)));
    if (!found.length) list.append(el("li", { class: "none", role: "option", "aria-disabled": "true", "aria-selected": "false", id: `${id}-none` }, note || t("settle.none_found")));
    // What is in a dialog is above all else; so must the list be.
    (input.closest("dialog") ?? document.body).append(list);
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    at = -1;
    place();
    // Enter takes the first only where something was typed: what is there already is not replaced by accident.
    if (found.length && dirty() && input.value.trim()) mark(0);
    announce(found.length ? t("settle.found", { n: found.length }) : note || t("settle.none_found"));
    shown = { list, close };
  }

  async function look(pause = PAUSE) {
    clearTimeout(timer);
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    timer = setTimeout(async () => {
      try {
        const found = await search(dirty() ? input.value.trim() : "", mine.signal);
        if (!mine.signal.aborted && document.activeElement === input) show(found);
      } catch (error) {
        if (!mine.signal.aborted) show([], error.message);
      }
    }, pause);
  }

  const dirty = () => input.value !== (input.dataset.shown ?? "");

  function close() {
    clearTimeout(timer);
    asking?.abort();
    if (list.hidden) return;
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    shown = null;
  }

  function take(index) {
    const choice = choices[index];
    if (!choice) return;
    close();
    choose(choice);
  }

  input.addEventListener("input", () => look());
  input.addEventListener("blur", () => {
    close();
    input.value = input.dataset.shown ?? "";
  });
  input.addEventListener("click", () => !isOpen() && look(0));
  input.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!isOpen()) {
        if (event.key === "ArrowUp" || input.closest("[role=grid]")) return;
        look(0);
      } else if (choices.length) {
        const step = event.key === "ArrowDown" ? 1 : -1;
        mark((at + step + choices.length) % choices.length);
      }
    } else if (event.key === "F4" && !isOpen()) look(0);
    else if (event.key === "Enter" && isOpen() && at >= 0) take(at);
    else if (event.key === "Escape" && (isOpen() || dirty())) {
      close();
      input.value = input.dataset.shown ?? "";
      input.select();
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });

  return {
    // Searches for words taken from the page.
    seek(text) {
      input.value = visible(text);
      look(0);
    },
    remove() {
      close();
      list.remove();
    },
  };
}

addEventListener("scroll", (event) => shown && !shown.list.contains(event.target) && shown.close(), true);
addEventListener("resize", () => shown?.close());
