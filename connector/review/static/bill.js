// The bill in hand: what the server says of it, what the person has changed since, and what comes after it.

import { amount, announce, el, said, speak, t, toast, visible } from "./element.js";
import { Refusal, SignedOut, ask, beforeSignIn, signIn } from "./api.js";
import { Answers } from "./answers.js";
import { Claim } from "./claim.js";
import { checks, conflict, orders, totals, why } from "./cards.js";
import { commands } from "./commands.js";
import { NEW } from "./control.js";
import { Draft } from "./draft.js";
import { Ending } from "./ending.js";
import { Form } from "./form.js";
import { keep, kept } from "./kept.js";
import { Lines } from "./lines.js";
import { Verdicts, newVendor } from "./verdict.js";
import { Viewer } from "./viewer.js";

const root = document.getElementById("settle");
const part_of = (name) => document.getElementById(name);

class Desk {
  constructor(id) {
    this.id = id;
    this.root = root;
    this.bill = null;
    this.tabsEverywhere = false;
    this.current = null;
    this.ahead = null;
    this.draft = new Draft(this);
    this.ending = new Ending(this);
    this.claim = new Claim(this);
    this.viewer = new Viewer(part_of("paper"), (proof) => this.fill(proof));
    this.form = new Form(this, part_of("fields"));
    this.lines = new Lines(this, part_of("lines"));
    this.answers = new Answers(this, part_of("answers"));
    this.verdicts = new Verdicts(this, part_of("verdicts"));
  }

  // -- loading -----------------------------------------------------------------------------------------------------

  async open(id, loaded = null) {
    this.id = id;
    this.draft.begin();
    root.classList.remove("shown");
    this.current = null;
    let bill = loaded;
    try {
      bill ??= await ask("GET", `/api/v1/reviews/${id}${location.search}`);
    } catch (error) {
      if (error instanceof SignedOut) return signIn();
      if (error instanceof Refusal && error.status === 404) return location.replace(`/documents/${id}?read=1`);
      part_of("fields").replaceChildren(el("p", { class: "refused", role: "alert" }, error.message, " ", el("button", { type: "button", onclick: () => this.open(id) }, t("settle.again"))));
      return undefined;
    }
    if (this.id !== id) return undefined;
    this.viewer.show(bill, this.ahead?.images);
    this.take(bill);
    this.claim.hold();
    (this.doubts()[0]?.input ?? this.verdicts.first()).focus();
    root.classList.add("shown");
    this.hint();
    const before = kept(id, root.dataset.person);
    if (before) this.resume(before);
    if (loaded) this.freshen(id);
    this.prefetch();
    return undefined;
  }

  // Goes on with what the person was at when the session ended.
  resume(before) {
    const go = () => {
      const control = this.controls.find(({ target }) => target === before.target);
      if (control) control.retype(before.text);
      else if (before.vendor) this.newVendor(before.vendor);
      else if (before.wish) this.verdicts.resume(before.wish, this.bill);
    };
    if (before.edits) this.draft.replace(before.edits, go);
    else go();
  }

  // What would be lost with the page.
  inHand() {
    const typed = this.controls.find((control) => control.input === document.activeElement && control.isDirty);
    return {
      person: root.dataset.person,
      edits: this.draft.isUnsaved ? this.draft.edits : null,
      target: typed?.target ?? null,
      text: typed?.input.value ?? null,
      wish: this.ending.wish,
    };
  }

  // While a person writes, nothing takes the page from under their hands.
  get isWriting() {
    return document.hidden || Boolean(document.querySelector("dialog[open]")) || this.inHand().target !== null;
  }

  // A bill that was fetched ahead may have changed since.
  async freshen(id) {
    const now = await ask("GET", `/api/v1/reviews/${id}${location.search}`).catch(() => null);
    if (now && this.id === id && now.version !== this.bill.version && !this.draft.edits.length) this.take(now);
  }

  async prefetch() {
    const { next } = this.bill;
    this.ahead = null;
    if (!next) return;
    const bill = await ask("GET", `/api/v1/reviews/${next}${location.search}`).catch(() => null);
    if (!bill || this.bill.next !== next) return;
    const images = new Map(bill.pages.slice(0, 1).map(({ image }) => [image, Object.assign(new Image(), { src: image })]));
    this.ahead = { bill, images };
  }

  // The server's word on everything; what is being typed stays.
  take(bill) {
    this.bill = { digits: 2, ...bill };
    this.draft.edits = [...(bill.edits ?? [])];
    this.draw();
  }

  draw() {
    const { bill } = this;
    this.form.show(bill.fields, bill.id);
    this.lines.show(bill.lines, bill.digits, bill.totals.untaxed?.paper);
    part_of("notes").replaceChildren(...[this.claim.notice(), conflict(bill, () => this.takeOver()), why(bill)].filter(Boolean));
    this.answers.show(bill);
    part_of("totals").replaceChildren(totals(bill));
    part_of("checks").replaceChildren(...checks(bill));
    part_of("orders").replaceChildren(...[orders(bill)].filter(Boolean));
    this.verdicts.show(bill);
    this.heading();
    this.progress();
    this.reach();
    this.lines.inspect(this.current?.cell ? this.current : null);
  }

  heading() {
    const { bill } = this;
    const vendor = bill.fields.find(({ target }) => target === "partner_id")?.shown || bill.new_vendor?.values.name?.value || bill.file;
    part_of("who").replaceChildren(said(vendor));
    part_of("file").replaceChildren(said(bill.file));
    part_of("company").replaceChildren(said(bill.company?.name ?? ""));
    const currency = bill.fields.find(({ target }) => target === "currency_id")?.shown ?? "";
    const total = bill.totals.total?.paper ?? bill.totals.total?.odoo;
    part_of("sum").textContent = total ? `${amount(total, bill.digits)} ${visible(currency)}` : "";
    const record = part_of("record");
    record.hidden = !bill.record?.url;
    if (bill.record?.url) record.href = bill.record.url;
    part_of("history").href = `/documents/${bill.id}/history`;
    const next = part_of("next");
    next.hidden = !bill.next;
    next.href = `/documents/${bill.next}${location.search}`;
    document.querySelector("a[data-back]").href = `/reviews${location.search}#job-${bill.id}`;
    document.title = `${visible(vendor)} · Vouch`;
  }

  // Tab reaches everything once the person wants it to; until then the values that are doubtful, and the verdict.
  reach() {
    this.controls.forEach((control) => control.reach());
    root.querySelectorAll("[data-also]").forEach((one) => { one.tabIndex = this.tabsEverywhere ? 0 : -1; });
  }

  // What is to answer and to check: the whole document first, then value by value.
  get stops() {
    return [...this.answers.stops, ...this.controls];
  }

  doubts() {
    return this.stops.filter(({ isDoubtful }) => isDoubtful);
  }

  // Nothing is approved over what nobody looked at: shows the first of it, and whether there is any.
  isLeft() {
    const left = this.doubts();
    if (!left.length) return false;
    left[0].input.focus();
    toast(t("settle.not_yet", { n: left.length }));
    announce(t("settle.first", { n: left.length, what: left[0].label ?? left[0].field.label }));
    return true;
  }

  progress() {
    const left = this.doubts().length;
    this.verdicts.left.textContent = left ? t("settle.left", { n: left }) : t("settle.ready");
    this.verdicts.left.classList.toggle("ready", !left);
  }

  get controls() {
    return [...this.form.controls, ...this.lines.controls];
  }

  // -- fields ------------------------------------------------------------------------------------------------------

  seen(control) {
    this.current = control;
    document.querySelectorAll(".current").forEach((one) => one.classList.remove("current"));
    (control.cell ?? control.input.closest(".field"))?.classList.add("current");
    this.viewer.light(control.field.evidence, control.field.level);
    this.lines.inspect(control.cell ? control : null);
  }

  typing(control) {
    if (control.refused) control.refuse("");
    if (control.cell) this.lines.preview(control);
  }

  fill(proof) {
    if (!this.current) return toast(t("settle.choose_first"));
    this.current.fill(proof);
    this.viewer.light([proof], "person");
    return announce(t("settle.took", { text: visible(proof.text), field: this.current.field.label }));
  }

  // The next thing to answer or to check, from the top again after the last; then what approves the bill.
  next(from) {
    const all = this.stops;
    const at = all.findIndex(({ target }) => target === from.target);
    const found = [...all.slice(at + 1), ...all.slice(0, at)].find(({ isDoubtful }) => isDoubtful);
    (found?.input ?? this.verdicts.first()).focus();
  }

  step(by) {
    const all = this.controls.filter(({ input }) => input.getClientRects().length);
    const at = all.findIndex(({ input }) => input === document.activeElement);
    const to = at < 0 ? all.indexOf(this.current) : at + by;
    all[(Math.max(to, by < 0 && at < 0 ? all.length - 1 : 0) + all.length) % all.length]?.input.focus();
  }

  search(model, text, signal) {
    const vendor = this.bill.fields.find(({ target }) => target === "partner_id")?.value;
    const asked = new URLSearchParams({ backend: this.bill.backend, q: text });
    if (this.bill.company?.id && model !== "res.company") asked.set("company", this.bill.company.id);
    // Other bills are those of the vendor first, but what is a duplicate may have been booked on another.
    if (vendor && model !== "res.partner" && !(model === "account.move" && text)) asked.set("vendor", vendor);
    return ask("GET", `/api/v1/choices/${model}?${asked}`, null, { signal });
  }

  // The vendor that the document names and Odoo lacks, to be chosen like a candidate.
  madeReady() {
    const made = this.bill.new_vendor;
    return made && { id: NEW, name: t("vendor.offer", { name: visible(made.values.name?.shown ?? made.values.name?.value ?? "") }) };
  }

  // `typed` is what stood in the dialog before the person had to sign in again.
  newVendor(typed = {}) {
    const shown = Object.fromEntries(Object.entries(typed).map(([name, value]) => [name, { value }]));
    newVendor({ ...this.bill.new_vendor?.values, ...shown }, {
      create: (values) => ask("POST", "/api/v1/vendors", { backend: this.bill.backend, company: this.bill.company?.id ?? null, values }).catch((error) => {
        if (error instanceof SignedOut) signIn({ vendor: values });
        throw error;
      }),
      alike: (text) => this.search("res.partner", text),
      done: (vendor) => this.form.rows.get("partner_id")?.control.choose(vendor),
    });
  }

  // -- the draft ---------------------------------------------------------------------------------------------------

  // One change of the person's.
  edit(change, shown = null, after = null) {
    this.apply(change, shown);
    this.draft.add(change, after);
  }

  apply(change, shown) {
    const target = change.target ?? change.accept;
    const field = target && [...this.bill.fields, ...this.bill.lines.flatMap(({ cells }) => cells)].find((one) => one.target === target);
    if (field) {
      field.doubtful = false;
      field.level = "person";
      if (change.target) {
        if ("value" in change) field.value = change.value;
        field.shown = shown;
        if (change.evidence) field.evidence = [change.evidence];
      }
    }
    const question = change.answer && this.bill.questions.find(({ id }) => id === change.answer);
    if (question) question.answered = true;
    if (change.remove_line) this.bill.lines = this.bill.lines.filter(({ key: one }) => one !== change.remove_line);
    this.draw();
  }

  // The server has the draft: what it says of the bill with it.
  saved(bill) {
    const waited = document.activeElement === this.verdicts.first();
    this.take(bill);
    // A changed value can make others doubtful: they come before the verdict.
    if (waited && !this.ending.wish) this.doubts()[0]?.input.focus();
    this.hint();
  }

  hint() {
    this.say(this.draft.edits.length ? t("settle.saved") : t("settle.hint"));
  }

  say(message, kind = "") {
    this.verdicts.saved.textContent = message;
    this.verdicts.saved.className = `saved ${kind || "quiet"}`;
  }

  async takeOver() {
    try {
      this.take(await ask("POST", `/api/v1/reviews/${this.id}/take-over${location.search}`, {}));
      this.next({ target: "" });
    } catch (error) {
      await this.ending.failed(error, () => this.takeOver());
    }
  }

  // -- the verdict -------------------------------------------------------------------------------------------------

  settle(verdict, details = {}) {
    return this.ending.settle(verdict, details);
  }

  // The bill is settled: nothing of it is to be saved or held any more.
  ended() {
    this.claim.end();
    this.draft.begin();
  }

  // The next bill, which is here already.
  show(id) {
    const ahead = this.ahead?.bill.id === id ? this.ahead.bill : null;
    history.pushState({ id }, "", `/documents/${id}${location.search}`);
    this.open(id, ahead);
  }

  // Leaves this bill to whoever comes, and goes on to another.
  async go(id) {
    if (!(await this.draft.flush())) return;
    this.claim.release();
    this.show(id);
  }

  // The browser's way back: only once the server has what was entered here.
  async back(id) {
    if (await this.draft.flush()) this.open(id);
    else history.pushState({ id: this.id }, "", `/documents/${this.id}${location.search}`);
  }

  showConflict(error) {
    // Also where nothing is different but that somebody saved it.
    this.bill.conflict ??= { message: error.message, changes: error.body.changes ?? [] };
    this.draw();
    part_of("side").scrollTo({ top: 0 });
    part_of("notes").querySelector(".conflict button")?.focus();
  }
}

// -- the page ------------------------------------------------------------------------------------------------------

speak(JSON.parse(root.dataset.texts), document.documentElement.lang);
const desk = new Desk(Number(root.dataset.job));

beforeSignIn((more) => {
  keep(desk.id, { ...desk.inHand(), ...more });
  desk.leaving = true;
});
// The field in hand keeps the focus, and with it what was typed.
part_of("signed-out").querySelector("button").addEventListener("pointerdown", (event) => event.preventDefault());
part_of("signed-out").querySelector("button").addEventListener("click", () => signIn());
addEventListener("pagehide", () => desk.claim.release());
addEventListener("popstate", () => {
  const found = /^\/documents\/(\d+)$/.exec(location.pathname);
  if (found) desk.back(Number(found[1]));
});
addEventListener("beforeunload", (event) => desk.draft.isDirty && !desk.leaving && event.preventDefault());

commands(desk);
part_of("next").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || !desk.bill?.next) return;
  event.preventDefault();
  desk.go(desk.bill.next);
});

root.classList.add("ready");
desk.open(desk.id);
