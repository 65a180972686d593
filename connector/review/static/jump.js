// Finds a field by its name.

import { el, fresh, t } from "./element.js";
import { picker } from "./picker.js";

export function jump(desk) {
  const title = fresh("title");
  const input = el("input", { type: "text", autocomplete: "off", "aria-labelledby": title });
  const places = desk.controls.filter(({ input: one }) => one.getClientRects().length).map((control, index) => ({
    id: index, control, name: control.cell ? control.input.getAttribute("aria-label") : control.field.label, detail: String(control.field.shown ?? ""),
  }));
  const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const dialog = el("dialog", { class: "jump", "aria-labelledby": title }, el("label", { id: title }, t("settle.jump")), input);
  const list = picker(input, {
    label: t("settle.jump"),
    search: (text) => Promise.resolve(places.filter(({ name }) => folded(text).split(/\s+/).every((word) => folded(name).includes(word))).slice(0, 12)),
    choose: ({ control }) => {
      dialog.close();
      control.input.focus();
    },
  });
  dialog.addEventListener("close", () => {
    list.remove();
    dialog.remove();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  input.focus();
  input.click();
}
