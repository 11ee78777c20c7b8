// A picture behind its veil: seen while it is held, hidden when it is let go. For
// how long it was seen is told to the server, which counts no more than passed
// there; when it says that this is enough, the picture goes.
// Where two stand side by side each is measured by itself, and opening the other
// does not close the first.
const BEAT = 5000; // ms between two signs while the picture is seen
let stays = false; // the page comes again at once

document.addEventListener("submit", (e) => { if (e.target.matches("[data-stays]")) stays = true; });
for (const part of document.querySelectorAll("[data-reveal]")) watch(part.querySelector("[data-veil]"), part.querySelector("[data-veil-close]"));

function watch(veil, form) {
  if (!veil || !form) return;
  const bare = veil.dataset.veil === "bare" || veil.dataset.blur === "0"; // it can be seen from the start
  let held = false, since = 0, owed = 0, told = 0, over = false;

  const seen = () => !over && !document.hidden && (bare || held);

  function count() {
    const now = performance.now();
    if (since) owed += now - since;
    since = seen() ? now : 0;
  }

  function body(closing) {
    count();
    const ms = Math.floor(owed);
    owed -= ms;
    told = performance.now();
    const b = new URLSearchParams({ csrf: form.elements.csrf.value, quiet: "1", shown_ms: String(ms) });
    if (closing) b.set("close", "yes");
    return b;
  }

  function end() {
    over = true;
    set(false);
    veil.remove();
    stays = Boolean(form.dataset.back);
    location.replace(form.dataset.back || form.action.replace(/\/reveals\/.*$/, ""));
  }

  async function beat() {
    if (over) return;
    try {
      const res = await fetch(form.action, { method: "POST", body: body(false) });
      if (!res.ok || res.headers.get("Concert-Exposure-Closed")) end();
    } catch {
      // No connection: what passes meanwhile is told with the next sign.
    }
  }

  function set(on) {
    if (on && over || on === held) return;
    held = on;
    veil.classList.toggle("open", on);
    if (!veil.matches(".bare")) veil.setAttribute("aria-pressed", String(on));
    count();
    if (on ? performance.now() - told > BEAT : owed >= 1000) beat();
  }

  veil.classList.add("scripted");
  if (!veil.matches(".bare")) {
    const hold = veil.dataset.veil === "hold";
    if (hold) {
      veil.addEventListener("pointerdown", (e) => {
        if (e.button !== 0) return;
        veil.setPointerCapture(e.pointerId);
        set(true);
      });
      for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) veil.addEventListener(name, () => set(false));
      veil.addEventListener("contextmenu", (e) => e.preventDefault());
    }
    veil.addEventListener("keydown", (e) => {
      if (e.key === " ") {
        if (!e.repeat) set(true);
      } else if (e.key === "Enter") {
        if (!e.repeat) set(!held);
      } else if (e.key === "Escape") {
        set(false);
      } else {
        return;
      }
      e.preventDefault();
    });
    veil.addEventListener("keyup", (e) => {
      if (e.key !== " ") return;
      set(false);
      e.preventDefault(); // no click
    });
    veil.addEventListener("click", () => { if (!hold) set(!held); });
    veil.addEventListener("blur", () => set(false));
    window.addEventListener("blur", () => set(false));
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) set(false);
    count();
  });
  window.addEventListener("pagehide", () => {
    if (over) return;
    const last = body(!stays);
    over = true;
    navigator.sendBeacon(form.action, last);
  });
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    if (over) return;
    const last = body(true);
    over = true;
    fetch(form.action, { method: "POST", body: last }).finally(end);
  });
  setInterval(() => { if (seen()) beat(); }, BEAT);
  count();
  beat(); // from here on it is measured
}
