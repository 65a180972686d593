// Takes a filling back, with one key however often it is sent; unfolds and folds all details.

const token = document.querySelector('meta[name="vouch-token"]').content;
const ask = document.getElementById("undo-ask");
const said = document.getElementById("said");
const key = [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");

const button = document.getElementById("undo");
button?.addEventListener("click", () => {
  ask.returnValue = "";
  ask.showModal();
});

ask?.addEventListener("close", async () => {
  if (ask.returnValue !== "undo") return;
  button.disabled = true;
  const answer = await fetch(`/api/v1/documents/${ask.dataset.job}/undo`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Vouch-Token": token, Accept: "application/json" },
    body: JSON.stringify({ key }),
  }).catch(() => null);
  if (answer?.ok) return location.reload();
  if (answer?.status === 401) return location.assign(`/sign-in?back=${encodeURIComponent(location.pathname)}`);
  const told = await answer?.json().catch(() => ({}));
  said.textContent = told?.message || ask.dataset.failed;
  said.hidden = false;
  button.disabled = false;
  button.focus();
});

const unfold = document.getElementById("unfold");
const folds = [...document.querySelectorAll(".moment details")];
unfold.hidden = !folds.length;

function toggle() {
  const open = !folds.every((one) => one.open);
  for (const one of folds) one.open = open;
}

const show = () => unfold.setAttribute("aria-pressed", String(folds.length > 0 && folds.every((one) => one.open)));
for (const one of folds) one.addEventListener("toggle", show);
unfold.addEventListener("click", toggle);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "e") toggle();
});
