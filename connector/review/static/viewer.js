// The pages of the document: zoom, rotation, words to click or select, boxes of the field in hand.

import { el, levelClass, t } from "./element.js";
import { ask } from "./api.js";

const SMALLEST = 0.5;
const LARGEST = 5;
const STILL = 4;

export class Viewer {
  // `take({page, box, text})` is called with the words that the person clicked or drew a box around.
  constructor(root, take) {
    this.root = root;
    this.take = take;
    this.zoom = 1;
    this.turn = 0;
    this.pages = [];
    this.selecting = false;
    this.lit = [];
    this.build();
  }

  build() {
    const tool = (name, sign, run, more = {}) => el("button", { type: "button", title: t(`viewer.${name}`), "aria-label": t(`viewer.${name}`), onclick: run, ...more }, sign);
    this.place = el("input", { class: "place", inputmode: "numeric", "aria-label": t("viewer.go_to"), onchange: () => this.go(Number(this.place.value)) });
    this.count = el("span", { class: "quiet" });
    this.scale = el("button", { type: "button", class: "scale", title: t("viewer.fit"), onclick: () => this.setZoom(1) });
    this.select = tool("select", "I", () => this.setSelecting(!this.selecting), { class: "select", "aria-pressed": "false" });
    this.jump = el("span", { class: "jump" }, tool("previous", "‹", () => this.go(this.current() - 1)), this.place, this.count, tool("next", "›", () => this.go(this.current() + 1)));
    this.bar = el("div", { class: "tools", role: "toolbar", "aria-label": t("viewer.tools") },
      this.jump,
      el("span", { class: "hint quiet" }, t("viewer.hint")),
      this.select,
      tool("rotate", "⟳", () => this.rotate()),
      tool("smaller", "−", () => this.setZoom(this.zoom / 1.25)), this.scale, tool("larger", "+", () => this.setZoom(this.zoom * 1.25)));
    this.sheets = el("div", { class: "sheets", tabindex: "0", role: "group", "aria-label": t("bill.paper") });
    this.root.replaceChildren(this.bar, this.sheets);
    this.sheets.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.setZoom(this.zoom * (event.deltaY < 0 ? 1.15 : 1 / 1.15), event);
    }, { passive: false });
    this.sheets.addEventListener("keydown", (event) => this.key(event));
    this.sheets.addEventListener("pointerdown", (event) => this.press(event));
    // The field keeps the focus while its words are chosen on the page.
    this.sheets.addEventListener("mousedown", (event) => event.target.closest(".sheet") && event.preventDefault());
    this.sheets.addEventListener("scroll", () => this.tell(), { passive: true });
    new ResizeObserver(() => this.layout()).observe(this.sheets);
    this.near = new IntersectionObserver((entries) => entries.filter((one) => one.isIntersecting).forEach((one) => this.fetchWords(one.target.sheet)), { root: this.sheets, rootMargin: "300px" });
  }

  // `kept` are images that were loaded in advance, by address.
  show(document, kept = new Map()) {
    this.near.disconnect();
    this.turn = 0;
    this.zoom = 1;
    this.id = document.id;
    this.lit = [];
    this.pages = document.pages.map((page) => {
      const image = kept.get(page.image) ?? el("img", { src: page.image, loading: page.number > 1 ? "lazy" : "eager" });
      image.alt = t("bill.page", { number: page.number, of: document.pages.length });
      image.draggable = false;
      const boxes = this.svg();
      const words = el("div", { class: "words" });
      const sheet = { number: page.number, width: page.width, height: page.height, image, boxes, words, texts: [], asked: false };
      sheet.inner = el("div", { class: "inner" }, image, boxes, words);
      sheet.figure = el("figure", { class: "sheet" }, sheet.inner);
      sheet.figure.sheet = sheet;
      const drawn = () => sheet.figure.classList.add("drawn");
      if (image.complete && image.naturalWidth) drawn();
      else image.addEventListener("load", drawn, { once: true });
      image.addEventListener("error", () => sheet.figure.append(el("p", { class: "missing" }, t("viewer.missing"))), { once: true });
      if (page.width === null || page.width === undefined) {
        sheet.width = 595;
        sheet.height = 842;
        const measure = () => {
          sheet.width = image.naturalWidth;
          sheet.height = image.naturalHeight;
          this.layout();
        };
        if (image.complete && image.naturalWidth) measure();
        else image.addEventListener("load", measure, { once: true });
      }
      return sheet;
    });
    this.sheets.replaceChildren(...this.pages.map((page) => page.figure));
    if (!this.pages.length) this.sheets.append(el("p", { class: "empty" }, document.problem || t("bill.no_pages")));
    this.jump.hidden = this.pages.length < 2;
    this.bar.classList.toggle("many", this.pages.length > 1);
    this.layout();
    this.sheets.scrollTo(0, 0);
    this.pages.forEach((page) => this.near.observe(page.figure));
    this.tell();
  }

  svg() {
    const made = globalThis.document.createElementNS("http://www.w3.org/2000/svg", "svg");
    made.setAttribute("viewBox", "0 0 1000 1000");
    made.setAttribute("preserveAspectRatio", "none");
    made.setAttribute("aria-hidden", "true");
    return made;
  }

  layout() {
    const room = this.sheets.clientWidth - 28;
    if (room <= 0) return;
    const across = this.turn % 180 !== 0;
    for (const page of this.pages) {
      const ratio = page.height / page.width;
      const width = room * this.zoom;
      const inner = across ? width / ratio : width;
      Object.assign(page.figure.style, { width: `${width}px`, height: `${across ? inner : width * ratio}px` });
      Object.assign(page.inner.style, { width: `${inner}px`, height: `${inner * ratio}px`, transform: `translate(-50%, -50%) rotate(${this.turn}deg)` });
      page.inner.style.setProperty("--scale", String(inner * ratio));
    }
    this.scale.textContent = `${Math.round(this.zoom * 100)} %`;
  }

  setZoom(zoom, at = null) {
    const box = this.sheets.getBoundingClientRect();
    const x = at ? at.clientX - box.left : box.width / 2;
    const y = at ? at.clientY - box.top : box.height / 2;
    const before = this.zoom;
    this.zoom = Math.min(LARGEST, Math.max(SMALLEST, Math.abs(zoom - 1) < 0.04 ? 1 : zoom));
    const grown = this.zoom / before;
    const [left, top] = [(this.sheets.scrollLeft + x) * grown - x, (this.sheets.scrollTop + y) * grown - y];
    this.layout();
    this.sheets.scrollTo({ left, top, behavior: "instant" });
  }

  rotate() {
    this.turn = (this.turn + 90) % 360;
    this.layout();
  }

  setSelecting(on) {
    this.selecting = on;
    this.sheets.classList.toggle("selecting", on);
    this.select.setAttribute("aria-pressed", String(on));
  }

  current() {
    const middle = this.sheets.getBoundingClientRect().top + this.sheets.clientHeight / 3;
    const at = this.pages.findIndex((page) => page.figure.getBoundingClientRect().bottom > middle);
    return this.pages[at < 0 ? this.pages.length - 1 : at]?.number ?? 1;
  }

  go(number) {
    const page = this.pages[Math.min(Math.max(Math.round(number) || 1, 1), this.pages.length) - 1];
    page?.figure.scrollIntoView({ block: "start" });
    this.tell();
  }

  tell() {
    if (document.activeElement !== this.place) this.place.value = this.current();
    this.count.textContent = `/ ${this.pages.length}`;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const run = { "+": () => this.setZoom(this.zoom * 1.25), "=": () => this.setZoom(this.zoom * 1.25), "-": () => this.setZoom(this.zoom / 1.25), 0: () => this.setZoom(1), r: () => this.rotate(), PageDown: () => this.pages.length > 1 && this.go(this.current() + 1), PageUp: () => this.pages.length > 1 && this.go(this.current() - 1) }[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  }

  // -- boxes of a field --------------------------------------------------------------------------------------------

  light(evidence, level) {
    this.lit.forEach((one) => one.remove());
    this.lit = [];
    for (const proof of evidence ?? []) {
      const page = this.pages.find((one) => one.number === proof.page);
      if (!page || !proof.box) continue;
      const [x0, y0, x1, y1] = proof.box.map((side) => side * 1000);
      const box = globalThis.document.createElementNS("http://www.w3.org/2000/svg", "rect");
      Object.entries({ x: x0 - 4, y: y0 - 3, width: x1 - x0 + 8, height: y1 - y0 + 6, rx: 3, class: `lit ${levelClass(level)}` }).forEach(([name, value]) => box.setAttribute(name, value));
      page.boxes.append(box);
      this.lit.push(box);
    }
    this.bring(this.lit[0]);
  }

  bring(box) {
    if (!box) return;
    const [inside, room] = [box.getBoundingClientRect(), this.sheets.getBoundingClientRect()];
    if (inside.top < room.top + 30 || inside.bottom > room.bottom - 30) this.sheets.scrollBy({ top: inside.top - room.top - room.height / 3 });
    if (inside.left < room.left || inside.right > room.right) this.sheets.scrollBy({ left: inside.left - room.left - room.width / 3 });
  }

  // -- words -------------------------------------------------------------------------------------------------------

  async fetchWords(page) {
    if (page.asked) return;
    page.asked = true;
    const id = this.id;
    try {
      const found = await ask("GET", `/api/v1/documents/${id}/pages/${page.number}/words`);
      if (id === this.id) this.lay(page, found);
    } catch {
      // Without words the page can still be read, and asked for them again.
      page.asked = false;
    }
  }

  lay(page, found) {
    page.texts = found;
    page.words.replaceChildren(...found.map((word, index) => {
      const [x0, y0, x1, y1] = word.box;
      const span = el("span", {}, `${word.text} `);
      span.dataset.word = index;
      Object.assign(span.style, { left: `${x0 * 100}%`, top: `${y0 * 100}%`, width: `${(x1 - x0) * 100}%`, height: `${(y1 - y0) * 100}%`, fontSize: `calc(var(--scale) * ${(y1 - y0).toFixed(5)} * .8px)` });
      return span;
    }));
  }

  // A press takes the word under it or, when the pointer moves, all words in the box that it draws. With Shift, or while
  // text is being selected, it selects words to be copied.
  press(event) {
    const sheet = event.target.closest?.(".sheet")?.sheet;
    if (event.button || !sheet || event.pointerType === "touch" && !event.isPrimary) return undefined;
    if (event.pointerType !== "touch") event.preventDefault();
    if (event.shiftKey || this.selecting) return this.selectFrom(sheet, event);
    const start = this.point(sheet, event);
    const rubber = el("div", { class: "rubber" });
    const finish = () => {
      rubber.remove();
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", finish);
      removeEventListener("keydown", escape, true);
    };
    const far = (now) => Math.hypot(now.clientX - event.clientX, now.clientY - event.clientY) > STILL;
    const move = (now) => {
      if (now.pointerType === "touch" || (!far(now) && !rubber.isConnected)) return;
      if (!rubber.isConnected) sheet.inner.append(rubber);
      const box = this.between(start, this.point(sheet, now));
      Object.assign(rubber.style, { left: `${box[0] * 100}%`, top: `${box[1] * 100}%`, width: `${(box[2] - box[0]) * 100}%`, height: `${(box[3] - box[1]) * 100}%` });
    };
    const up = (now) => {
      const drawn = rubber.isConnected;
      finish();
      if (drawn) this.takeBox(sheet, this.between(start, this.point(sheet, now)));
      else if (!far(now)) this.takeWord(sheet, start);
    };
    const escape = (pressed) => {
      if (pressed.key !== "Escape") return;
      pressed.stopPropagation();
      finish();
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", finish);
    addEventListener("keydown", escape, true);
    return undefined;
  }

  // Whole words in reading order: the browser's own selection goes astray between words that are placed one by one.
  selectFrom(sheet, event) {
    const nearest = (at) => {
      const [x, y] = this.point(sheet, at);
      const off = ({ box }) => Math.max(box[0] - x, 0, x - box[2]) + 4 * Math.max(box[1] - y, 0, y - box[3]);
      return sheet.texts.reduce((best, word, index) => (off(word) < off(sheet.texts[best]) ? index : best), 0);
    };
    const words = sheet.words.querySelectorAll("[data-word]");
    if (!words.length) return;
    const first = nearest(event);
    const mark = (now) => {
      const [from, to] = [first, nearest(now)].sort((one, other) => one - other);
      getSelection().setBaseAndExtent(words[from].firstChild, 0, words[to].firstChild, words[to].textContent.length);
    };
    this.sheets.focus({ preventScroll: true });
    const end = () => removeEventListener("pointermove", mark);
    mark(event);
    addEventListener("pointermove", mark);
    addEventListener("pointerup", end, { once: true });
    addEventListener("pointercancel", end, { once: true });
  }

  // Where on the upright page, in fractions of it.
  point(sheet, event) {
    const box = sheet.figure.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    return { 0: [x, y], 90: [y, 1 - x], 180: [1 - x, 1 - y], 270: [1 - y, x] }[this.turn].map((one) => Math.min(1, Math.max(0, one)));
  }

  between([x0, y0], [x1, y1]) {
    return [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];
  }

  takeWord(sheet, [x, y]) {
    const near = 0.003;
    const word = sheet.texts.find(({ box }) => x >= box[0] - near && x <= box[2] + near && y >= box[1] - near && y <= box[3] + near);
    if (word) this.take({ page: sheet.number, box: word.box, text: word.text });
  }

  takeBox(sheet, drawn) {
    const inside = sheet.texts.filter(({ box }) => {
      const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
      return x >= drawn[0] && x <= drawn[2] && y >= drawn[1] && y <= drawn[3];
    });
    if (!inside.length) return;
    const bounds = inside.map(({ box }) => box);
    const box = [0, 1].map((side) => Math.min(...bounds.map((one) => one[side]))).concat([2, 3].map((side) => Math.max(...bounds.map((one) => one[side]))));
    this.take({ page: sheet.number, box, text: inside.map(({ text }) => text).join(" ") });
  }
}
