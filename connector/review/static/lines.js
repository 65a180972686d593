// The lines as a grid whose cells are always ready to be typed in, with the sum as it goes.

import { amount, confidence, el, levelClass, minus, plus, rounded, said, scaled, t, text as decimal, times } from "./element.js";
import { Control } from "./control.js";

const ALWAYS = ["name", "quantity", "price_unit", "tax_ids", "account_id"];
const column = (target) => target.split(".").slice(2).join(".");

export class Lines {
  constructor(desk, root) {
    this.desk = desk;
    this.root = root;
    this.rows = new Map();
    this.everything = false;
    this.build();
  }

  build() {
    this.head = el("tr", {});
    this.body = el("tbody", {});
    this.foot = el("tfoot", {});
    this.grid = el("table", { class: "grid", role: "grid", "aria-label": t("group.lines") }, el("thead", {}, this.head), this.body, this.foot);
    this.inspector = el("div", { class: "inspector" });
    this.more = el("button", { type: "button", class: "link", tabIndex: -1, "data-also": true, onclick: () => this.toggle() });
    this.add = el("button", { type: "button", class: "link", tabIndex: -1, "data-also": true, title: "Alt+Enter", onclick: () => this.insert(this.order.at(-1) ?? null) }, `+ ${t("lines.add")}`);
    this.root.replaceChildren(
      el("div", { class: "caption" }, el("h2", {}, t("group.lines")), this.count = el("span", { class: "quiet" }), this.more),
      el("div", { class: "scroll" }, this.grid), el("div", { class: "under" }, this.add, this.inspector));
    this.grid.addEventListener("keydown", (event) => this.key(event));
  }

  get controls() {
    return this.order.flatMap((key) => this.shownColumns.map((name) => this.rows.get(key).cells.get(name)).filter(Boolean));
  }

  get order() {
    return [...this.rows.keys()];
  }

  show(lines, digits, paper) {
    this.digits = digits;
    this.paper = paper;
    const names = [...new Set(lines.flatMap((line) => line.cells.map(({ target }) => column(target))))];
    const shape = lines.map(({ key, cells }) => `${key}:${cells.map(({ target, kind }) => target + kind)}`).join();
    if (shape !== this.shape) this.rebuild(lines, names);
    this.shape = shape;
    this.names = names;
    this.grid.parentElement.hidden = !lines.length;
    lines.forEach((line) => this.draw(line));
    this.fold(lines);
    this.count.textContent = t("lines.count", { n: lines.length });
    this.root.hidden = false;
    this.sum();
  }

  rebuild(lines, names) {
    const kept = document.activeElement?.closest("[data-target]")?.dataset.target;
    for (const { cells } of this.rows.values()) cells.forEach((control) => control.remove());
    const labels = new Map(lines.flatMap(({ cells }) => cells.map((field) => [column(field.target), field])));
    this.head.replaceChildren(...names.map((name) => el("th", { scope: "col", class: `col-${name.replaceAll("_", "-")} ${this.isNumber(labels.get(name)) ? "number" : ""}` }, labels.get(name).label)),
      el("th", { scope: "col", class: "number col-net" }, t("lines.net")), el("th", { class: "col-remove" }, el("span", { class: "sr" }, t("lines.remove"))));
    [...this.head.children].forEach((cell, index) => { cell.dataset.column = names[index] ?? ""; });
    this.rows = new Map(lines.map((line, index) => [line.key, this.row(line, names, index)]));
    this.body.replaceChildren(...[...this.rows.values()].map(({ element }) => element));
    if (kept) this.controls.find(({ target }) => target === kept)?.input.focus();
  }

  isNumber(field) {
    return ["amount", "quantity", "percent"].includes(field?.kind);
  }

  row(line, names, index) {
    const cells = new Map();
    const boxes = names.map((name) => {
      const field = line.cells.find(({ target }) => column(target) === name);
      if (!field) return el("td", { role: "gridcell", class: `col-${name.replaceAll("_", "-")}` });
      const control = new Control(this.desk, field);
      control.mark = el("span", { class: "dot" });
      cells.set(name, control);
      const cell = el("td", { role: "gridcell", class: `col-${name.replaceAll("_", "-")} ${field.kind}` }, el("span", { class: "cell" }, control.element, control.mark));
      cell.dataset.target = field.target;
      cell.dataset.column = name;
      control.cell = cell;
      control.onrefuse = (message) => this.desk.current === control && this.inspect(control, message);
      return cell;
    });
    const net = el("td", { class: "number col-net" });
    const remove = el("button", { type: "button", tabIndex: -1, title: `${t("lines.remove")} (Alt+Delete)`, "aria-label": t("lines.remove_line", { n: index + 1 }), onclick: () => this.remove(line.key) }, "×");
    const element = el("tr", {}, boxes, net, el("td", { class: "col-remove" }, remove));
    return { cells, net, element };
  }

  draw(line) {
    const row = this.rows.get(line.key);
    for (const field of line.cells) {
      const control = row.cells.get(column(field.target));
      control.update(field);
      if (this.isNumber(field)) control.input.style.minWidth = `${Math.max(5, (field.shown ?? "").length + 3)}ch`;
      control.input.setAttribute("aria-label", `${field.label}, ${t("lines.line", { n: this.order.indexOf(line.key) + 1 })}`);
      if (control.isDoubtful && field.reason) control.input.setAttribute("aria-description", field.reason);
      control.cell.classList.toggle("asks", control.isDoubtful);
      ["doubtful", "weak", "person"].forEach((level) => control.cell.classList.toggle(levelClass(level), field.level === level && (field.doubtful || level === "person")));
      control.mark.replaceChildren(control.isEmpty && !field.doubtful ? "" : confidence(field));
    }
    row.net.textContent = amount(line.net, this.digits);
    row.net.classList.remove("pending");
    row.value = line.net;
  }

  // Columns that are empty in every line are folded away until they are asked for.
  fold(lines) {
    const filled = (name) => lines.some(({ cells }) => cells.some((field) => column(field.target) === name && (field.doubtful || !["", null, undefined, "0", "0.0", "0.00"].includes(field.value) && String(field.value) !== "")));
    const folded = this.names.filter((name) => !ALWAYS.includes(name) && !filled(name));
    this.shownColumns = this.everything ? this.names : this.names.filter((name) => !folded.includes(name));
    for (const cell of this.grid.querySelectorAll("[data-column]")) cell.hidden = Boolean(cell.dataset.column) && !this.shownColumns.includes(cell.dataset.column);
    this.more.hidden = !folded.length;
    this.more.textContent = this.everything ? t("lines.fewer") : t("lines.more", { n: folded.length });
    this.lines = lines;
  }

  toggle() {
    this.everything = !this.everything;
    this.fold(this.lines);
    this.sum();
  }

  sum() {
    const nets = [...this.rows.values()].map(({ value }) => scaled(value));
    const total = nets.length && nets.every(Boolean) ? decimal(rounded(nets.reduce(plus), this.digits)) : null;
    const apart = this.paper && total ? minus(scaled(total), scaled(this.paper)) : null;
    const off = apart && apart.units !== 0n;
    this.foot.replaceChildren(this.rows.size ? el("tr", {}, el("th", { scope: "row", colSpan: Math.max(1, this.shownColumns.length) }, t("lines.sum"), " ", off ? el("span", { class: "off" }, t("lines.off", { difference: amount(decimal(apart), this.digits) })) : this.paper && total ? el("span", { class: "fits" }, `✓ ${t("lines.fits")}`) : ""), el("td", { class: `number col-net ${off ? "weak" : ""}` }, amount(total, this.digits)), el("td", { class: "col-remove" })) : "");
  }

  // The net amount of a line while one of its numbers is being typed.
  preview(control) {
    const key = control.target.split(".")[1];
    const row = this.rows.get(key);
    if (!row || !["quantity", "price_unit", "discount"].includes(column(control.target))) return;
    const number = (name) => {
      const cell = row.cells.get(name);
      if (!cell) return name === "discount" ? scaled("0") : null;
      return cell.isDirty ? scaled(cell.input.value.trim().replace(",", ".")) : scaled(cell.field.value ?? "0");
    };
    const kept = minus(scaled("100"), number("discount"));
    const net = rounded(times(times(number("quantity"), number("price_unit")), kept && { units: kept.units, places: kept.places + 2 }), this.digits);
    row.value = decimal(net);
    row.net.textContent = amount(row.value, this.digits);
    row.net.classList.add("pending");
    this.sum();
  }

  // What is to be said of the cell in hand: how sure, why, and the candidates.
  inspect(control, refused = "") {
    if (!control?.cell) return this.inspector.replaceChildren();
    const { field } = control;
    this.inspector.replaceChildren(...[
      el("strong", {}, field.label), confidence(field),
      refused ? el("span", { class: "refused" }, refused) : field.reason ? el("span", { class: control.isDoubtful ? "reason" : "quiet" }, said(field.reason)) : null,
      control.isDoubtful ? control.candidates() : null,
    ].filter(Boolean));
  }

  insert(after) {
    const used = [...this.order, ...this.desk.draft.edits.map((edit) => edit.add_line ?? "")].map((key) => Number(key.replace(/\D/g, "")) || 0);
    const key = `l${Math.max(0, ...used) + 1}`;
    this.desk.edit({ add_line: key, after }, null, () => {
      const first = this.controls.find(({ target }) => target.startsWith(`lines.${key}.`));
      first?.input.focus();
    });
  }

  remove(key) {
    const at = this.order.indexOf(key);
    const name = this.desk.current?.cell?.dataset.column;
    this.desk.edit({ remove_line: key });
    const neighbour = this.order[Math.min(at, this.order.length - 1)];
    if (neighbour) this.rows.get(neighbour).cells.get(name ?? this.shownColumns[0])?.input.focus();
    else this.add.focus();
  }

  key(event) {
    const cell = event.target.closest("td[data-target]");
    if (!cell) return;
    const key = cell.dataset.target.split(".")[1];
    if (event.altKey && event.key === "Enter") this.insert(key);
    else if (event.altKey && event.key === "Delete") this.remove(key);
    else if (event.altKey || event.ctrlKey || event.metaKey) return;
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const rows = this.order;
      const next = rows[rows.indexOf(key) + (event.key === "ArrowDown" ? 1 : -1)];
      if (!next) return;
      this.rows.get(next).cells.get(cell.dataset.column)?.input.focus();
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const input = event.target;
      const all = input.selectionEnd - input.selectionStart === input.value.length;
      const edge = event.key === "ArrowLeft" ? input.selectionStart === 0 && (all || input.selectionEnd === 0) : input.selectionEnd === input.value.length && (all || input.selectionStart === input.value.length);
      if (input.tagName !== "INPUT" || !edge) return;
      const next = this.shownColumns[this.shownColumns.indexOf(cell.dataset.column) + (event.key === "ArrowLeft" ? -1 : 1)];
      if (!next) return;
      this.rows.get(key).cells.get(next)?.input.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
