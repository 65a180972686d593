// The bill in hand: what the server says of it, what the person has changed since, and what comes after it.

import { amount, announce, el, list, said, speak, t, toast, visible } from "./element.js";
import { Offline, Refusal, SignedOut, ask, beforeSignIn, key, part, signIn } from "./api.js";
import { Answers } from "./answers.js";
import { checks, conflict, orders, totals, why } from "./cards.js";
import { NEW } from "./control.js";
import { Form } from "./form.js";
import { keep, kept } from "./kept.js";
import { Lines } from "./lines.js";
import { Verdicts, newVendor } from "./verdict.js";
import { Viewer } from "./viewer.js";
import { jump } from "./jump.js";

const PAUSE = 300;
const RENEW = 120_000;
const root = document.getElementById("settle");
const part_of = (name) => document.getElementById(name);

class Desk {
  constructor(id) {
    this.id = id;
    this.bill = null;
    this.edits = [];
    this.undone = [];
    this.tabsEverywhere = false;
    this.current = null;
    this.ahead = null;
    this.viewer = new Viewer(part_of("paper"), (proof) => this.fill(proof));
    this.form = new Form(this, part_of("fields"));
    this.lines = new Lines(this, part_of("lines"));
    this.answers = new Answers(this, part_of("answers"));
    this.verdicts = new Verdicts(this, part_of("verdicts"));
  }

  // -- loading -----------------------------------------------------------------------------------------------------

  async open(id, loaded = null) {
    clearTimeout(this.timer);
    this.id = id;
    root.classList.remove("shown");
    this.current = null;
    this.undone = [];
    this.sending = null;
    this.pressed = null;
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
    this.claim();
    (this.doubts()[0]?.input ?? this.verdicts.first()).focus();
    root.classList.add("shown");
    this.say(this.edits.length ? t("settle.saved") : t("settle.hint"));
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
    if (!before.edits) return go();
    this.edits = before.edits;
    return this.save(0, go);
  }

  // What would be lost with the page.
  inHand() {
    const typed = this.controls.find((control) => control.input === document.activeElement && control.isDirty);
    return {
      person: root.dataset.person,
      edits: this.isDirty || this.sending ? this.edits : null,
      target: typed?.target ?? null,
      text: typed?.input.value ?? null,
      wish: this.wish ?? null,
    };
  }

  // While a person writes, nothing takes the page from under their hands.
  get isWriting() {
    return document.hidden || Boolean(document.querySelector("dialog[open]")) || this.inHand().target !== null;
  }

  // A bill that was fetched ahead may have changed since.
  async freshen(id) {
    const now = await ask("GET", `/api/v1/reviews/${id}${location.search}`).catch(() => null);
    if (now && this.id === id && now.version !== this.bill.version && !this.edits.length) this.take(now);
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
    this.edits = [...(bill.edits ?? [])];
    this.draw();
  }

  draw() {
    const { bill } = this;
    this.form.show(bill.fields, bill.id);
    this.lines.show(bill.lines, bill.digits, bill.totals.untaxed?.paper);
    part_of("notes").replaceChildren(...[this.taken(), conflict(bill, () => this.takeOver()), why(bill)].filter(Boolean));
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
    toast(t("settle.first", { n: left.length, what: left[0].label ?? left[0].field.label }));
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
    if (vendor && model !== "res.partner") asked.set("vendor", vendor);
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

  // One change: shown at once, sent after a moment. `after` runs once the server has answered with it.
  edit(change, shown = null, after = null) {
    this.edits.push(change);
    this.undone = [];
    this.pressed = null;
    this.apply(change, shown);
    this.save(after || change.add_line || change.remove_line ? 0 : PAUSE, after);
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
    if (change.remove_line) this.bill.lines = this.bill.lines.filter(({ key: one }) => one !== change.remove_line);
    this.draw();
  }

  undo() {
    if (!this.edits.length) return;
    this.undone.push(this.edits.pop());
    announce(t("settle.undone"));
    this.save(0);
  }

  redo() {
    if (!this.undone.length) return;
    this.edits.push(this.undone.pop());
    announce(t("settle.redone"));
    this.save(0);
  }

  save(pause, after = null) {
    clearTimeout(this.timer);
    this.isDirty = true;
    this.say(t("settle.saving"));
    if (after) (this.afters ??= []).push(after);
    this.timer = setTimeout(() => this.send(), pause);
  }

  // Sends the draft; one request at a time, and the last state of it wins.
  async send() {
    if (this.sending) return this.sending;
    this.sending = this.put().finally(() => { this.sending = null; });
    return this.sending;
  }

  async put() {
    const { id } = this;
    while (this.isDirty && this.id === id) {
      this.isDirty = false;
      const edits = [...this.edits];
      try {
        const bill = await ask("PUT", `/api/v1/reviews/${id}/draft${location.search}`, { edits });
        if (this.id !== id) return;
        if (this.isDirty) continue;
        const waited = document.activeElement === this.verdicts.first();
        this.take(bill);
        // A changed value can make others doubtful: they come before the verdict.
        if (waited && !this.settling) this.doubts()[0]?.input.focus();
        this.say(edits.length ? t("settle.saved") : t("settle.hint"));
        const afters = this.afters ?? [];
        this.afters = [];
        afters.forEach((run) => run());
      } catch (error) {
        if (this.id !== id) return;
        if (!this.refused(error)) return;
      }
    }
  }

  // Whether the draft is to be sent again without what was refused.
  refused(error) {
    if (error instanceof SignedOut) {
      this.isDirty = true;
      this.say(error.message, "wrong");
      if (!this.isWriting) signIn();
      return false;
    }
    const target = error instanceof Refusal && error.status === 422 ? error.body.target : null;
    if (!target) {
      this.isDirty = !(error instanceof Refusal);
      this.say(error.message, "wrong");
      if (error.code === "claimed") this.claim();
      return false;
    }
    const at = this.edits.findLastIndex((edit) => (edit.target ?? edit.accept) === target);
    if (at < 0) {
      this.say(error.message, "wrong");
      return false;
    }
    const [dropped] = this.edits.splice(at, 1);
    const control = this.controls.find((one) => one.target === target);
    if (control) {
      control.input.value = dropped.text ?? control.input.value;
      control.field.doubtful = true;
      control.input.dataset.shown = "";
      control.refuse(error.message);
      control.reach();
      control.input.focus();
      control.refuse(error.message);
    }
    announce(error.message);
    this.say("");
    this.isDirty = true;
    return true;
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
      await this.failed(error, () => this.takeOver());
    }
  }

  // -- claims ------------------------------------------------------------------------------------------------------

  taken() {
    const { claim } = this.bill;
    return claim && !claim.mine ? el("p", { class: "taken", role: "status" }, t("claim.by", { name: visible(claim.by) })) : null;
  }

  async claim() {
    clearInterval(this.renewing);
    const { id } = this;
    const put = async () => {
      if (document.hidden) return;
      try {
        const claim = await ask("PUT", `/api/v1/reviews/${id}/claim`, {});
        if (this.id === id && claim && "mine" in claim) this.bill.claim = claim;
      } catch (error) {
        if (error instanceof Refusal && error.status === 409 && this.id === id) {
          this.bill.claim = { by: error.body.by ?? error.body.claim?.by ?? "", mine: false };
          this.draw();
        }
      }
    };
    this.renewing = setInterval(put, RENEW);
    await put();
  }

  release() {
    clearInterval(this.renewing);
    if (this.bill?.claim?.mine !== false) part("DELETE", `/api/v1/reviews/${this.id}/claim`);
  }

  // -- the verdict -------------------------------------------------------------------------------------------------

  async settle(verdict, details = {}) {
    if (this.settling) return;
    if (document.activeElement?.matches?.("#fields input, #lines input")) {
      const control = this.controls.find(({ input }) => input === document.activeElement);
      if (control && !control.commit()) return toast(t("settle.unfinished", { field: control.field.label }));
    }
    this.settling = true;
    this.wish = { verdict, details };
    root.classList.add("settling");
    try {
      clearTimeout(this.timer);
      if (this.isDirty || this.sending) await this.send();
      if (this.isDirty || this.controls.some(({ refused }) => refused)) return;
      if (verdict.startsWith("approve") && !this.bill.conflict && this.isLeft()) return;
      await this.judge(verdict, details);
    } finally {
      this.settling = false;
      this.wish = null;
      root.classList.remove("settling");
    }
  }

  // The same key as long as the same thing is asked, so that asking again does nothing twice.
  async judge(verdict, details) {
    const { bill, id } = this;
    const asked = JSON.stringify([verdict, details, bill.version]);
    if (this.pressed?.asked !== asked) this.pressed = { asked, key: key() };
    this.say(t("settle.settling"));
    try {
      const done = await ask("POST", `/api/v1/reviews/${id}/verdict${location.search}`, { verdict, version: bill.version, key: this.pressed.key, reason: "", question: "", duplicate_of: null, company_id: null, ranges: [], acknowledged: verdict.startsWith("approve") ? this.answers.acknowledged : [], ...details }, { patient: true });
      this.say("");
      this.done(verdict, done);
    } catch (error) {
      this.say("");
      await this.failed(error, () => this.settle(verdict, details));
    }
  }

  done(verdict, { next, record, message }) {
    const number = this.bill.fields.find(({ target }) => target === "ref" || target === "partner_ref")?.shown;
    const what = list([this.bill.fields.find(({ target }) => target === "partner_id")?.shown, number].filter(Boolean).map(visible)) || visible(this.bill.file);
    const url = record?.url ?? this.bill.record?.url;
    toast(message || t(`done.${verdict}`, { what }), url && verdict.startsWith("approve") ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, `${t("done.in_odoo")} ↗`) : null);
    clearInterval(this.renewing);
    this.isDirty = false;
    if (next) this.show(next);
    else location.assign(`/reviews${location.search}`);
  }

  // The next bill, which is here already.
  show(id) {
    const ahead = this.ahead?.bill.id === id ? this.ahead.bill : null;
    history.pushState({ id }, "", `/documents/${id}${location.search}`);
    this.open(id, ahead);
  }

  // Leaves this bill to whoever comes, and goes on to another.
  async go(id) {
    if (this.isDirty || this.sending) await this.send();
    if (this.isDirty) return;
    this.release();
    this.show(id);
  }

  async failed(error, again) {
    if (error instanceof SignedOut) return signIn();
    if (error instanceof Refusal && error.status === 409) {
      if (error.code === "stale" || error.code === "conflict" || error.code === "claimed") {
        this.take(await ask("GET", `/api/v1/reviews/${this.id}${location.search}`));
        if (error.code === "conflict" && !this.bill.conflict) this.bill.conflict = { message: error.message, changes: error.body.changes ?? [] };
        this.draw();
        part_of("side").scrollTo({ top: 0 });
        part_of("notes").querySelector(".conflict button")?.focus();
      }
      if (error.code === "unanswered") {
        this.answers.withdraw(error.body.checks.map(({ id }) => id));
        this.take(await ask("GET", `/api/v1/reviews/${this.id}${location.search}`));
        if (this.isLeft()) return undefined;
      }
      return toast(error.message, null, "wrong");
    }
    const missing = error instanceof Refusal && this.controls.find(({ target }) => target === error.body.target);
    if (missing) {
      missing.refuse(error.message);
      return missing.input.focus();
    }
    if (error instanceof Refusal && error.status !== 503) return toast(error.message, null, "wrong");
    if (!(error instanceof Refusal || error instanceof Offline)) throw error;
    return toast(error.message, el("button", { type: "button", onclick: again }, t("settle.again")), "wrong");
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
addEventListener("pagehide", () => desk.release());
addEventListener("popstate", () => {
  const found = /^\/documents\/(\d+)$/.exec(location.pathname);
  if (found) desk.open(Number(found[1]));
});
addEventListener("beforeunload", (event) => desk.isDirty && !desk.leaving && event.preventDefault());

const PANES = () => [desk.viewer.sheets, desk.controls.find((one) => one.isDoubtful)?.input ?? desk.controls[0]?.input, desk.lines.controls[0]?.input, desk.verdicts.first()];

function pane() {
  const places = ["#paper", "#fields", "#lines", "#verdicts"];
  const at = places.findIndex((place) => document.activeElement?.closest(place));
  for (let step = 1; step <= places.length; step++) {
    const found = PANES()[(at + step) % places.length];
    if (found?.getClientRects().length) return found.focus();
  }
  return undefined;
}

const everywhere = part_of("everywhere");
everywhere.addEventListener("click", () => {
  desk.tabsEverywhere = !desk.tabsEverywhere;
  everywhere.setAttribute("aria-pressed", String(desk.tabsEverywhere));
  everywhere.textContent = t(desk.tabsEverywhere ? "settle.tab_all" : "settle.tab_doubtful");
  desk.reach();
});

// In a field that was not changed since it got the focus, `?` and `/` are commands; they begin no value.
function typingIn(target) {
  if (!target.closest?.("input, textarea, select")) return false;
  const control = desk.controls.find(({ input }) => input === target);
  return !control || control.isDirty;
}

addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  const command = event.ctrlKey || event.metaKey;
  const letter = event.key.toLowerCase();
  if (command && event.key === "Enter") desk.settle("approve");
  else if (command && letter === "z" && !event.altKey) {
    const control = desk.controls.find(({ input }) => input === event.target);
    if (control?.isDirty || (event.target.closest?.("input, textarea") && !control)) return;
    if (event.shiftKey) desk.redo();
    else desk.undo();
  } else if (command && letter === "y") desk.redo();
  else if (command && letter === "k") jump(desk);
  else if (event.key === "F6") pane();
  else if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) desk.step(event.key === "ArrowDown" ? 1 : -1);
  else if (command || event.altKey) return;
  else if (event.key === "/" && !typingIn(event.target)) jump(desk);
  else if (event.key === "?" && !typingIn(event.target)) document.getElementById("keys").showModal();
  else return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

part_of("next").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || !desk.bill?.next) return;
  event.preventDefault();
  desk.go(desk.bill.next);
});

// -- the divider ---------------------------------------------------------------------------------------------------

const divider = part_of("divider");
const panes = divider.parentElement;

function divide(share) {
  const kept = Math.round(Math.min(70, Math.max(25, share)));
  panes.style.setProperty("--share", `${kept}%`);
  divider.setAttribute("aria-valuenow", String(kept));
  localStorage.setItem("vouch-divider", String(kept));
}

divide(Number(localStorage.getItem("vouch-divider")) || 46);
divider.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  divider.setPointerCapture(event.pointerId);
  const move = (now) => divide(((now.clientX - panes.getBoundingClientRect().left) / panes.clientWidth) * 100);
  divider.addEventListener("pointermove", move);
  divider.addEventListener("pointerup", () => divider.removeEventListener("pointermove", move), { once: true });
});
divider.addEventListener("keydown", (event) => {
  const now = Number(divider.getAttribute("aria-valuenow"));
  const to = { ArrowLeft: now - 2, ArrowRight: now + 2, Home: 25, End: 70 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  divide(to);
});

root.classList.add("ready");
desk.open(desk.id);
