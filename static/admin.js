// The back office's list of accounts stays live: every ten seconds the cells of each row are renewed,
// unless the tab is hidden or rows are chosen for an action.
addEventListener("DOMContentLoaded", () => {
  const list = document.querySelector("#result_list");
  if (!list) return;
  const key = (row) => row.querySelector("th a, td a")?.getAttribute("href");

  async function renew() {
    if (document.hidden || list.querySelector("input.action-select:checked")) return;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = new Map([...page.querySelectorAll("#result_list tbody tr")].map((row) => [key(row), row]));
    for (const row of list.querySelectorAll("tbody tr")) {
      const cells = fresh.get(key(row))?.querySelectorAll("td:not(.action-checkbox)") ?? [];
      const mine = row.querySelectorAll("td:not(.action-checkbox)");
      cells.forEach((cell, n) => {
        if (mine[n] && mine[n].innerHTML !== cell.innerHTML) mine[n].innerHTML = cell.innerHTML;
      });
    }
  }

  setInterval(() => renew().catch(() => {}), 10_000);
});
