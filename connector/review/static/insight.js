// The switches of shadow mode.

const token = document.querySelector('meta[name="vouch-token"]').content;

for (const button of document.querySelectorAll("[data-shadow]")) {
  button.addEventListener("click", async () => {
    const on = button.getAttribute("aria-checked") !== "true";
    button.disabled = true;
    try {
      const answer = await fetch("/api/v1/shadow", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Vouch-Token": token },
        body: JSON.stringify({ backend: button.dataset.backend, vendor_id: Number(button.dataset.shadow), on }),
      });
      if (!answer.ok) throw new Error(`${answer.status}`);
      button.setAttribute("aria-checked", String((await answer.json()).shadow));
    } catch {
      // Nothing was kept: what is there is shown again.
      location.reload();
    } finally {
      button.disabled = false;
    }
  });
}
