// The board of allocations by keyboard: 1 to 3 name a proposal and go on, u undoes, a shows all.
// Every key presses a button of a plain form that is on the page; without this script they are that.
// Rows stay where they are until the page is asked for again, so that no key meets another case.

const board = document.getElementById("board");
const said = document.querySelector("[data-board-said]");
const done = []; // what can be undone, the last at the end: { row, before, after }
let line = Promise.resolve(); // one request after another, in the order of the keys

const areOn = () => localStorage.getItem("helpline-keys") !== "off";
const rows = () => [...board.querySelectorAll("[data-case]:not([data-done])")];
const row = (from) => from?.closest?.("[data-case]:not([data-done])");
const first = (of) => of?.querySelector("[data-row]") ?? of?.querySelector("summary, a");

function next(after) {
  const all = [...board.querySelectorAll("[data-case]")];
  const from = all.indexOf(after);
  const rest = [...all.slice(from + 1), ...all.slice(0, from)];
  return rest.find((one) => !("done" in one.dataset));
}

function move(step) {
  const all = rows();
  const here = all.indexOf(row(document.activeElement));
  const to = here < 0 ? (step > 0 ? 0 : all.length - 1) : here + step;
  first(all[Math.max(0, Math.min(all.length - 1, to))])?.focus();
}

function choose(number) {
  const here = row(document.activeElement) ?? rows()[0];
  here?.querySelectorAll(".hl-choice")[number - 1]?.click();
}

async function ask(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  const answer = await fetch(form.getAttribute("action"), {
    method: "POST",
    body,
    headers: { "Asked-By": "board" },
    redirect: "manual",
  });
  const text = await answer.text();
  if (answer.status === 401) throw new Error("You were signed out. Reload this page to sign in.");
  if (!answer.ok) throw new Error(answer.status < 500 && text ? text : "That did not work. Try again.");
  return text;
}

function name(form, submitter) {
  const here = row(form);
  if (!here) return;
  const before = [...here.childNodes];
  const body = submitter?.name ? submitter : undefined;
  here.dataset.done = "";
  here.setAttribute("aria-busy", "true");
  first(next(here))?.focus();
  line = line.then(async () => {
    try {
      const text = await ask(form, body);
      const after = document.createElement("template");
      after.innerHTML = text;
      here.replaceChildren(after.content);
      here.classList.add("hl-named");
      here.removeAttribute("aria-busy");
      if (here.querySelector("[data-undo]")) done.push({ here, before });
      tell(here.querySelector(".hl-named__text")?.textContent);
    } catch (error) {
      back(here, before);
      problem(here, error.message);
    }
  });
}

function undo(form) {
  const at = done.findIndex(({ here }) => here.contains(form));
  if (at < 0) return false;
  const [{ here, before }] = done.splice(at, 1);
  line = line.then(async () => {
    try {
      await ask(form);
      back(here, before);
      first(here)?.focus();
      tell(`Undone: ${here.dataset.case} waits again.`);
    } catch (error) {
      tell(error.message);
    }
  });
  return true;
}

function back(here, before) {
  here.replaceChildren(...before);
  here.classList.remove("hl-named");
  here.removeAttribute("aria-busy");
  delete here.dataset.done;
}

function problem(here, text) {
  const place = here.querySelector("[data-problem]");
  if (place) [place.textContent, place.hidden] = [text, false];
  tell(`${here.dataset.case}: ${text}`);
}

function tell(text) {
  const left = rows().length + board.querySelectorAll("[aria-busy]").length;
  said.textContent = `${text ?? ""} ${left ? `${left} left.` : "That was the last."}`;
}

if (board) {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-name]")) {
      event.preventDefault();
      name(form, event.submitter);
    } else if (form.matches("[data-undo]") && undo(form)) event.preventDefault();
  });

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !areOn()) return;
    const act = {
      1: () => choose(1),
      2: () => choose(2),
      3: () => choose(3),
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      u: () => line.then(() => done.at(-1)?.here.querySelector("[data-undo]").requestSubmit()),
      a: () => line.then(() => location.assign("/allocate/all")),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  first(rows()[0])?.focus({ preventScroll: true });
}
