// The header of the bill, in the order of an accountant's form.

import { confidence, el, said, t } from "./element.js";
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

  show(fields) {
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
    parts.sureness.replaceChildren(confidence(field));
    ["doubtful", "weak", "person"].forEach((level) => element.classList.toggle(level, field.level === level));
    element.classList.toggle("asks", control.isDoubtful);
    this.below(parts);
  }

  below({ control, below }) {
    const { field } = control;
    const said_ = control.refused ? el("p", { class: "refused" }, control.refused) : control.isDoubtful && field.reason ? el("p", { class: "reason" }, said(field.reason)) : null;
    const offer = control.isDoubtful && field.target === "partner_id" ? this.desk.newVendorButton() : null;
    below.replaceChildren(...[said_, control.candidates(), offer].filter(Boolean));
  }
}
