// A value and its place on the page light up together, by pointer and by focus.

const values = [...document.querySelectorAll("[data-boxes]")].filter((value) => value.dataset.boxes);
const boxesOf = (value) => value.dataset.boxes.split(" ").map((id) => document.getElementById(id)).filter(Boolean);
const valuesOf = (box) => values.filter((value) => value.dataset.boxes.split(" ").includes(box.id));

let lit = [];

function light(elements, seen) {
  lit.forEach((element) => element.classList.remove("lit"));
  lit = elements;
  lit.forEach((element) => element.classList.add("lit"));
  seen?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// What has the focus stays lit when the pointer leaves.
function settle() {
  const value = document.activeElement?.closest("[data-boxes]");
  light(value && values.includes(value) ? [value, ...boxesOf(value)] : []);
}

for (const value of values) {
  const show = () => {
    const boxes = boxesOf(value);
    light([value, ...boxes], boxes[0]);
  };
  value.addEventListener("mouseenter", show);
  value.addEventListener("focusin", show);
  value.addEventListener("mouseleave", settle);
  value.addEventListener("focusout", () => light([]));
}

// Without this file the link leads to the box; with it the focus, which a jump would drop, stays on the link.
for (const link of document.querySelectorAll("a[data-row]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    link.focus();
  });
}

for (const box of document.querySelectorAll(".page rect")) {
  const mine = valuesOf(box);
  box.addEventListener("mouseenter", () => light([box, ...mine], mine[0]));
  box.addEventListener("mouseleave", settle);
  box.addEventListener("click", () => (mine[0]?.querySelector("a[data-row]") ?? mine[0]?.closest("tr").querySelector("a[data-row]"))?.focus());
}
