// What stands around the fields: why a person is asked, conflicts, totals, checks, quantities of the orders.

import { amount, el, minus, quantity, said, scaled, t, text as decimal, visible } from "./element.js";

const TOTALS = ["untaxed", "tax", "total"];

// Whether it stands among the questions already.
function isAsked(bill, message) {
  const ids = bill.checks.filter((check) => check.status === "fail" && check.message === message).map(({ id }) => id);
  return (bill.questions ?? []).some((question) => question.message.includes(message) || ids.includes(question.id));
}

export function why(bill) {
  const reasons = bill.reasons.filter((reason) => !isAsked(bill, reason));
  if (!reasons.length) return null;
  return el("div", { class: "why", role: "note" }, el("h2", {}, t("bill.why")), el("ul", {}, reasons.map((reason) => el("li", {}, said(reason)))));
}

export function conflict(bill, takeOver) {
  if (!bill.conflict) return null;
  const rows = bill.conflict.changes.map(({ field, label, was, now }) => el("tr", {}, el("th", { scope: "row" }, said(label ?? field)), el("td", {}, said(was ?? "–")), el("td", {}, el("strong", {}, said(now ?? "–")))));
  return el("div", { class: "conflict", role: "alert" }, el("h2", {}, t("conflict.title")), el("p", {}, said(bill.conflict.message)),
    rows.length ? el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("conflict.field")), el("th", { scope: "col" }, t("conflict.was")), el("th", { scope: "col" }, t("conflict.now")))), el("tbody", {}, rows)) : null,
    el("button", { type: "button", class: "primary", onclick: takeOver }, t("conflict.take_over")));
}

export function totals(bill) {
  const rows = TOTALS.filter((name) => bill.totals[name]).map((name) => {
    const { paper, proposal, odoo } = bill.totals[name];
    const apart = scaled(paper) && scaled(odoo) ? minus(scaled(odoo), scaled(paper)) : null;
    const off = apart && apart.units !== 0n;
    return el("tr", { class: name === "total" ? "grand" : "" }, el("th", { scope: "row" }, t(`total.${name}`)),
      [paper, proposal, odoo].map((value) => el("td", {}, amount(value, bill.digits))),
      el("td", { class: off ? "weak" : apart ? "sure" : "" }, apart === null ? "" : off ? amount(decimal(apart), bill.digits) : el("span", { role: "img", "aria-label": t("totals.same"), title: t("totals.same") }, "✓")));
  });
  return el("table", { class: "totals", "aria-label": t("group.totals") }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, el("span", { class: "sr" }, t("column.total"))), ["paper", "proposal", "odoo", "difference"].map((name) => el("th", { scope: "col", title: t(`totals.${name}_means`) }, t(`totals.${name}`))))), el("tbody", {}, rows));
}

export function checks(bill) {
  const of = (status) => bill.checks.filter((check) => check.status === status && check.message && !(status === "fail" && (bill.reasons.includes(check.message) || isAsked(bill, check.message))));
  const one = (check, kind) => el("li", { class: kind }, el("span", { class: "sr" }, `${t(`check.${kind}`)}: `), said(check.message));
  const [failed, passed] = [of("fail"), of("pass")];
  return [
    failed.length ? el("ul", { class: "checks" }, failed.map((check) => one(check, "fail"))) : null,
    passed.length ? el("details", {}, el("summary", { tabIndex: -1, "data-also": true }, t("bill.passed", { n: passed.length })), el("ul", { class: "checks" }, passed.map((check) => one(check, "pass")))) : null,
  ].filter(Boolean);
}

export function orders(bill) {
  const found = bill.purchase_lines ?? [];
  if (!found.length) return null;
  const differs = (one, other) => one !== null && one !== undefined && Number(one) !== Number(other);
  const rows = found.map((line) => el("tr", {}, el("td", {}, said(line.order)), el("td", { class: "name", title: visible(line.name) }, said(line.name)),
    [line.ordered, line.received, line.billed].map((value) => el("td", { class: "number" }, quantity(value))),
    el("td", { class: `number ${differs(line.document_quantity, line.ordered - line.billed) ? "weak" : ""}` }, line.document_quantity === null ? "–" : quantity(line.document_quantity)),
    el("td", { class: "number" }, amount(line.price, bill.digits)),
    el("td", { class: `number ${differs(line.document_price, line.price) ? "weak" : ""}` }, line.document_price === null ? "–" : amount(line.document_price, bill.digits))));
  const heads = ["order", "name", "ordered", "received", "billed", "document_quantity", "price", "document_price"];
  return el("details", { class: "orders", open: true }, el("summary", { tabIndex: -1, "data-also": true }, t("orders.title")), el("div", { class: "scroll", tabIndex: -1, "data-also": true, role: "region", "aria-label": t("orders.title") }, el("table", { class: "lines" }, el("thead", {}, el("tr", {}, heads.map((name, index) => el("th", { scope: "col", class: index > 1 ? "number" : "" }, t(`orders.${name}`))))), el("tbody", {}, rows))));
}
