// A lost connection, said where one looks and healed by itself. What was typed stays where it is, and
// nothing is sent into nowhere: before that the helpline is asked whether it is there. Used by
// console.js, whose streams notice first.

const PATIENCE = 1500; // ms: a page that is left, or a stream that is made anew, is no lost connection
const FIRST_TRY = 2000;
const LAST_TRY = 30000;
let since = null;
let waiting = 0;
let tries = 0;
let bar = null;

/** A stream broke off. `again` is called after a while that grows with every call. */
export function lost(again) {
  if (!since) {
    since = new Date();
    waiting = setTimeout(sayLost, PATIENCE);
  }
  if (again) setTimeout(again, Math.min(LAST_TRY, FIRST_TRY * 2 ** tries++));
}

/** A stream runs. Returns whether the connection had been lost, so that what was missed is asked for. */
export function back() {
  tries = 0;
  if (!since) return false;
  clearTimeout(waiting);
  since = null;
  if (bar) tell("Connected again: this page is up to date.", "back");
  return true;
}

function sayLost() {
  const at = since.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  tell(`No connection since ${at}. What you see may be old. It comes back by itself, and what you typed stays here.`, "lost");
}

function tell(text, state) {
  if (!bar) {
    bar = document.createElement("div");
    bar.setAttribute("role", "status");
    document.body.prepend(bar);
  }
  bar.className = `hl-connection hl-connection--${state}`;
  bar.textContent = text;
  const shown = bar;
  if (state === "back") setTimeout(() => { if (!since && bar === shown) { bar.remove(); bar = null; } }, 8000);
}

async function isThere() {
  const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
  return Boolean(answer?.ok);
}

document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    if (!since || form.method !== "post") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (await isThere()) {
      since = null;
      clearTimeout(waiting);
      form.requestSubmit(event.submitter);
    } else {
      tell("Nothing was sent: there is no connection. What you typed is still here. Press the button again in a moment.", "lost");
    }
  },
  true,
);
