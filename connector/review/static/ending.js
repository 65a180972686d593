// How the bill at hand ends: a verdict is sent with one key however often, and the next bill comes.

import { el, list, t, toast, visible } from "./element.js";
import { Offline, Refusal, SignedOut, ask, key, signIn } from "./api.js";

const NOTHING = { reason: "", question: "", duplicate_of: null, company_id: null, ranges: [], acknowledged: [] };

export class Ending {
  constructor(desk) {
    this.desk = desk;
    // The verdict that is being sent, and the key of what was asked last.
    this.wish = null;
    this.pressed = null;
  }

  async settle(verdict, details = {}) {
    const { desk } = this;
    if (this.wish) return;
    const control = desk.controls.find(({ input }) => input === document.activeElement);
    if (control && !control.commit()) return toast(t("settle.unfinished", { field: control.field.label }));
    this.wish = { verdict, details };
    desk.root.classList.add("settling");
    try {
      if (!(await desk.draft.flush()) || desk.controls.some(({ refused }) => refused)) return;
      if (verdict.startsWith("approve") && !desk.bill.conflict && desk.isLeft()) return;
      await this.judge(verdict, details);
    } finally {
      this.wish = null;
      desk.root.classList.remove("settling");
    }
  }

  // The same key as long as the same thing is asked, so that asking again does nothing twice.
  async judge(verdict, details) {
    const { desk } = this;
    const { bill, id } = desk;
    const asked = JSON.stringify([id, verdict, details, bill.version]);
    if (this.pressed?.asked !== asked) this.pressed = { asked, key: key() };
    desk.say(t("settle.settling"));
    const acknowledged = verdict.startsWith("approve") ? desk.answers.acknowledged : [];
    try {
      const done = await ask("POST", `/api/v1/reviews/${id}/verdict${location.search}`, { ...NOTHING, verdict, version: bill.version, key: this.pressed.key, acknowledged, ...details }, { patient: true });
      desk.say("");
      this.done(verdict, done);
    } catch (error) {
      desk.say("");
      await this.failed(error, () => this.settle(verdict, details));
    }
  }

  done(verdict, { next, record, message, outcome }) {
    const { desk } = this;
    const { bill } = desk;
    const number = bill.fields.find(({ target }) => target === "ref" || target === "partner_ref")?.shown;
    const what = list([bill.fields.find(({ target }) => target === "partner_id")?.shown, number].filter(Boolean).map(visible)) || visible(bill.file);
    const url = record?.url ?? bill.record?.url;
    const approved = verdict.startsWith("approve");
    desk.ended();
    if (outcome === "open") {
      // It was written, but Odoo shows something else than what was approved.
      toast(message, null, "wrong");
      return desk.open(bill.id);
    }
    toast(message || t(`done.${verdict}`, { what }), [
      approved && url ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, `${t("done.in_odoo")} ↗`) : null,
      approved && next && outcome === "filled" ? this.back(bill.id) : null,
    ]);
    if (next) return desk.show(next);
    return location.assign(`/reviews${location.search}`);
  }

  // Takes the fill back that was just made, and shows the bill again.
  back(id) {
    const wish = key();
    const button = el("button", { type: "button", onclick: async () => {
      button.disabled = true;
      if (!(await this.desk.draft.flush())) return;
      try {
        await ask("POST", `/api/v1/documents/${id}/undo`, { key: wish });
        this.desk.claim.release();
        this.desk.show(id);
        toast(t("done.undone"));
      } catch (error) {
        button.disabled = false;
        await this.failed(error, () => button.click());
      }
    } }, t("done.undo"));
    return button;
  }

  async failed(error, again) {
    const { desk } = this;
    if (error instanceof SignedOut) return signIn();
    if (error instanceof Refusal && error.status === 409) return this.stands(error);
    const missing = error instanceof Refusal && desk.controls.find(({ target }) => target === error.body.target);
    if (missing) {
      missing.refuse(error.message);
      return missing.input.focus();
    }
    if (error instanceof Refusal && error.status !== 503) return toast(error.message, null, "wrong");
    if (!(error instanceof Refusal || error instanceof Offline)) throw error;
    return toast(error.message, el("button", { type: "button", onclick: again }, t("settle.again")), "wrong");
  }

  // What stands against it: the bill is not as the person saw it, or something is to be answered first.
  async stands(error) {
    const { desk } = this;
    if (["stale", "conflict", "claimed", "unanswered"].includes(error.code)) {
      try {
        desk.take(await ask("GET", `/api/v1/reviews/${desk.id}${location.search}`));
      } catch {
        return toast(error.message, null, "wrong");
      }
    }
    if (error.code === "unanswered") {
      desk.answers.withdraw(error.body.checks.map(({ id }) => id));
      if (desk.isLeft()) return undefined;
    } else if (error.code === "conflict") desk.showConflict(error);
    return toast(error.message, null, "wrong");
  }
}
