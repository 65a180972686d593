// Bills of one vendor with the same single doubt: a look at that value of each, then all are approved together.

import { ask, key, signIn, SignedOut } from "./api.js";
import { confidence, el, said, speak, t } from "./element.js";

// So many in one request: what became of them is shown while the others go on.
const AT_ONCE = 5;
const root = document.getElementById("together");
const title = document.getElementById("together-title");
speak(JSON.parse(root.dataset.texts), document.documentElement.lang);

let working = false;
let after = () => {};
root.addEventListener("cancel", (event) => working && event.preventDefault());
root.addEventListener("close", () => after());

// Show what would be written of these bills. `closed` is called in the end.
export async function together(ids, closed) {
  if (root.open) return;
  after = closed;
  const body = el("div", { class: "body" });
  const told = el("p", { role: "status" }, t("together.looking"));
  root.replaceChildren(title, told, body, el("div", { class: "end" }, leave("together.cancel")));
  root.showModal();
  try {
    show(await ask("GET", `/api/v1/reviews/approve?${ids.map((id) => `id=${id}`).join("&")}`), told, body);
  } catch (error) {
    refuse(error, told);
  }
}

// Why nothing more happens; who is signed out comes back to the queue, and what was approved is not approved again.
function refuse(error, told, before = "") {
  const ended = error instanceof SignedOut;
  told.textContent = `${before} ${ended ? t("together.signed_out") : error.message}`.trim();
  const again = ended && el("button", { type: "button", class: "primary", onclick: () => signIn() }, t("settle.sign_in_again"));
  root.lastElementChild.replaceChildren(leave("together.close"), ...(again ? [again] : []));
  root.lastElementChild.lastElementChild.focus();
}

function leave(text) {
  return el("button", { type: "button", onclick: () => root.close() }, t(text), " ", el("kbd", {}, "Esc"));
}

function show({ group, bills }, told, body) {
  const fitting = bills.filter((bill) => bill.fits);
  const rows = new Map(fitting.map((bill) => [bill.id, row(bill)]));
  const [first] = fitting;
  told.replaceChildren(...(first ? [el("strong", {}, said(first.vendor)), " · ", t("together.one_doubt", { n: fitting.length, field: first.doubt.label })] : [t("together.none")]));
  body.replaceChildren(...(first ? [table(first.doubt.label, [...rows.values()])] : []), ...leftOut(bills.filter((bill) => !bill.fits)));
  const go = first && el("button", { type: "button", class: "primary", onclick: () => approve(group, fitting, rows, told) }, t("together.approve", { n: fitting.length }), " ", el("kbd", {}, "↵"));
  // Enter that is still held down from before approves nothing.
  go?.addEventListener("keydown", (event) => event.key === "Enter" && event.repeat && event.preventDefault());
  root.lastElementChild.replaceChildren(leave(first ? "together.cancel" : "together.close"), ...(go ? [go] : []));
  root.lastElementChild.lastElementChild.focus();
}

function table(label, rows) {
  const head = ["together.number", "together.date", "together.total", null, "together.place", null];
  const names = head.map((name) => el("th", { scope: "col", class: name === "together.total" ? "number" : "" }, name ? t(name) : ""));
  names[3].textContent = label;
  names[5].append(el("span", { class: "sr" }, t("together.outcome")));
  return el("table", {}, el("thead", {}, el("tr", {}, names)), el("tbody", {}, rows));
}

function row(bill) {
  const link = el("a", { href: `/documents/${bill.id}`, target: "_blank", tabIndex: -1 }, said(bill.number || bill.file));
  return el("tr", { "data-bill": String(bill.id) }, el("td", {}, link), el("td", {}, said(bill.date)), el("td", { class: "number" }, said(bill.total)),
    el("td", {}, el("strong", {}, said(bill.doubt.shown)), " ", confidence(bill.doubt)), el("td", {}, cut(bill)), el("td", { class: "outcome" }));
}

// The place on the page, cut out of its picture.
function cut(bill) {
  const [proof] = bill.doubt.evidence;
  const [left, top, right, bottom] = proof.box;
  const picture = el("img", { src: `/documents/${bill.id}/pages/${proof.page}.webp`, alt: t("together.printed", { text: proof.text }), loading: "lazy" });
  const frame = el("span", { class: "cut" }, picture);
  picture.addEventListener("load", () => {
    const [width, height] = [frame.clientWidth, frame.clientHeight];
    const across = (right - left) * picture.naturalWidth;
    const down = (bottom - top) * picture.naturalHeight;
    const scale = Math.min(height / (down * 2.4), width / (across * 1.25), 1.2);
    const [wide, high] = [picture.naturalWidth * scale, picture.naturalHeight * scale];
    const [x, y] = [width / 2 - ((left + right) / 2) * wide, height / 2 - ((top + bottom) / 2) * high];
    Object.assign(picture.style, { width: `${wide}px`, height: `${high}px`, translate: `${x}px ${y}px` });
    const mark = el("span", { class: "mark" });
    Object.assign(mark.style, { left: `${left * wide + x}px`, top: `${top * high + y}px`, width: `${across * scale}px`, height: `${down * scale}px` });
    frame.append(mark);
    frame.classList.add("shown");
  });
  return frame;
}

function leftOut(bills) {
  if (!bills.length) return [];
  const why = [...new Set(bills.map(({ message }) => message))];
  const link = (bill) => el("a", { href: `/documents/${bill.id}`, target: "_blank" }, said(bill.file ?? `#${bill.id}`));
  const items = why.map((message) => el("li", {}, el("span", { class: "quiet" }, message), ...bills.filter((bill) => bill.message === message).flatMap((bill) => [" ", link(bill)])));
  return [el("h3", {}, t("together.left_out", { n: bills.length })), el("ul", {}, items)];
}

async function approve(group, bills, rows, told) {
  if (working) return;
  working = true;
  // The same key for all of it: whatever is lost on the way is asked for again, and written once.
  const wish = key();
  const end = root.lastElementChild;
  for (const button of end.children) button.disabled = true;
  let [done, refused] = [0, 0];
  try {
    for (let at = 0; at < bills.length; at += AT_ONCE) {
      told.textContent = t("together.working", { n: at, of: bills.length });
      const some = bills.slice(at, at + AT_ONCE).map(({ id, version }) => ({ id, version }));
      const answer = await ask("POST", "/api/v1/reviews/approve", { key: wish, group, bills: some }, { patient: true });
      for (const bill of answer.bills) {
        const good = bill.outcome === "filled";
        [done, refused] = good ? [done + 1, refused] : [done, refused + 1];
        const cell = rows.get(bill.id).querySelector(".outcome");
        cell.classList.add(good ? "good" : "bad");
        cell.textContent = good ? t("together.approved") : bill.message;
      }
    }
    told.textContent = t("together.done", { n: done }) + (refused ? ` ${t("together.refused", { n: refused })}` : "");
    end.replaceChildren(leave("together.close"));
    end.lastElementChild.focus();
  } catch (error) {
    refuse(error, told, t("together.done", { n: done }));
  } finally {
    working = false;
  }
}
