// Keeps the wall live. The server sends the panels that changed, at most once a
// second; this patches what differs in them, so that focus, selection, open
// definitions and scrolling stay. Coming back, the browser says the place in the
// log that it saw last. Without this the page loads itself again.
const board = document.getElementById("board");
const live = document.getElementById("live");
const pause = document.getElementById("pause");
const SILENT = 40_000; // the server beats every 15 s

let source, lastHeard = performance.now(), paused = false, seen = "";
let caseAt = 0, caseSeen = 0, rate = 1;
let plot = null;

function patch(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    from.replaceWith(to.cloneNode(true));
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  if (from.dataset.own !== undefined) return; // drawn here
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && !(name === "open" && from.nodeName === "DETAILS")) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  const had = [...from.childNodes].filter((n) => n.dataset?.own === undefined), has = [...to.childNodes];
  has.forEach((n, i) => (had[i] ? patch(had[i], n) : from.append(n.cloneNode(true))));
  had.slice(has.length).forEach((n) => n.remove());
}

// What the server rendered is the only text that becomes HTML.
const trusted = window.trustedTypes?.createPolicy("concert", { createHTML: (html) => html }) ?? { createHTML: (html) => html };

function show(html) {
  const next = document.createElement("template");
  next.innerHTML = trusted.createHTML(html);
  for (const panel of [...next.content.children]) {
    const here = document.getElementById(panel.id);
    if (here) patch(here, panel);
    else board.append(panel);
  }
  readClock();
  tick();
  draw();
}

function readClock() {
  const clock = board.querySelector(".clock");
  if (!clock) return;
  caseAt = Date.parse(clock.dataset.now);
  rate = Number(clock.dataset.rate) || 1;
  caseSeen = performance.now();
}

const local = new Intl.DateTimeFormat(document.documentElement.lang, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short", numberingSystem: "latn" });

function tick() {
  if (paused) return;
  const now = caseAt + (performance.now() - caseSeen) * rate;
  const u = board.querySelector("#utc"), box = board.querySelector("#localbox"), l = board.querySelector("#local");
  if (u) u.textContent = new Date(now).toISOString().slice(0, 19).replace("T", " ");
  if (l) {
    l.textContent = local.format(now);
    box.hidden = false;
  }
  for (const d of board.querySelectorAll("[data-due]")) countDown(d, Date.parse(d.dataset.due) - now);
  if (performance.now() - lastHeard > SILENT) say("lost", "▲", live.dataset.old);
}

// countDown says how long is left; the shape and the word come from the server.
function countDown(d, left) {
  const text = d.querySelector(".countdown"), fill = d.querySelector(".fill");
  if (!text) return;
  const s = Math.max(0, Math.floor(left / 1000)), pad = (n) => String(n).padStart(2, "0");
  text.textContent = left < 0 ? live.dataset.missed : s >= 86400 ? Math.floor(s / 86400) + " d " + pad(Math.floor(s / 3600) % 24) + " h" : pad(Math.floor(s / 3600)) + ":" + pad(Math.floor(s / 60) % 60) + ":" + pad(s % 60);
  fill?.setAttribute("width", String(Math.max(0, Math.min(100, (100 * left) / 3600000))));
}

// draw shows what was sent by time with uPlot, in place of the server's drawing;
// its table of numbers stays.
function draw() {
  const box = board.querySelector(".live-series");
  if (!box || !window.uPlot) return;
  const numbers = (s) => (s ? s.split(",").map(Number) : []);
  const data = [numbers(box.dataset.at), numbers(box.dataset.referred), numbers(box.dataset.acked)];
  if (data[0].length < 2) return;
  const width = box.clientWidth || 600;
  if (plot && plot.root.isConnected) {
    plot.setData(data);
    if (plot.width !== width) plot.setSize({ width, height: 180 });
    return;
  }
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
  const times = (_, at) => at.map((t) => new Date(t * 1000).toISOString().slice(5, 16).replace("T", " "));
  const drawing = document.createElement("div");
  drawing.dataset.own = "";
  drawing.setAttribute("aria-hidden", "true");
  box.prepend(drawing);
  plot = new window.uPlot({
    width, height: 180, tzDate: (t) => window.uPlot.tzDate(new Date(t * 1e3), "Etc/UTC"),
    axes: [{ ...axis, values: times, space: 90 }, axis], legend: { show: false }, cursor: { show: false },
    series: [{}, { label: box.dataset.name0, stroke: colour("--accent"), width: 2 }, { label: box.dataset.name1, stroke: colour("--wait"), width: 2, dash: [8, 4] }],
  }, data, drawing);
  new ResizeObserver(() => plot.root.isConnected && box.clientWidth && plot.width !== box.clientWidth && plot.setSize({ width: box.clientWidth, height: 180 })).observe(box);
}

// colour is a token as this page shows it now, light or dark.
function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = "var(" + name + ")";
  document.body.append(probe);
  const c = getComputedStyle(probe).color;
  probe.remove();
  return c;
}

function say(state, mark, text) {
  if (live.dataset.state === state) return;
  live.dataset.state = state;
  live.querySelector(".shape").textContent = mark;
  live.querySelector(".text").textContent = text;
}

function open() {
  source = new EventSource(live.dataset.stream);
  source.addEventListener("open", heard);
  source.addEventListener("beat", (e) => {
    heard();
    caseAt = Date.parse(e.data);
    caseSeen = performance.now();
  });
  source.addEventListener("board", (e) => {
    heard();
    show(e.data);
    seen = e.lastEventId;
    document.documentElement.dataset.frame = seen;
  });
  source.addEventListener("error", () => {
    say("lost", "▲", live.dataset.lost);
    // A refused stream is not tried again by the browser: the log-in may have ended.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => paused || open(), 5000);
  });
}

function heard() {
  lastHeard = performance.now();
  say("live", "●", live.dataset.live);
}

pause.hidden = false;
pause.addEventListener("click", () => {
  paused = !paused;
  pause.textContent = paused ? pause.dataset.on : pause.dataset.off;
  if (paused) {
    source.close();
    say("paused", "‖", live.dataset.paused);
  } else {
    open();
  }
});

readClock();
tick();
draw();
setInterval(tick, 1000);
open();
