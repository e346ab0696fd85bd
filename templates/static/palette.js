// Commands by name: what can be done on this page (taken from the page itself, so that nothing is
// offered that is not there), the pages that are open to this person, the cases they opened last, and
// on being asked a case or a person by half a name. Nothing of it is kept in the browser.

import { keyOf, reach, show, write } from "./reach.js";

const dialog = document.getElementById("palette");
const box = document.getElementById("palette-asked");
const list = document.getElementById("palette-list");
const said = dialog?.querySelector("[data-palette-said]");
const SHOWN = 60;

let known = []; // what the server offers: pages and cases
let loading = Promise.resolve();
let found = null; // what a search found; null: it is being chosen from what is known
let shown = [];
let at = 0;

// --- what there is --------------------------------------------------------------------------------

async function ask(address, options) {
  const headers = { Accept: "application/json" };
  const answer = await fetch(address, { headers, cache: "no-store", ...options }).catch(() => null);
  if (!answer) throw new Error("No connection. Nothing was asked.");
  const isOurs = answer.headers.get("Content-Type")?.startsWith("application/json");
  if (answer.redirected || answer.status === 401) {
    throw new Error("You were signed out. Reload this page to sign in.");
  }
  if (!isOurs) throw new Error("That did not work. Try again.");
  return answer.json();
}

async function load() {
  const { pages, cases } = await ask("/palette");
  known = [
    ...cases.map((one) => link(one, "Opened lately")),
    ...pages.filter((one) => one.at !== location.pathname).map((one) => link(one, "Page")),
  ];
}

function link({ at: address, name, words }, kind) {
  return { name, words, kind, run: () => location.assign(address) };
}

// Everything on this page that has a name and leads to an act.
function acts() {
  const marks = keysOf();
  return ACTS.flatMap((these) => [...document.querySelectorAll(these)]).filter(isThere).map((element) => ({
    name: nameOf(element),
    words: "",
    kind: "On this page",
    key: marks.get(element),
    run: () => act(element),
  }));
}

// Those that stand first are offered first.
const ACTS = [
  "[data-command]",
  "main section[data-focus], main .hl-act[id]",
  "main a.govuk-button",
  "main .moj-sub-navigation a:not([aria-current])",
];

function isThere(element) {
  if (element.dataset.command) return true; // folded away or not: it is pressed where it stands
  const isFolded = element.parentElement?.closest("details:not([open])");
  return !isFolded && element.checkVisibility?.() !== false && nameOf(element);
}

function nameOf(element) {
  const title = element.matches("section") ? element.querySelector("h2") : element.querySelector("summary");
  return (element.dataset.command || (title ?? element).textContent).trim().replace(/\s+/g, " ");
}

function keysOf() {
  const marks = new Map();
  for (const { dataset } of document.querySelectorAll("[data-key]")) {
    if (dataset.act === "write") marks.set(document.getElementById(dataset.target), dataset.key);
    if (dataset.act === "focus") marks.set(document.getElementById(dataset.target), dataset.key);
  }
  return marks;
}

function act(element) {
  if (element.matches("a, button, summary")) return element.click();
  element.scrollIntoView({ block: "start" });
  if (write(element)) return;
  show(element);
  const first = "summary ~ * :is(input:not([type=hidden]), select, textarea, button, a)";
  reach(element.querySelector(first) ?? element.querySelector("summary, a, button"));
}

// --- choosing -------------------------------------------------------------------------------------

const wordsOf = (text) => text.toLowerCase().split(/[\s,.:;/()–]+/).filter(Boolean);

// 0: it begins so; 1: its name has these words; 2: what is said of it has; null: it does not fit.
function fit(one, asked) {
  if (one.name.toLowerCase().startsWith(asked.join(" "))) return 0;
  const has = (text) => asked.every((word) => wordsOf(text).some((its) => its.startsWith(word)));
  if (has(one.name)) return 1;
  return has(`${one.name} ${one.words}`) ? 2 : null;
}

function choose() {
  const asked = wordsOf(box.value);
  const all = [...acts(), ...known].map((one, place) => ({ one, place, score: fit(one, asked) }));
  const fits = all.filter(({ score }) => !asked.length || score !== null);
  if (asked.length) fits.sort((a, b) => a.score - b.score || a.place - b.place);
  const lines = fits.map(({ one }) => one).slice(0, SHOWN);
  if ("maySearch" in dialog.dataset && box.value.trim().length > 1) lines.push(search());
  draw(lines, lines.length ? "" : "Nothing is called that.");
}

function search() {
  const asked = box.value.trim();
  return { name: `Find people and cases: “${asked}”`, words: "", kind: "Search", stays: true, run: () => find(asked) };
}

async function find(asked) {
  said.textContent = "Looking…";
  const body = new URLSearchParams({ csrf: dialog.dataset.csrf, asked });
  try {
    const answer = await ask("/search", { method: "POST", body });
    if (box.value.trim() !== asked) return;
    found = answer.found.map((one) => link(one, ""));
    const more = answer.has_more ? " There are more: add a word." : "";
    const none = "Nothing that you may see has this. Try the beginning of a name.";
    draw(found, answer.problem ?? (found.length ? `${found.length} found.${more}` : none));
  } catch (problem) {
    said.textContent = problem.message;
  }
}

// --- showing --------------------------------------------------------------------------------------

function draw(lines, words) {
  [shown, at] = [lines, box.value ? 0 : -1]; // a hasty Enter does nothing before something is asked
  list.replaceChildren(...lines.map(option));
  said.textContent = words || (box.value ? `${lines.length} to choose from.` : "");
  mark();
}

function option(one, place) {
  const row = made("div", "hl-palette__option");
  row.id = `palette-option-${place}`;
  row.setAttribute("role", "option");
  const name = made("span", "hl-palette__name", one.name);
  if (one.words) name.append(made("span", "hl-palette__words", ` ${one.words}`));
  row.append(name, made("span", "hl-palette__kind", one.kind));
  if (one.key) row.append(made("kbd", "", one.key));
  row.addEventListener("click", () => run(one));
  return row;
}

function made(kind, name, text = "") {
  const element = document.createElement(kind);
  if (name) element.className = name;
  element.textContent = text;
  return element;
}

function mark() {
  for (const [place, row] of [...list.children].entries()) {
    row.setAttribute("aria-selected", String(place === at));
    if (place === at) row.scrollIntoView({ block: "nearest" });
  }
  list.hidden = !shown.length;
  box.setAttribute("aria-expanded", String(!list.hidden));
  if (shown[at]) box.setAttribute("aria-activedescendant", `palette-option-${at}`);
  else box.removeAttribute("aria-activedescendant");
}

function run(one) {
  if (!one) return;
  if (!one.stays) dialog.close();
  one.run();
}

async function open() {
  if (dialog.open) return dialog.close();
  [box.value, found] = ["", null];
  dialog.showModal();
  box.focus();
  choose();
  loading = load().then(
    () => found === null && choose(),
    (problem) => (said.textContent = problem.message),
  );
  await loading;
}

if (dialog?.showModal) {
  for (const button of document.querySelectorAll("[data-palette-open]")) {
    button.hidden = false;
    button.addEventListener("click", open);
  }
  document.addEventListener("keydown", (event) => {
    const isAsked = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (!isAsked || keyOf(event).toLowerCase() !== "k") return;
    event.preventDefault();
    open();
  });
  box.addEventListener("input", () => {
    found = null;
    choose();
  });
  box.addEventListener("keydown", async (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) {
      event.preventDefault();
      at = at < 0 && step < 0 ? shown.length - 1 : (at + step + shown.length) % shown.length;
      mark();
    }
    if (event.key !== "Enter") return;
    event.preventDefault();
    await loading; // keys may be quicker than the answer
    run(shown[at]);
  });
  dialog.querySelector("[data-palette-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}
