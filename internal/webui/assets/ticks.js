// Saves a step where many are chosen: one box ticks all of a page, and the
// number of those ticked stands beside the choice. Without it each is ticked by
// itself, or the whole view is chosen.
for (const form of document.querySelectorAll("form[data-ticks]")) {
  const boxes = [...form.querySelectorAll('tbody input[name="item"]')];
  const head = form.querySelector("thead th");
  const shown = form.querySelector("[data-ticked]");
  if (!boxes.length || !head || !shown) continue;
  const all = document.createElement("input");
  all.type = "checkbox";
  all.id = "tick-all";
  all.setAttribute("aria-label", head.textContent);
  head.append(" ", all);
  const tell = () => {
    const n = boxes.filter((b) => b.checked).length;
    shown.textContent = n;
    shown.hidden = false;
    all.checked = n === boxes.length;
    all.indeterminate = n > 0 && n < boxes.length;
    if (n > 0) form.querySelector('input[name="which"][value="ticked"]').checked = true;
  };
  all.addEventListener("change", () => {
    for (const b of boxes) b.checked = all.checked;
    tell();
  });
  for (const b of boxes) b.addEventListener("change", tell);
  tell();
}
