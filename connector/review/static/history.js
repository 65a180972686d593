// Takes a filling back, with one key however often it is sent.

const token = document.querySelector('meta[name="vouch-token"]').content;
const button = document.querySelector("[data-undo]");
const said = document.getElementById("said");
const key = [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");

button?.addEventListener("click", async () => {
  if (!confirm(button.dataset.ask)) return;
  button.disabled = true;
  const answer = await fetch(`/api/v1/documents/${button.dataset.undo}/undo`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Vouch-Token": token, Accept: "application/json" },
    body: JSON.stringify({ key }),
  }).catch(() => null);
  if (answer?.ok) return location.reload();
  const told = await answer?.json().catch(() => ({}));
  said.textContent = told?.message || button.dataset.failed;
  said.hidden = false;
  button.disabled = false;
});
