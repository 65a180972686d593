// One value of the bill that a person can look at, accept or change: in the form and in the cells of the lines.

import { el, fresh, percent, said, t, visible } from "./element.js";
import { picker } from "./picker.js";

const MOST_CANDIDATES = 8;
export const NEW = "new";
const told = (score, reasons) => [score ? percent(score) : "", ...(reasons ?? [])].filter(Boolean).join(" · ");

export class Control {
  // `desk` is the bill at hand: edit, refresh, seen, next, search.
  constructor(desk, field) {
    this.desk = desk;
    this.field = field;
    this.id = fresh("field");
    this.input = field.kind === "choice" ? this.choice() : this.line();
    this.input.id = this.id;
    this.element = field.kind === "records" ? this.several() : this.input;
    if (field.kind === "record" || field.kind === "records") {
      this.picker = picker(this.input, {
        label: field.label,
        search: (text, signal) => this.search(text, signal),
        choose: (choice) => this.choose(choice),
      });
    }
    this.input.addEventListener("focus", () => {
      if (this.input.select) this.input.select();
      desk.seen(this);
    });
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.update(field);
  }

  line() {
    const number = ["amount", "quantity", "percent"].includes(this.field.kind);
    const input = el("input", { type: "text", autocomplete: "off", spellcheck: "false", class: number ? "number" : "", inputmode: number ? "decimal" : null, maxlength: "500" });
    input.addEventListener("blur", () => !this.picker && this.commit());
    input.addEventListener("input", () => this.desk.typing(this));
    return input;
  }

  choice() {
    return el("select", { onchange: () => this.desk.edit({ target: this.field.target, value: this.input.value }, this.input.selectedOptions[0].text) });
  }

  several() {
    this.chips = el("span", { class: "chips" });
    return el("span", { class: "several" }, this.chips, this.input);
  }

  get target() {
    return this.field.target;
  }

  get isDoubtful() {
    return Boolean(this.field.doubtful && this.field.editable);
  }

  get isEmpty() {
    const { value } = this.field;
    return value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length);
  }

  get isDirty() {
    return this.input.tagName === "INPUT" && this.input.value !== this.input.dataset.shown;
  }

  update(field) {
    const typing = document.activeElement === this.input && this.isDirty;
    this.field = field;
    if (this.input.tagName === "SELECT") this.options();
    else {
      const shown = field.kind === "records" ? "" : visible(field.shown ?? "");
      const selected = document.activeElement === this.input && !typing;
      this.input.dataset.shown = shown;
      if (!typing) this.input.value = shown;
      if (selected) this.input.select();
      this.input.readOnly = !field.editable;
      this.input.title = shown;
    }
    if (this.chips) this.drawChips();
    this.input.setAttribute("aria-label", field.label);
    this.refuse(this.refused && typing ? this.refused : "");
    this.reach();
  }

  // Tab goes to what is doubtful; all else is reached with Alt and the arrows, or once the person lets Tab go everywhere.
  reach() {
    this.input.tabIndex = this.isDoubtful || this.desk.tabsEverywhere ? 0 : -1;
  }

  refuse(message) {
    this.refused = message;
    if (message) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
    this.onrefuse?.(message);
  }

  options() {
    const { field } = this;
    const known = field.options ?? (field.candidates ?? []).map(({ id, name }) => ({ id, name }));
    const all = known.some(({ id }) => String(id) === String(field.value)) ? known : [{ id: field.value ?? "", name: field.shown ?? "" }, ...known];
    this.input.replaceChildren(...all.map(({ id, name }) => el("option", { value: String(id) }, visible(name))));
    this.input.value = String(field.value ?? "");
    this.input.disabled = !field.editable;
  }

  get names() {
    const { value, shown } = this.field;
    const names = this.field.names ?? String(shown ?? "").split(/,\s|、/);
    return (Array.isArray(value) ? value : []).map((id, index) => ({ id, name: names[index] ?? String(id) }));
  }

  drawChips() {
    const chosen = this.names;
    this.chips.replaceChildren(...chosen.map(({ id, name }) => el("span", { class: "chip" }, said(name),
      el("button", { type: "button", tabIndex: -1, "aria-label": t("settle.remove", { name: visible(name) }), title: t("settle.remove", { name: visible(name) }), onclick: () => this.several_without(id) }, "×"))));
    this.input.placeholder = chosen.length ? "" : "–";
    this.input.setAttribute("aria-description", chosen.map(({ name }) => visible(name)).join(", "));
  }

  several_without(id) {
    const kept = this.names.filter((one) => one.id !== id);
    this.setSeveral(kept);
    this.input.focus();
  }

  setSeveral(kept) {
    this.field.names = kept.map(({ name }) => name);
    this.desk.edit({ target: this.target, value: kept.map(({ id }) => id) }, kept.map(({ name }) => name).join(", "));
  }

  async search(text, signal) {
    const found = await this.desk.search(this.field.model, text, signal);
    if (text) return found;
    const first = this.offers.map(({ id, name, score, reasons }) => ({ id, name, detail: told(score, reasons), kind: "candidate" }));
    return [...first, ...found.filter(({ id }) => !first.some((one) => one.id === id))];
  }

  // The candidates and, for a vendor that Odoo lacks, the one to be made.
  get offers() {
    const made = this.target === "partner_id" && this.isDoubtful ? this.desk.madeReady() : null;
    return [...(this.field.candidates ?? []).slice(0, MOST_CANDIDATES), ...(made ? [made] : [])];
  }

  // A record was chosen from the list or among the candidates.
  choose({ id, name }) {
    if (id === NEW) {
      this.input.value = this.input.dataset.shown;
      this.desk.newVendor();
      return undefined;
    }
    if (this.chips) {
      const kept = this.names;
      if (!kept.some((one) => one.id === id)) return this.setSeveral(this.isDoubtful && kept.length <= 1 ? [{ id, name }] : [...kept, { id, name }]);
    }
    this.input.dataset.shown = this.chips ? "" : visible(name);
    this.input.value = this.input.dataset.shown;
    if (!this.chips && id !== this.field.value) this.desk.edit({ target: this.target, value: id }, name);
    else this.accept();
    return this.desk.next(this);
  }

  // Also that nothing is there can be right, but no bill is without its vendor, nor a line without what it costs.
  accept() {
    const needed = this.cell ? this.field.required || this.target.endsWith(".price_unit") : this.target === "partner_id";
    if (this.isDoubtful && !(this.isEmpty && needed)) this.desk.edit({ accept: this.target });
  }

  // What was typed becomes an edit; false where something is still to be chosen.
  commit() {
    if (!this.isDirty || !this.field.editable) return true;
    const text = this.input.value.trim();
    if (this.picker && text) return false;
    if (!text) this.desk.edit({ target: this.target, value: null }, "");
    else this.desk.edit({ target: this.target, text }, text);
    return true;
  }

  // What was typed before, and is not entered yet.
  retype(text) {
    this.input.focus();
    if (this.picker) return this.picker.seek(text);
    this.input.value = text;
    return this.desk.typing(this);
  }

  // What could not be taken stands in the field again, with the reason.
  giveBack(text, reason) {
    this.input.value = text ?? this.input.value;
    this.field.doubtful = true;
    this.input.dataset.shown = "";
    this.refuse(reason);
    this.reach();
    this.input.focus();
    this.refuse(reason);
  }

  // Words of the page for this field.
  fill(proof) {
    if (!this.field.editable) return;
    if (this.picker) {
      this.input.focus();
      this.picker.seek(proof.text);
      return;
    }
    if (this.input.tagName === "SELECT") return;
    this.input.value = proof.text;
    this.input.dataset.shown = proof.text;
    this.desk.edit({ target: this.target, text: proof.text, evidence: proof }, proof.text);
    this.input.select();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const candidates = this.offers;
    if (event.key === "Enter") {
      event.preventDefault();
      if (event.repeat) return;
      const changed = this.isDirty;
      if (!this.commit()) return;
      if (!changed) this.accept();
      this.desk.next(this);
    } else if (event.key === "Escape" && this.isDirty) {
      event.stopPropagation();
      this.input.value = this.input.dataset.shown;
      this.refuse("");
      this.input.select();
    } else if (/^[1-9]$/.test(event.key) && this.isDoubtful && !this.isDirty && candidates.length >= Number(event.key)) {
      event.preventDefault();
      this.choose(candidates[Number(event.key) - 1]);
    } else if (event.key === "Backspace" && this.chips && !this.input.value) {
      const kept = this.names;
      if (kept.length) this.setSeveral(kept.slice(0, -1));
    }
  }

  // The candidates as buttons with the digit that chooses each.
  candidates() {
    const found = this.offers;
    if (!found.length) return null;
    return el("div", { class: "candidates", role: "group", "aria-label": t("settle.candidates", { field: this.field.label }) }, found.map((one, index) =>
      el("button", { type: "button", tabIndex: -1, class: one.id === this.field.value ? "now" : "", title: visible((one.reasons ?? []).join("; ")), onpointerdown: (event) => event.preventDefault(), onclick: () => this.choose(one) },
        el("kbd", {}, String(index + 1)), el("span", { class: "name" }, said(one.name)), el("span", { class: "quiet" }, told(one.score, (one.reasons ?? []).slice(0, 1))))));
  }

  remove() {
    this.picker?.remove();
  }
}
