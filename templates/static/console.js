// What the console's pages do beyond plain links and forms: follow what happens, shortcuts, count
// text messages, warn before typed text is lost. Loaded on every page; everything works without it.

import { back, lost } from "./connection.js";
import { keyOf, reach, show, write } from "./reach.js";
import { partsOf } from "./segments.js";

// --- live: an element with data-live follows a stream and is told "live" when something changed ----

for (const element of document.querySelectorAll("[data-live]")) follow(element);

function follow(element) {
  let stream = null;
  let hasEnded = false;

  function open() {
    if (stream || hasEnded || document.hidden) return;
    stream = new EventSource(element.dataset.live);
    stream.addEventListener("changed", () => {
      typing("");
      htmx.trigger(element, "live");
    });
    stream.addEventListener("typing", () => typing("They are typing…"));
    stream.addEventListener("open", () => {
      say("This page follows what happens.");
      if (back()) htmx.trigger(element, "live");
    });
    stream.addEventListener("error", () => {
      say("Not connected. Trying again.");
      // Where the browser gives up, because an answer was no stream, we go on.
      if (stream?.readyState === EventSource.CLOSED) goOn();
      else lost();
    });
    stream.addEventListener("ended", goOn);
  }

  // They were signed out, or the helpline is started anew.
  async function goOn() {
    close();
    say("Not connected. Trying again.");
    hasEnded = await coverIfSignedOut();
    if (!hasEnded) lost(open);
  }

  // A browser allows few streams to one server: only the page that is looked at keeps its own.
  function close() {
    if (stream) stream.close();
    stream = null;
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return close();
    open();
    htmx.trigger(element, "live");
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  open();
}

// Whoever was signed out leaves no case on the screen; what was typed stays, to be copied. Returns
// whether they were.
async function coverIfSignedOut() {
  const answer = await fetch("/account", { redirect: "manual", cache: "no-store" }).catch(() => null);
  const main = document.querySelector("main");
  if (answer?.type !== "opaqueredirect" || !main) return false;
  const typed = [...main.querySelectorAll("textarea")].filter((one) => one.value !== one.defaultValue);
  const told = document.createElement("p");
  told.className = "govuk-body";
  told.textContent = "You were signed out, so what stood here is hidden. ";
  const link = document.createElement("a");
  link.className = "govuk-link";
  link.href = `/login?next=${encodeURIComponent(location.pathname)}`;
  link.textContent = "Sign in";
  told.append(link);
  for (const one of typed) {
    one.readOnly = true;
    one.setAttribute("aria-label", "What you had typed");
  }
  if (typed.length) told.append(". What you had typed is still here: copy it first.");
  main.replaceChildren(told, ...typed);
  document.title = "Signed out – Helpline";
  return true;
}

// It is told every few seconds, and forgotten soon after it was last told.
let quiet = 0;
function typing(text) {
  clearTimeout(quiet);
  for (const place of document.querySelectorAll("[data-typing-state]")) {
    if (place.textContent !== text) place.textContent = text;
  }
  if (text) quiet = setTimeout(() => typing(""), 6000);
}

function say(text) {
  for (const place of document.querySelectorAll("[data-live-state]")) {
    place.hidden = false;
    if (place.textContent !== text) place.textContent = text;
  }
}

document.body.addEventListener("htmx:afterSwap", () => {
  for (const place of document.querySelectorAll("[data-live-state][hidden]")) place.hidden = false;
});
// Signed out meanwhile: the answer says where to go.
document.body.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) say("You were signed out. Reload this page to sign in.");
});

// --- shortcuts: one key each, never while typing, and they can be switched off --------------------

const SWITCH = "helpline-keys";
const acts = {
  row: (step) => row(Number(step)),
  write: (id) => write(document.getElementById(id)),
  focus: (id) => reach(document.getElementById(id)),
  press: (what) => document.querySelector(what)?.click(),
  go: (address) => location.assign(address),
};
// Which key does what is said on the page itself (web/shortcuts.py).
const keys = new Map();
for (const { dataset } of document.querySelectorAll("[data-key]")) {
  keys.set(dataset.key, () => acts[dataset.act]?.(dataset.target));
}

for (const help of document.querySelectorAll("[data-keys]")) {
  help.hidden = false;
  const box = help.querySelector("[data-keys-switch]");
  box.checked = areOn();
  box.addEventListener("change", () => localStorage.setItem(SWITCH, box.checked ? "on" : "off"));
}

// Whoever writes a sentence where no field has the focus means no shortcut: a letter that is none
// makes the letters that follow it at once mean nothing either.
const WORD = 1000; // ms
let wordUntil = 0;
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !areOn()) return;
  if (!keys.size || event.key.length > 1 || document.querySelector("dialog[open]")) return;
  const key = keyOf(event);
  if (!keys.has(key) || event.timeStamp < wordUntil) {
    wordUntil = event.timeStamp + WORD;
    return;
  }
  event.preventDefault();
  keys.get(key)();
});

// Ctrl and Enter (or Command and Enter) sends what is being written.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest("textarea")?.form;
  if (!form) return;
  event.preventDefault();
  form.requestSubmit();
});

function areOn() {
  return localStorage.getItem(SWITCH) !== "off";
}

function row(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const here = rows.indexOf(document.activeElement);
  const next = here < 0 ? (step > 0 ? 0 : rows.length - 1) : here + step;
  rows[Math.max(0, Math.min(rows.length - 1, next))]?.focus();
}

// A link to a part that is written in (#reply, #note, #call, …) unfolds it and puts the cursor there,
// before another key can be pressed; unfolding it by its own title does the same.
function showHash() {
  if (location.hash.length > 1) write(document.getElementById(location.hash.slice(1)));
}
window.addEventListener("hashchange", showHash);
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const hash = link.getAttribute("href");
  const element = document.getElementById(hash.slice(1));
  if (!element?.dataset.focus) return show(element);
  event.preventDefault(); // following the link would take the cursor away again
  if (location.hash !== hash) history.pushState(null, "", hash);
  element.scrollIntoView();
  write(element);
});
document.addEventListener("click", (event) => {
  const folded = event.target.closest("summary")?.parentElement;
  if (folded?.dataset.focus && !folded.open) setTimeout(() => write(folded));
});
showHash();

// --- a day or time that is half typed, or that no calendar has --------------------------------------

// A browser sends nothing for it, so that it would be lost without a word: it is said here, and what
// was typed stays. Without this script the browser says it itself.
const DATES = "input[type=date], input[type=time], input[type=datetime-local]";
for (const field of document.querySelectorAll(DATES)) if (field.form) field.form.noValidate = true;

document.addEventListener(
  "submit",
  (event) => {
    const wrong = [...event.target.querySelectorAll(DATES)].filter(isHalf);
    if (!wrong.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    show(wrong[0].closest("details"));
    wrong[0].focus();
  },
  true,
);

function isHalf(field) {
  const id = `${field.id}-half`;
  document.getElementById(id)?.remove();
  field.classList.toggle("govuk-input--error", field.validity.badInput);
  if (!field.validity.badInput) return false;
  const said = document.createElement("p");
  said.id = id;
  said.className = "govuk-error-message";
  said.setAttribute("role", "alert");
  said.textContent =
    field.type === "datetime-local"
      ? "Give a day that there is, and the time as well. Nothing was saved yet."
      : "Give it whole, as there is one. Nothing was saved yet.";
  field.before(said);
  field.setAttribute("aria-describedby", id);
  return true;
}

// On a telephone the tabs are a line that scrolls: where one is, is in sight.
for (const here of document.querySelectorAll(".hl-tabs [aria-current]")) {
  const line = here.closest("ul");
  line.scrollLeft = here.offsetLeft - line.offsetLeft - 24;
}

// --- how many text messages a reply takes ---------------------------------------------------------

for (const field of document.querySelectorAll("[data-segments]")) {
  const place = document.getElementById(field.dataset.segments);
  if (!place) continue;
  const empty = place.textContent;
  const count = () => {
    const { places, count: texts, strange } = partsOf(field.value);
    const why = strange ? ` “${strange}” makes each text shorter.` : "";
    place.textContent = places
      ? `${places} letters, ${texts} text message${texts === 1 ? "" : "s"}.${why}`
      : empty;
  };
  field.addEventListener("input", count);
  count();
}

// --- a chat's other side sees that somebody types: that, and no words ------------------------------

for (const field of document.querySelectorAll("[data-typing]")) {
  if (!field.dataset.typing) continue;
  let told = -Infinity;
  field.addEventListener("input", (event) => {
    if (!field.value.trim() || event.timeStamp - told < 3000) return;
    told = event.timeStamp;
    const body = new URLSearchParams({ csrf: field.form.elements.csrf.value });
    fetch(field.dataset.typing, { method: "POST", body, keepalive: true }).catch(() => {});
  });
}

// --- what was typed is not thrown away without asking ---------------------------------------------

const guarded = new Set();
for (const form of document.querySelectorAll("form[data-guard]")) {
  form.addEventListener("input", (event) => {
    if (event.target.matches("textarea")) guarded.add(form);
  });
}
document.addEventListener("submit", (event) => guarded.delete(event.target));
window.addEventListener("beforeunload", (event) => {
  const areTyped = [...guarded].some(
    (form) => !form.dataset.kept && form.querySelector("textarea")?.value.trim(),
  );
  if (areTyped) event.preventDefault();
});
