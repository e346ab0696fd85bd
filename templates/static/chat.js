// The chat page and the form: the fast way out, messages that arrive by themselves, and sending that
// survives a poor connection. Loaded as a module; without it the page is a plain form.
// What is typed is kept in memory only: nothing of it is left on the device by this script.

// --- The way out: the button, or Escape three times ------------------------------------------------

const PRESSES = 3;
const WITHIN = 2000;
let pressed = [];
let leaving = false;

function leave() {
  leaving = true;
  document.body.classList.add("hl-site--left");
  document.title = "Weather";
  for (const box of document.querySelectorAll("textarea, input[type=text], input[type=tel], input[type=email], input[type=file]")) box.value = "";
  const away = document.body.dataset.exit;
  try {
    window.top.location.replace(away); // out of the other site's page as well
  } catch {
    location.replace(away);
  }
}

for (const link of document.querySelectorAll("[data-leave]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    leave();
  });
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.repeat) return;
  pressed = [...pressed.filter((at) => event.timeStamp - at < WITHIN), event.timeStamp];
  if (pressed.length >= PRESSES) leave();
});

document.querySelector("[data-problem]")?.focus();

// A page that comes back out of the browser's memory shows what was there: ask for it anew.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// --- The chat --------------------------------------------------------------------------------------

const chat = document.querySelector("[data-chat]");
if (chat) start(chat);

function start(root) {
  const form = root.querySelector("form");
  const box = root.querySelector("#text");
  const list = root.querySelector("#messages");
  const screen = root.querySelector("#screen");
  const state = root.querySelector("#state");
  const none = root.querySelector("#none");
  const count = root.querySelector("#text-count");
  const picker = root.querySelector("#file");
  const unchoose = root.querySelector("[data-unchoose]");
  const typing = root.querySelector("#typing");
  const longest = Number(box.dataset.longest);
  const largest = Number(picker.dataset.largest);
  const suffix = root.dataset.suffix;
  const waiting = []; // {id, key, text, file, line}, in the order in which they were written
  let stamp = root.dataset.stamp;
  let sending = false;
  let failures = 0;
  let refreshing = false;
  let again = false;

  const query = (values) => {
    const parts = new URLSearchParams(suffix);
    for (const [name, value] of Object.entries(values)) parts.set(name, value);
    return `?${parts}`;
  };
  // What only a chat that has begun needs, and what it no longer needs.
  function begun() {
    none.hidden = true;
    document.querySelector("[data-intro]").hidden = true;
    document.querySelector("[data-forget]").hidden = false;
  }
  const toTheEnd = () => (screen.scrollTop = screen.scrollHeight);
  const say = (text) => {
    if (state.textContent !== text) state.textContent = text;
  };

  // --- Showing

  async function refresh() {
    if (refreshing) {
      again = true;
      return;
    }
    refreshing = true;
    try {
      const answer = await fetch(`/chat/messages${query({ seen: stamp })}`, { signal: AbortSignal.timeout(15000) });
      if (answer.status === 200) await show(await answer.text());
    } finally {
      refreshing = false;
    }
    if (again) {
      again = false;
      await refresh();
    }
  }

  async function show(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("ol");
    if (!fresh) return;
    stamp = fresh.dataset.stamp;
    const atTheEnd = screen.scrollHeight - screen.scrollTop - screen.clientHeight < 60;
    let last = null;
    for (const line of [...fresh.children]) {
      const key = line.dataset.key;
      line.removeAttribute("id");
      const old = list.querySelector(`[data-key="${key}"]`);
      const sent = waiting.findIndex((one) => one.key === key);
      if (sent >= 0) waiting.splice(sent, 1); // it did arrive, whatever became of the answer
      if (old) {
        old.classList.remove("hl-bubble--waiting");
        const [was, is] = [old, line].map((one) => one.querySelector(".hl-bubble__when"));
        if (was.textContent !== is.textContent) was.textContent = is.textContent;
        last = old;
        continue;
      }
      if (line.classList.contains("hl-bubble--got")) theyType("");
      if (last) {
        last.after(line);
        last = line;
      } else {
        list.prepend(line);
        last = line;
      }
    }
    if (list.children.length) begun();
    if (fresh.dataset.reference && !waiting.length) say(`Your reference is ${fresh.dataset.reference}.`);
    if (atTheEnd) toTheEnd();
  }

  // --- Sending: one after the other, the same id every time, until it is there

  function newId() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
  }

  function drawn(text, file, key) {
    const line = document.createElement("li");
    line.className = "hl-bubble hl-bubble--typed hl-bubble--waiting";
    line.dataset.key = key;
    const named = file ? `File: ${file.name}` : "";
    for (const [part, words] of [["who", "You"], ["file", named], ["text", text], ["when", "sending"]]) {
      if (!words) continue;
      const span = document.createElement("span");
      span.className = `hl-bubble__${part}`;
      span.textContent = words;
      line.append(span);
    }
    list.append(line);
    begun();
    toTheEnd();
    return line;
  }

  function problem(sentence) {
    const error = root.querySelector("#text-error");
    error.hidden = !sentence;
    error.querySelector("[data-sentence]").textContent = sentence;
    root.querySelector("#write").classList.toggle("govuk-form-group--error", Boolean(sentence));
    box.classList.toggle("govuk-textarea--error", Boolean(sentence));
    if (sentence) {
      box.setAttribute("aria-invalid", "true");
      box.focus();
    } else box.removeAttribute("aria-invalid");
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = box.value.trim();
    const length = [...text].length;
    const file = picker.files[0] ?? null;
    if (!text && !file) return problem("Write your message first.");
    if (file && file.size > largest) {
      return problem(`This file is too large: ${largest / 1024 ** 2} MB at most. Send a smaller one, or a photo of it.`);
    }
    if (length > longest) {
      const over = (length - longest).toLocaleString("en-GB");
      return problem(`Your message is ${over} characters too long. Shorten it, or send it in two parts.`);
    }
    problem("");
    box.value = "";
    choose(null);
    counted();
    box.focus();
    const id = newId();
    const key = `in-${id}`; // so the server will name this line
    waiting.push({ id, key, text, file, line: drawn(text, file, key) });
    flush();
  });

  async function flush() {
    if (sending) return;
    sending = true;
    while (waiting.length && !leaving) {
      const one = waiting[0];
      const pause = await attempt(one);
      if (pause > 0) {
        one.line.querySelector(".hl-bubble__when").textContent = "not sent yet, trying again";
        await rest(pause);
      }
    }
    sending = false;
  }

  // Seconds to wait before the next try; 0 when this one is done with.
  async function attempt(one) {
    let answer;
    try {
      const headers = { "X-Requested-With": "chat" };
      const signal = AbortSignal.timeout(one.file ? 150000 : 25000);
      answer = await fetch(`/chat${suffix}`, { method: "POST", body: bodyOf(one), headers, signal });
    } catch {
      say("No connection. Your message is kept on this page and sent when the connection is back.");
      return later();
    }
    if (answer.status === 429) {
      say("You are writing very fast. Your message is sent in a moment.");
      return Number(answer.headers.get("Retry-After")) || 5;
    }
    if (answer.status >= 500) {
      say("We could not take your message just now. It is sent again by itself.");
      return later();
    }
    failures = 0;
    if (!waiting.includes(one)) return 0; // the list showed it meanwhile
    waiting.splice(waiting.indexOf(one), 1);
    if (answer.ok) {
      one.line.querySelector(".hl-bubble__when").textContent = "arrived";
      one.line.classList.remove("hl-bubble--waiting");
      say("Your message has arrived.");
      refresh().catch(() => {});
    } else {
      one.line.remove();
      box.value = [one.text, box.value].filter(Boolean).join("\n");
      if (one.file && !picker.files.length) choose(one.file);
      const sentence = answer.headers.get("Content-Type")?.startsWith("text/plain") ? await answer.text() : "";
      problem(sentence || "This could not be sent. Load the page again and try once more.");
    }
    return 0;
  }

  function bodyOf(one) {
    if (!one.file) return new URLSearchParams({ id: one.id, text: one.text });
    const body = new FormData();
    body.set("id", one.id);
    body.set("text", one.text);
    body.set("file", one.file, one.file.name);
    return body;
  }

  // Put a file into the field, or null: take it off.
  function choose(file) {
    const chosen = new DataTransfer();
    if (file) chosen.items.add(file);
    picker.files = chosen.files;
    unchoose.hidden = !file;
  }

  picker.addEventListener("change", () => {
    unchoose.hidden = !picker.files.length;
    problem("");
  });
  unchoose.addEventListener("click", () => {
    choose(null);
    picker.focus();
  });

  function later() {
    failures += 1;
    return Math.min(2 ** failures, 30);
  }

  // The connection coming back ends the rest early.
  function rest(seconds) {
    return new Promise((done) => {
      const timer = setTimeout(finish, seconds * 1000);
      function finish() {
        clearTimeout(timer);
        window.removeEventListener("online", finish);
        done();
      }
      window.addEventListener("online", finish);
    });
  }

  // --- Hearing: a socket that says when to look; without it, looking every few seconds

  let pause = 2;
  let isHearing = false;
  let tell = () => {}; // that somebody types here; never what

  function listen() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/chat/socket${query({ seen: stamp })}`);
    socket.addEventListener("open", () => {
      isHearing = true;
      pause = 2;
    });
    tell = () => isHearing && socket.send("typing");
    socket.addEventListener("message", ({ data }) => {
      if (data === "typing") theyType("A support worker is typing…");
      else refresh().catch(() => {});
    });
    socket.addEventListener("close", () => {
      isHearing = false;
      theyType("");
      setTimeout(listen, pause * 1000);
      pause = Math.min(pause * 2, 60);
    });
    window.addEventListener("pagehide", () => socket.close(), { once: true });
  }

  setInterval(() => {
    if (!isHearing && !document.hidden) refresh().catch(() => {});
  }, 5000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh().catch(() => {});
  });
  window.addEventListener("online", () => refresh().catch(() => {}));

  // --- Typing

  function counted() {
    const left = longest - [...box.value].length;
    const near = left < longest / 8;
    const words = left >= 0 ? `${left.toLocaleString("en-GB")} characters left` : `${(-left).toLocaleString("en-GB")} characters too many`;
    count.textContent = near ? words : "";
  }

  // It is told every few seconds, and forgotten soon after it was last told.
  let quiet = 0;
  function theyType(text) {
    clearTimeout(quiet);
    if (typing.textContent !== text) typing.textContent = text;
    if (text) quiet = setTimeout(() => theyType(""), 6000);
  }

  let told = -Infinity;
  box.addEventListener("input", (event) => {
    counted();
    if (!box.value.trim() || event.timeStamp - told < 3000) return;
    told = event.timeStamp;
    tell();
  });
  box.addEventListener("keydown", (event) => {
    const isTouch = matchMedia("(pointer: coarse)").matches;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || isTouch) return;
    event.preventDefault();
    form.requestSubmit();
  });
  window.addEventListener("beforeunload", (event) => {
    if (waiting.length && !leaving) event.preventDefault();
  });

  counted();
  toTheEnd();
  listen();
  refresh().catch(() => {});
}
