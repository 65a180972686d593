// The header of the bill, in the order of an accountant's form.

import { confidence, el, levelClass, said, t, visible } from "./element.js";
import { Control } from "./control.js";

export class Form {
  constructor(desk, root) {
    this.desk = desk;
    this.root = root;
    this.rows = new Map();
  }

  get controls() {
    return [...this.rows.values()].map(({ control }) => control);
  }

  // What was doubtful when the bill was opened keeps its place and its reason, so that nothing moves under the hand.
  show(fields, job) {
    if (job !== this.job) this.asked = new Set();
    this.job = job;
    fields.filter(({ doubtful, editable }) => doubtful && editable).forEach(({ target }) => this.asked.add(target));
    const same = fields.length === this.rows.size && fields.every(({ target, kind }) => this.rows.get(target)?.control.field.kind === kind);
    if (!same) {
      this.controls.forEach((control) => control.remove());
      this.rows = new Map(fields.map((field) => [field.target, this.row(field)]));
      this.root.replaceChildren(...[...this.rows.values()].map(({ element }) => element));
    }
    fields.forEach((field) => this.draw(this.rows.get(field.target), field));
  }

  row(field) {
    const control = new Control(this.desk, field);
    const parts = {
      control,
      sureness: el("span", { class: "sureness" }),
      below: el("div", { class: "below", id: `${control.id}-why` }),
    };
    control.input.removeAttribute("aria-label");
    parts.label = el("label", { for: control.id });
    parts.element = el("div", { class: `field ${field.kind}` }, parts.label, el("div", { class: "control" }, control.element), parts.sureness, parts.below);
    parts.element.dataset.target = field.target;
    control.onrefuse = () => this.below(parts);
    return parts;
  }

  draw(parts, field) {
    const { control, element } = parts;
    control.update(field);
    control.input.removeAttribute("aria-label");
    control.input.setAttribute("aria-describedby", `${control.id}-why`);
    parts.label.textContent = field.label;
    parts.sureness.replaceChildren(control.isEmpty && !field.doubtful && field.level !== "person" ? "" : confidence(field));
    ["doubtful", "weak", "person"].forEach((level) => element.classList.toggle(levelClass(level), field.level === level));
    element.classList.toggle("asks", control.isDoubtful);
    element.classList.toggle("asked", this.asked.has(field.target));
    element.classList.toggle("wide", field.target === "partner_id" || (this.asked.has(field.target) && Boolean(field.candidates?.length)));
    this.below(parts);
  }

  below({ control, below }) {
    const { field } = control;
    const asked = this.asked.has(field.target);
    const [proof] = field.evidence ?? [];
    const reason = field.reason || (control.isEmpty && proof?.text ? t("settle.printed", { text: visible(proof.text) }) : "");
    const told = control.refused ? el("p", { class: "refused" }, control.refused) : asked && reason ? el("p", { class: control.isDoubtful ? "reason" : "quiet" }, said(reason)) : null;
    below.replaceChildren(...[told, asked ? control.candidates() : null].filter(Boolean));
  }
}
