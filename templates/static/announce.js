// What changes on a page by itself, said to whoever cannot see it: what is new among the pieces that
// are marked with data-announce. Alerts interrupt, all else waits. (connection.js says whether the page
// still follows.)

const LONG = 200; // letters
const known = new Set(keys());

function marked() {
  return [...document.querySelectorAll("[data-announce]")];
}

function keys() {
  return marked().map((one) => one.dataset.announce);
}

function announce(id, words) {
  const place = document.getElementById(id);
  if (!place || !words) return;
  place.textContent = "";
  setTimeout(() => (place.textContent = words), 50); // the same words twice are said twice
}

// What was there once is not new when it comes back to the list.
function look() {
  const fresh = marked().filter((one) => !known.has(one.dataset.announce));
  for (const one of fresh) known.add(one.dataset.announce);
  const said = (which) => [...new Set(fresh.filter((one) => one.dataset[which]).map((one) => wordsOf(one, which)))];
  announce("announced-now", shortened(said("announceNow")));
  announce("announced", shortened(said("announceWords")));
}

// With the first words of what it holds, where it says so.
function wordsOf(one, which) {
  const body = one.dataset.announceBody;
  const text = body ? (one.querySelector(`.${body}`)?.textContent.trim() ?? "no words") : "";
  return `${one.dataset[which]} ${text.slice(0, LONG)}`.trim();
}

function shortened(lines) {
  const rest = lines.length - 3;
  return lines.slice(0, 3).join(" ") + (rest > 0 ? ` And ${rest} more.` : "");
}

document.body.addEventListener("htmx:afterSettle", look);
