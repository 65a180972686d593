// The person's changes to the bill at hand: shown at once, sent after a moment, one request at a time.

import { announce, t } from "./element.js";
import { Refusal, SignedOut, ask, signIn } from "./api.js";

const PAUSE = 300;

export class Draft {
  constructor(desk) {
    this.desk = desk;
    this.begin();
  }

  // Another bill is at hand.
  begin() {
    clearTimeout(this.timer);
    this.edits = [];
    this.undone = [];
    this.isDirty = false;
    this.sending = null;
    this.afters = [];
  }

  // Whether the server does not have all of it yet.
  get isUnsaved() {
    return this.isDirty || Boolean(this.sending);
  }

  // `after` runs once the server has answered with the change.
  add(change, after = null) {
    this.edits.push(change);
    this.undone = [];
    this.save(after || change.add_line || change.remove_line ? 0 : PAUSE, after);
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

  replace(edits, after = null) {
    this.edits = edits;
    this.save(0, after);
  }

  save(pause, after = null) {
    clearTimeout(this.timer);
    this.isDirty = true;
    this.desk.say(t("settle.saving"));
    if (after) this.afters.push(after);
    this.timer = setTimeout(() => this.send(), pause);
  }

  // Everything that is not there yet, now; whether the server has it all.
  async flush() {
    clearTimeout(this.timer);
    if (this.isUnsaved) await this.send();
    return !this.isDirty;
  }

  // The last state of it wins.
  async send() {
    if (this.sending) return this.sending;
    const mine = this.put().finally(() => { if (this.sending === mine) this.sending = null; });
    this.sending = mine;
    return mine;
  }

  async put() {
    const { desk } = this;
    const { id } = desk;
    while (this.isDirty && desk.id === id) {
      this.isDirty = false;
      const edits = [...this.edits];
      try {
        const bill = await ask("PUT", `/api/v1/reviews/${id}/draft${location.search}`, { edits });
        if (desk.id !== id) return;
        if (this.isDirty) continue;
        desk.saved(bill);
        const afters = this.afters;
        this.afters = [];
        afters.forEach((run) => run());
      } catch (error) {
        if (desk.id !== id || !this.refused(error)) return;
      }
    }
  }

  // Whether the draft is to be sent again without what was refused.
  refused(error) {
    const { desk } = this;
    if (error instanceof SignedOut) {
      this.isDirty = true;
      desk.say(error.message, "wrong");
      if (!desk.isWriting) signIn();
      return false;
    }
    const target = error instanceof Refusal && error.status === 422 ? error.body.target : null;
    const at = target ? this.edits.findLastIndex((edit) => [edit.target, edit.accept, edit.answer].includes(target)) : -1;
    if (at < 0) {
      this.isDirty = !(error instanceof Refusal);
      desk.say(error.message, "wrong");
      if (error.code === "claimed") desk.claim.hold();
      return false;
    }
    const [dropped] = this.edits.splice(at, 1);
    desk.controls.find((one) => one.target === target)?.giveBack(dropped.text, error.message);
    announce(error.message);
    desk.say("");
    this.isDirty = true;
    return true;
  }
}
