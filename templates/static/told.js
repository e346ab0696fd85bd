// The console as an application of its own: its worker, and telling whoever wants it that an alert asks
// them while they look at something else. What is shown names nothing. Where a browser cannot do this
// nothing is shown of it, and the telephone is asked as always.

const SWITCH = "helpline-told"; // of this browser: "on", after somebody pressed the button
const LAST = "helpline-told-last"; // the number of the last asking that was shown: no two pages show one
const TAG = "helpline";
const POLL = 60_000; // ms
const SETTLED = 4000; // ms

const registered = register();
const canTell = "Notification" in window && "serviceWorker" in navigator;
const isOn = () => canTell && Notification.permission === "granted" && localStorage.getItem(SWITCH) === "on";

async function register() {
  if (!navigator.serviceWorker) return null; // an address without https
  return navigator.serviceWorker.register("/worker.js").catch(() => null);
}

// --- while nobody looks ---------------------------------------------------------------------------

let away = null; // ends the watch when somebody looks again

async function watch() {
  if (away || !document.hidden || !isOn()) return;
  away = new AbortController();
  const { signal } = away;
  // Of several pages one watches: a browser allows few streams to one server.
  await navigator.locks.request("helpline-told", { signal }, () => follow(signal)).catch(() => {});
}

async function follow(signal) {
  await look(location.pathname === "/inbox");
  if (signal.aborted) return null;
  return new Promise((done) => {
    const stream = new EventSource("/live/inbox");
    // Whom an alert asks is settled a moment after it is raised; and whoever sees no cases has no
    // stream, and is asked about other things.
    const poll = setInterval(look, POLL);
    const end = () => {
      stream.close();
      clearInterval(poll);
      done();
    };
    stream.addEventListener("changed", () => {
      look();
      setTimeout(look, SETTLED);
    });
    stream.addEventListener("ended", end);
    signal.addEventListener("abort", end);
  });
}

// `isSeen`: whoever leaves the inbox has just read what waits there.
async function look(isSeen) {
  const answer = await fetch("/live/asked", { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  const { asked } = await answer.json();
  if (!asked) return hush();
  if (asked <= Number(localStorage.getItem(LAST) ?? 0)) return;
  localStorage.setItem(LAST, asked);
  if (isSeen === true) return;
  const registration = await navigator.serviceWorker.ready;
  const icon = "/icons/192.png";
  const how = { body: "Something needs you.", tag: TAG, renotify: true, requireInteraction: true, icon, badge: icon };
  await registration.showNotification("Helpline", how).catch(() => {});
}

async function hush() {
  const registration = await registered;
  const shown = (await registration?.getNotifications({ tag: TAG }).catch(() => null)) ?? [];
  for (const one of shown) one.close();
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return watch();
  away?.abort();
  away = null;
  if (isOn()) hush();
});
watch();

// --- the switch on the page of one's own account --------------------------------------------------

const part = document.querySelector("[data-told]");
const button = (which) => part.querySelector(`[data-told-${which}]`);

function draw(words = "") {
  button("on").hidden = isOn();
  button("off").hidden = !isOn();
  part.querySelector("[data-told-said]").textContent = words;
}

async function turnOn() {
  const answer = await Notification.requestPermission();
  if (answer !== "granted") {
    return draw("This browser does not let the helpline tell you. Allow notifications for this address in its settings, then press again.");
  }
  localStorage.setItem(SWITCH, "on");
  draw("You are told here from now on, while the console is open in this browser.");
  button("off").focus();
}

function turnOff() {
  localStorage.removeItem(SWITCH);
  draw("You are not told here any more. Your telephone is asked as always.");
  button("on").focus();
}

if (part && canTell && navigator.locks) {
  part.hidden = false;
  draw();
  button("on").addEventListener("click", turnOn);
  button("off").addEventListener("click", turnOff);
}
