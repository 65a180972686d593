// Who has a bill: it is held while it is open, and let go on the way out.

import { el, t, visible } from "./element.js";
import { Refusal, ask, part } from "./api.js";

const RENEW = 120_000;

export class Claim {
  constructor(desk) {
    this.desk = desk;
  }

  // That somebody else has it.
  notice() {
    const { claim } = this.desk.bill;
    return claim && !claim.mine ? el("p", { class: "taken", role: "status" }, t("claim.by", { name: visible(claim.by) })) : null;
  }

  async hold() {
    this.end();
    const { desk } = this;
    const { id } = desk;
    const put = async () => {
      if (document.hidden) return;
      try {
        const claim = await ask("PUT", `/api/v1/reviews/${id}/claim`, {});
        if (desk.id === id && claim && "mine" in claim) desk.bill.claim = claim;
      } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 409 || desk.id !== id) return;
        desk.bill.claim = { by: error.body.by ?? error.body.claim?.by ?? "", mine: false };
        desk.draw();
      }
    };
    this.renewing = setInterval(put, RENEW);
    await put();
  }

  end() {
    clearInterval(this.renewing);
  }

  release() {
    this.end();
    if (this.desk.bill?.claim?.mine !== false) part("DELETE", `/api/v1/reviews/${this.desk.id}/claim`);
  }
}
