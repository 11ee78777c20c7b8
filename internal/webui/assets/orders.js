// Removal orders: lets the minutes of a legal clock go on, changes its shape at 30, 10
// and 0 minutes and tells people who listen only then; hears of alarms at once, while the
// page is seen; counts the characters of a statement. Without it every page says how it
// was when it was loaded.
const opened = performance.now();
const MINUTE = 60_000;

function span(el, ms) {
  const m = Math.floor(ms / MINUTE);
  if (m < 1) return el.dataset.less;
  if (m < 120) return el.dataset.min.replace("{m}", m);
  return el.dataset.hour.replace("{h}", Math.floor(m / 60)).replace("{m}", m % 60);
}

function stage(left) {
  return left < 0 ? "over" : left <= 10 * MINUTE ? "near" : left <= 30 * MINUTE ? "soon" : "calm";
}

const TONES = { over: "bad", near: "bad", soon: "wait", calm: "go" };

function tick() {
  for (const el of document.querySelectorAll(".counting[data-ends]")) {
    el.seenAt ??= performance.now();
    const rate = Number(el.dataset.rate) || 1;
    const now = Date.parse(el.dataset.now) + (performance.now() - (el.fromPage ? opened : el.seenAt)) * rate;
    const left = Date.parse(el.dataset.ends) - now;
    if (Math.abs(left) >= 2880 * MINUTE) continue; // days: as the server said it
    const text = left < 0 ? el.dataset.over.replace("{}", span(el, -left)) : el.dataset.left.replace("{}", span(el, left));
    const shown = el.querySelector(".left");
    if (shown.textContent !== text) shown.textContent = text;
    const whole = Date.parse(el.dataset.ends) - Date.parse(el.dataset.begun);
    if (whole > 0) for (const p of el.querySelectorAll(".rest")) p.setAttribute("stroke-dasharray", Math.max(0, Math.min(100, (100 * left) / whole)).toFixed(1) + " 100");
    const at = stage(left);
    if (el.dataset.stage === at) continue;
    el.classList.remove(TONES[el.dataset.stage]);
    el.classList.add(TONES[at]);
    el.dataset.stage = at;
    const told = el.querySelector("[data-told]");
    if (told) told.textContent = el.querySelector(".term").textContent + ": " + text;
  }
}

for (const el of document.querySelectorAll(".counting[data-ends]")) el.fromPage = true;
tick();
setInterval(tick, 1000);

// What the server made comes as a page that the browser parses: no text is put together
// into HTML here (trusted types).
function part(path) {
  return new Promise((resolve) => {
    const ask = new XMLHttpRequest();
    ask.open("GET", path);
    ask.responseType = "document";
    ask.onload = () => resolve(ask.status === 200 && new URL(ask.responseURL).pathname === new URL(path, location.href).pathname ? ask.response : null);
    ask.onerror = () => resolve(null);
    ask.send();
  });
}

const alarms = document.getElementById("order-alarms");

async function renew() {
  const news = await part(alarms.dataset.part);
  const list = news?.querySelector("[data-alarms]");
  if (!list) return;
  alarms.dataset.seen = list.dataset.seen;
  alarms.replaceChildren(...list.childNodes);
  const here = document.getElementById("order-now"), now = news.querySelector("[data-now]");
  if (here && now) {
    const version = (el) => el.querySelector("[data-version]")?.dataset.version;
    const changed = document.getElementById("order-changed");
    if (changed && version(here) !== version(now)) changed.hidden = false;
    // Who did what stands on the page that was loaded; the script is told the states only.
    here.replaceChildren(...now.childNodes);
  }
  tick();
}

// One stream a page, and only while it is seen: a browser has few connections to a host.
let source, again;
function listen() {
  clearTimeout(again);
  if (document.hidden || source) return;
  const url = new URL(alarms.dataset.stream, location.href);
  url.searchParams.set("seen", alarms.dataset.seen);
  source = new EventSource(url);
  source.addEventListener("orders", renew);
  source.addEventListener("error", () => {
    if (source?.readyState !== EventSource.CLOSED) return;
    source = undefined;
    again = setTimeout(listen, 15_000);
  });
}

function hush() {
  source?.close();
  source = undefined;
}

if (alarms) {
  document.addEventListener("visibilitychange", () => (document.hidden ? hush() : listen()));
  addEventListener("pagehide", hush);
  addEventListener("pageshow", listen);
  listen();
}

for (const out of document.querySelectorAll("output[data-counts]")) {
  const field = document.getElementById(out.dataset.counts);
  const count = () => {
    const n = [...field.value.trim()].length;
    out.textContent = n;
    out.classList.toggle("short", n < Number(out.dataset.least));
  };
  field.addEventListener("input", count);
  count();
}
