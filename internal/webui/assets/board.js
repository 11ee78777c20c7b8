// Keeps the wall board live. The server sends the board's inner part whenever
// the log has grown; this patches what differs, so that focus, selection and
// scrolling stay. Without it the page loads itself again.
const board = document.getElementById("board");
const live = document.getElementById("live");
const pause = document.getElementById("pause");
const SILENT = 40_000; // the server beats every 15 s

let source, lastHeard = performance.now(), paused = false;
let caseAt = 0, caseSeen = 0, rate = 1;

function patch(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    from.replaceWith(to.cloneNode(true));
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  const had = [...from.childNodes], has = [...to.childNodes];
  has.forEach((n, i) => (had[i] ? patch(had[i], n) : from.append(n.cloneNode(true))));
  had.slice(has.length).forEach((n) => n.remove());
}

// What the server rendered is the only text that becomes HTML.
const trusted = window.trustedTypes?.createPolicy("concert", { createHTML: (html) => html }) ?? { createHTML: (html) => html };

function show(html) {
  const next = document.createElement("template");
  next.innerHTML = trusted.createHTML(html);
  const wanted = board.cloneNode(false);
  wanted.append(next.content);
  patch(board, wanted);
  readClock();
  tick();
}

function readClock() {
  const clock = board.querySelector(".clock");
  if (!clock) return;
  caseAt = Date.parse(clock.dataset.now);
  rate = Number(clock.dataset.rate) || 1;
  caseSeen = performance.now();
}

const utc = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: "UTC" });
const local = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });

function tick() {
  if (!paused) {
    const now = caseAt + (performance.now() - caseSeen) * rate;
    const u = board.querySelector("#utc"), box = board.querySelector("#localbox"), l = board.querySelector("#local");
    if (u) u.textContent = utc.format(now).replace(",", "");
    if (l) {
      l.textContent = local.format(now).replace(",", "");
      box.hidden = false;
    }
    if (performance.now() - lastHeard > SILENT) say("lost", "▲", "No word from the server: these numbers are old");
  }
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
    document.documentElement.dataset.frame = e.lastEventId;
  });
  source.addEventListener("error", () => {
    say("lost", "▲", "Connection lost, trying again");
    // A refused stream is not tried again by the browser: the log-in may have ended.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => paused || open(), 5000);
  });
}

function heard() {
  lastHeard = performance.now();
  say("live", "●", "Live");
}

pause.hidden = false;
pause.addEventListener("click", () => {
  paused = !paused;
  pause.textContent = paused ? "Go on" : "Pause";
  if (paused) {
    source.close();
    say("paused", "‖", "Paused");
  } else {
    open();
  }
});

readClock();
tick();
setInterval(tick, 1000);
open();
