// What is left of an hour counts down while one reads. Without this script the page shows what was left when it was made.
const clocks = [...document.querySelectorAll("[data-due]")];
const ahead = Date.now() - Date.parse(document.querySelector("[data-now]")?.dataset.now ?? new Date().toISOString());

function tick() {
  for (const c of clocks) {
    const left = Math.max(0, Math.floor((Date.parse(c.dataset.due) - (Date.now() - ahead)) / 1000));
    c.textContent = `${String(Math.floor(left / 60)).padStart(2, "0")}:${String(left % 60).padStart(2, "0")}`;
  }
}

if (clocks.length > 0) {
  setInterval(tick, 1000);
}
