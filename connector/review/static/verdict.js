// How a bill ends: approve, or one of the other verdicts with what each needs to know.

import { el, fresh, said, t, visible } from "./element.js";
import { picker } from "./picker.js";

const MENU = ["question", "not_a_bill", "duplicate", "split", "wrong_company"];

export class Verdicts {
  constructor(desk, root) {
    this.desk = desk;
    this.root = root;
    this.saved = el("span", { class: "saved quiet", role: "status" });
    this.left = el("span", { class: "left" });
    this.approve = el("button", { type: "button", class: "primary", onclick: () => desk.settle("approve") }, el("span", {}, t("verdict.approve")), el("kbd", {}, "Ctrl ↵"));
    // Enter that is still held down from the field before approves nothing.
    this.approve.addEventListener("keydown", (event) => event.key === "Enter" && event.repeat && event.preventDefault());
    this.post = el("button", { type: "button", onclick: () => desk.settle("approve_and_post") }, t("verdict.approve_and_post"));
    this.skip = el("button", { type: "button", onclick: () => desk.settle("skip") }, t("verdict.skip"));
    const menu = fresh("menu");
    this.more = el("button", { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", "aria-controls": menu, onclick: () => this.toggle() }, t("verdict.more"), el("span", { "aria-hidden": "true" }, " ▴"));
    this.menu = el("div", { id: menu, class: "menu", role: "menu", hidden: true, onkeydown: (event) => this.key(event) });
    root.replaceChildren(this.left, this.saved, el("span", { class: "gap" }), this.skip, el("span", { class: "others" }, this.more, this.menu), this.post, this.approve);
    addEventListener("pointerdown", (event) => !event.target.closest(".verdicts .others") && this.close(), true);
  }

  show(bill) {
    const may = (verdict) => bill.verdicts.includes(verdict);
    this.post.hidden = !may("approve_and_post");
    this.skip.hidden = !may("skip");
    this.approve.hidden = !may("approve");
    const offered = MENU.filter(may);
    this.menu.replaceChildren(...offered.map((verdict) => el("button", { type: "button", role: "menuitem", tabIndex: -1, onclick: () => { this.close(); this.ask(verdict, bill); } }, t(`verdict.${verdict}`), "…")),
      el("a", { role: "menuitem", tabIndex: -1, href: `/documents/${bill.id}?read=1` }, t("verdict.what_was_read")));
  }

  // What ends the bill, or the nearest to it that is offered.
  first() {
    return [this.approve, this.post, this.more].find((one) => !one.hidden);
  }

  toggle() {
    if (!this.menu.hidden) return this.close();
    this.menu.hidden = false;
    this.more.setAttribute("aria-expanded", "true");
    this.menu.firstElementChild?.focus();
  }

  close() {
    this.menu.hidden = true;
    this.more.setAttribute("aria-expanded", "false");
  }

  key(event) {
    const items = [...this.menu.children];
    const at = items.indexOf(document.activeElement);
    const go = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      this.close();
      this.more.focus();
      if (event.key === "Tab") return;
    } else if (go === undefined) return;
    else items[(go + items.length) % items.length].focus();
    event.preventDefault();
    event.stopPropagation();
  }

  // Asks again what was asked when the session ended.
  resume({ verdict, details }, bill) {
    if (MENU.includes(verdict) && bill.verdicts.includes(verdict)) this.ask(verdict, bill, details);
    else this.first()?.focus();
  }

  // A dialog for what a verdict needs. `details()` gives it, or null while something is missing.
  // `before` is what it gave before.
  ask(verdict, bill, before = {}) {
    const make = { question: words, not_a_bill: words, duplicate, wrong_company: company, split }[verdict];
    const { parts, details, wide, closed } = make(this.desk, bill, verdict, before);
    const go = el("button", { class: "primary" }, t(`verdict.${verdict}`));
    const title = fresh("title");
    const dialog = el("dialog", { class: wide ? "ask wide" : "ask", "aria-labelledby": title },
      el("form", { method: "dialog", onsubmit: (event) => {
        event.preventDefault();
        const found = details();
        if (!found) return;
        dialog.close();
        this.desk.settle(verdict, found);
      } }, el("h2", { id: title }, t(`verdict.${verdict}`)), el("p", { class: "quiet" }, t(`verdict.${verdict}_means`)), parts,
      el("div", { class: "buttons" }, el("button", { type: "button", onclick: () => dialog.close() }, t("verdict.cancel")), go)));
    dialog.addEventListener("close", () => { closed?.(); dialog.remove(); });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("[autofocus], textarea, input, select")?.focus();
  }
}

function words(_desk, _bill, verdict, before) {
  const name = verdict === "question" ? "question" : "reason";
  const id = fresh("words");
  const box = el("textarea", { id, rows: 3, maxlength: "2000", required: verdict === "question" });
  box.value = before[name] ?? "";
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    box.form.requestSubmit();
  });
  return { parts: [el("label", { for: id }, t(`verdict.${name}_label`)), box], details: () => (name === "question" && !box.value.trim() ? null : { [name]: box.value.trim() }) };
}

function chooser(desk, model, label, first = []) {
  const id = fresh("choose");
  const input = el("input", { id, type: "text", autocomplete: "off" });
  let chosen = first[0] ?? null;
  const put = (choice) => {
    chosen = choice;
    input.dataset.shown = choice ? visible(choice.name) : "";
    input.value = input.dataset.shown;
  };
  const box = picker(input, { label, search: async (text, signal) => [...(text ? [] : first), ...(await desk.search(model, text, signal)).filter(({ id: other }) => text || !first.some((one) => one.id === other))], choose: put });
  put(chosen);
  return { parts: [el("label", { for: id }, label), input], value: () => (chosen ? chosen.id : null), closed: () => box.remove(), need: () => (chosen ? true : (input.focus(), false)) };
}

function duplicate(desk, bill) {
  const known = (bill.duplicates ?? []).map(({ id, name }) => ({ id, name }));
  const one = chooser(desk, "account.move", t("verdict.duplicate_label"), known);
  return { parts: one.parts, closed: one.closed, details: () => (one.need() ? { duplicate_of: one.value() } : null) };
}

function company(desk) {
  const one = chooser(desk, "res.company", t("verdict.wrong_company_label"));
  return { parts: one.parts, closed: one.closed, details: () => (one.need() ? { company_id: one.value() } : null) };
}

// Pages side by side; a switch between two of them begins a new document there.
function split(_desk, bill, _verdict, before) {
  const count = bill.pages.length;
  const starts = new Set((before.ranges ?? bill.split ?? []).map(([first]) => first - 1).filter((at) => at > 0 && at < count));
  const strip = el("div", { class: "strip" });
  const told = el("p", { role: "status" });
  const ranges = () => {
    const cuts = [0, ...[...starts].sort((one, other) => one - other), count];
    return cuts.slice(0, -1).map((from, index) => [from + 1, cuts[index + 1]]);
  };
  const tell = () => {
    told.textContent = starts.size ? t("verdict.split_into", { n: ranges().length, ranges: ranges().map(([from, to]) => (from === to ? from : `${from}–${to}`)).join(", ") }) : t("verdict.split_none");
    [...strip.querySelectorAll("figure")].forEach((figure, index) => figure.classList.toggle("odd", ranges().findIndex(([from, to]) => index + 1 >= from && index + 1 <= to) % 2 === 1));
  };
  strip.append(...bill.pages.flatMap((page, index) => [
    index ? el("button", { type: "button", class: "cut", "aria-pressed": String(starts.has(index)), "aria-label": t("verdict.split_before", { page: page.number }), title: t("verdict.split_before", { page: page.number }), onclick: (event) => {
      if (!starts.delete(index)) starts.add(index);
      event.currentTarget.setAttribute("aria-pressed", String(starts.has(index)));
      tell();
    } }, "✂") : null,
    el("figure", {}, el("img", { src: page.image, alt: t("bill.page", { number: page.number, of: count }), loading: "lazy" }), el("figcaption", {}, String(page.number))),
  ]).filter(Boolean));
  tell();
  return { wide: true, parts: [strip, told], details: () => (starts.size ? { ranges: ranges() } : null) };
}

// -- a vendor that Odoo lacks ------------------------------------------------------------------------------------

const ORDER = ["name", "vat", "company_registry", "street", "street2", "zip", "city", "country_code", "email", "phone", "website"];

// `create(values)` makes it and gives {id, name}; `alike(text)` finds vendors that could be the same one.
export function newVendor(values, { create, alike, done }) {
  const title = fresh("title");
  const wrong = el("p", { class: "refused", role: "alert" });
  const warn = el("div", { class: "alike" });
  const inputs = new Map(ORDER.map((name) => [name, el("input", { id: fresh("vendor"), type: "text", maxlength: "300", autocomplete: "off", required: name === "name" })]));
  inputs.forEach((input, name) => { input.value = visible(values[name]?.shown ?? values[name]?.value ?? ""); });
  const look = async () => {
    const name = inputs.get("name").value.trim();
    const vat = inputs.get("vat").value.trim();
    const found = (await Promise.all([vat, name.split(/\s+/)[0]].filter((text) => text && text.length > 2).map((text) => alike(text).catch(() => [])))).flat();
    const near = found.filter((one, index) => found.findIndex(({ id }) => id === one.id) === index).slice(0, 4);
    warn.replaceChildren(...(near.length ? [el("p", {}, t("vendor.alike")), el("ul", {}, near.map((one) => el("li", {}, el("button", { type: "button", class: "link", onclick: () => { dialog.close(); done(one); } }, said(one.name)), " ", el("span", { class: "quiet" }, said(one.detail)))))] : []));
  };
  const go = el("button", { class: "primary" }, t("vendor.create"));
  const dialog = el("dialog", { class: "ask wide", "aria-labelledby": title }, el("form", { method: "dialog", onsubmit: async (event) => {
    event.preventDefault();
    go.disabled = true;
    wrong.textContent = "";
    try {
      const kept = Object.fromEntries([...inputs].map(([name, input]) => [name, input.value.trim()]).filter(([, text]) => text));
      const made = await create({ ...kept, is_company: values.is_company?.value ?? true });
      dialog.close();
      done(made);
    } catch (error) {
      wrong.textContent = error.message;
    } finally {
      go.disabled = false;
    }
  } }, el("h2", { id: title }, t("vendor.new")), el("p", { class: "quiet" }, t("vendor.means")), warn,
  el("div", { class: "pairs" }, [...inputs].map(([name, input]) => [el("label", { for: input.id }, t(`vendor.${name}`)), input])), wrong,
  el("div", { class: "buttons" }, el("button", { type: "button", onclick: () => dialog.close() }, t("verdict.cancel")), go)));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  inputs.get("name").focus();
  look();
  inputs.get("name").addEventListener("change", look);
  inputs.get("vat").addEventListener("change", look);
}
