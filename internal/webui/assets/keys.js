// Keys. A page says what a key does by aria-keyshortcuts; this presses what is
// marked, opens the palette (Ctrl K) and the list of keys (?), and keeps a claim
// alive while its holder types. Without it every step is a link or a button.
const PAGES = { d: "/desk", i: "/items", s: "/submit", a: "/approvals", h: "/holds", l: "/second-looks", j: "/actions", r: "/referrals", o: "/orders" };
const PREFIX = 1500; // ms in which the second key of g follows
const RENEW = 120_000; // ms between two signs of work

// The letter on the key where it is Latin; else the place of the key, so that an
// Arabic layout works. Digits by place: a French layout has them above others.
function named(e) {
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(e.code);
  if (digit && !e.shiftKey) return digit[1];
  if (e.key === "؟") return "?";
  if (e.key.length !== 1 || e.key.charCodeAt(0) < 128) return e.key.length === 1 ? e.key.toLowerCase() : e.key;
  const letter = /^Key([A-Z])$/.exec(e.code);
  if (letter) return letter[1].toLowerCase();
  if (e.code === "Slash") return e.shiftKey ? "?" : "/";
  return e.key;
}

// A field in which one writes or chooses by typing.
const writes = (el) => el instanceof Element && el.closest("textarea, select, input:not([type=radio], [type=checkbox], [type=submit], [type=button]), [contenteditable=true]");

const shown = (el) => el && !el.disabled && el.getClientRects().length > 0;

const field = (el) => [...el.querySelectorAll("input:not([type=hidden]), select, textarea")].find(shown);

function find(key) {
  return [...document.querySelectorAll("[aria-keyshortcuts]")].find((el) => el.getAttribute("aria-keyshortcuts") === key && shown(el));
}

function press(el) {
  if (el.dataset.confirm !== undefined) return arm(el);
  if (el.matches("summary")) {
    el.parentElement.open = true;
    field(el.parentElement)?.focus();
  } else if (el.matches("form")) {
    field(el)?.focus();
  } else if (el.matches("input[type=radio], input[type=checkbox]")) {
    el.click();
    el.focus();
  } else {
    el.click();
  }
}

// A decision is made ready first and confirmed second.
function arm(button) {
  const form = button.form;
  for (const b of form.querySelectorAll("[data-confirm]")) b.classList.toggle("armed", b === button);
  const needs = button.dataset.confirm && document.getElementById(button.dataset.confirm);
  (needs && !needs.value.trim() ? needs : button).focus();
}

function send(el) {
  const form = el.closest("form");
  if (!form || form.method !== "post") return false;
  const decisions = form.querySelectorAll("[data-confirm]");
  const button = decisions.length ? form.querySelector(".armed") : form.querySelector("button[type=submit]");
  if (button) form.requestSubmit(button);
  else decisions[0]?.focus();
  return true;
}

function row(step) {
  const rows = [...document.querySelectorAll("main [data-row], main .queue tbody tr")].filter(shown);
  if (!rows.length) return false;
  const at = rows.findIndex((r) => r.contains(document.activeElement));
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + step))];
  const link = next.querySelector("a, button");
  link?.focus();
  link?.scrollIntoView({ block: "nearest" });
  return true;
}

// The inside of a dialog as the server makes it, parsed by the browser as a page
// is: no text is ever put together into HTML here (trusted types).
function part(path) {
  return new Promise((resolve) => {
    const ask = new XMLHttpRequest();
    ask.open("GET", path);
    ask.responseType = "document";
    ask.onload = () => {
      if (ask.status === 200 && new URL(ask.responseURL).pathname === new URL(path, location.href).pathname) {
        resolve([...ask.response.body.childNodes]);
        return;
      }
      location.href = path.replace(/part=1&?/, "");
      resolve(null);
    };
    ask.onerror = () => resolve(null);
    ask.send();
  });
}

let dialog;
function open(nodes, label) {
  dialog?.remove();
  dialog = document.createElement("dialog");
  dialog.className = "over";
  dialog.setAttribute("aria-label", label);
  dialog.append(...nodes);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (e) => e.target === dialog && dialog.close());
  dialog.showModal();
}

async function list() {
  const nodes = await part("/keys?part=1");
  if (nodes) open(nodes, document.querySelector("[data-keys]")?.textContent.trim() ?? "?");
}

async function palette() {
  const link = document.querySelector("[data-find]");
  if (!link) return;
  const nodes = await part("/find?part=1");
  if (!nodes) return;
  const label = link.dataset.find;
  const input = document.createElement("input"), answers = document.createElement("div");
  Object.assign(input, { type: "search", maxLength: 4096, autocomplete: "off", spellcheck: false, dir: "auto", placeholder: label, ariaLabel: label });
  answers.className = "answers";
  answers.append(...nodes);
  open([input, answers], label);
  input.focus();
  let asked = 0, timer;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const mine = ++asked;
      const found = await part("/find?part=1&q=" + encodeURIComponent(input.value));
      if (found && mine === asked) answers.replaceChildren(...found);
    }, 120);
  });
  dialog.addEventListener("keydown", (e) => {
    const targets = [...answers.querySelectorAll("a, button")];
    const at = targets.indexOf(document.activeElement);
    if (e.key === "ArrowDown") targets[Math.min(targets.length - 1, at + 1)]?.focus();
    else if (e.key === "ArrowUp") (at <= 0 ? input : targets[at - 1]).focus();
    else if (e.key === "Enter" && e.target === input) targets[0]?.click();
    else return;
    e.preventDefault();
  });
}

let prefix = 0;
function go(key) {
  prefix = 0;
  const link = PAGES[key] && document.querySelector(`nav.side a[href="${PAGES[key]}"]`);
  link?.click();
  return Boolean(link);
}

function plain(e, key) {
  if (e.timeStamp < prefix) return go(key);
  switch (key) {
    case "g": prefix = e.timeStamp + PREFIX; return true;
    case "j": return row(1);
    case "k": return row(-1);
    case "?": list(); return true;
    case "/": {
      const search = [...document.querySelectorAll("main input[type=search]")].find(shown);
      if (search) search.focus();
      else palette();
      return true;
    }
  }
  const el = find(key);
  if (el) press(el);
  return Boolean(el);
}

document.addEventListener("keydown", (e) => {
  if (e.defaultPrevented || e.isComposing) return;
  const key = named(e);
  if ((e.ctrlKey || e.metaKey) && !e.altKey) {
    if (key === "k" && !e.shiftKey) {
      e.preventDefault();
      if (!dialog?.open) palette();
    } else if (e.key === "Enter" && send(e.target)) {
      e.preventDefault();
    }
    return;
  }
  if (e.ctrlKey || e.metaKey || e.altKey || dialog?.open) return;
  if (writes(e.target)) {
    if (e.key === "Escape") e.target.blur();
    return;
  }
  if (plain(e, key)) e.preventDefault();
});

// A claim goes on while its holder works, and its end is told. Whoever begins to
// type on an item that nobody has claims it by that.
const lost = document.getElementById("claim-lost");
let ends;
function until(seconds) {
  clearTimeout(ends);
  if (lost && seconds > 0) ends = setTimeout(() => { lost.hidden = false; }, seconds * 1000);
}
const term = Number(document.getElementById("flow")?.dataset.left);
until(term);

for (const form of document.querySelectorAll("form[data-claim]")) {
  let last = 0;
  form.addEventListener("input", async (e) => {
    if (last && e.timeStamp - last < RENEW) return;
    last = e.timeStamp;
    const body = new URLSearchParams({ csrf: form.elements.csrf.value, quiet: "1" });
    try {
      const res = await fetch(form.dataset.claim, { method: "POST", body });
      if (res.ok) {
        if (lost) lost.hidden = true;
        until(Number(res.headers.get("Concert-Claim-Seconds")));
      } else if (res.status === 409) {
        if (lost) lost.hidden = false;
      }
    } catch {
      last = 0; // no connection: the next key tries again
    }
  });
}
