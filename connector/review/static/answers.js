// Doubts of the whole document: each is answered before the bill can be approved.

import { el, fresh, said, t, visible } from "./element.js";

export class Answers {
  constructor(desk, root) {
    this.desk = desk;
    this.root = root;
    this.stops = [];
  }

  // An answer is part of the draft, and holds as long as the question says the same.
  show(bill) {
    this.bill = bill;
    const held = this.stops.find(({ input }) => input === document.activeElement)?.target;
    this.stops = (bill.questions ?? []).map((question) => this.stop(question));
    this.root.hidden = !this.stops.length;
    this.root.replaceChildren(el("h2", {}, t("answers.title")), el("ul", {}, this.stops.map(({ element }) => element)));
    if (held) this.stops.find(({ target }) => target === held)?.input.focus();
  }

  isOpen({ answered, barred }) {
    return barred || !answered;
  }

  stop(question) {
    const open = this.isOpen(question);
    const words = el("span", { id: fresh("question"), class: "question" }, said(question.message));
    const input = question.barred ? this.way(question) : el("button", { type: "button", "aria-pressed": String(!open), onclick: () => this.answer(question) }, t(open ? "answers.go_on" : "answers.gone_on"), open ? el("kbd", {}, "↵") : null);
    input.classList.add("answer");
    input.setAttribute("aria-describedby", words.id);
    if (!open) input.dataset.also = "";
    // Its place on the page is lit, as that of a value.
    input.addEventListener("focus", () => this.desk.viewer.light(question.evidence, "doubtful"));
    // Enter that is still held down from before answers nothing.
    input.addEventListener("keydown", (event) => event.key === "Enter" && event.repeat && event.preventDefault());
    return { target: `check:${question.id}`, label: visible(question.message), isDoubtful: open, input, element: el("li", { class: open ? "open" : "" }, words, input) };
  }

  // What makes the bill one that can be approved.
  way({ becomes }) {
    if (this.bill.verdicts.includes("switch_kind")) return el("button", { type: "button", onclick: () => this.desk.settle("switch_kind") }, t(`answers.make_${becomes}`));
    return el("a", { class: "button", href: this.bill.record?.url ?? `/documents/${this.bill.id}?read=1`, target: "_blank", rel: "noopener noreferrer" }, t("done.in_odoo"), " ↗");
  }

  answer(question) {
    if (!this.isOpen(question)) return this.withdraw([question.id]);
    this.desk.edit({ answer: question.id });
    return this.desk.next({ target: `check:${question.id}` });
  }

  // Asked again: the person takes an answer back, or the server found it open.
  withdraw(ids) {
    this.bill.questions.filter(({ id }) => ids.includes(id)).forEach((question) => { question.answered = false; });
    const { draft } = this.desk;
    this.desk.draw();
    if (draft.edits.some(({ answer }) => ids.includes(answer))) draft.replace(draft.edits.filter(({ answer }) => !ids.includes(answer)));
  }

  get acknowledged() {
    return (this.bill.questions ?? []).filter((one) => !this.isOpen(one)).map(({ id }) => id);
  }
}
