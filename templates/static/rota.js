// Moving a shift in the calendar of a lead: with the arrow keys, each step said aloud, or by dragging it
// to another day. Both send what the form on the shift's own page sends, which stands without this.

const HOUR = 3600000;
const form = document.querySelector("[data-move]");
const said = document.querySelector("[data-moving]");
const STEPS = { ArrowUp: -24, ArrowDown: 24, ArrowLeft: -1, ArrowRight: 1 };

if (form) for (const row of document.querySelectorAll("tr[data-shift]")) movable(row);

function movable(row) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "hl-link-button hl-rota__move";
  button.textContent = "Move";
  const whose = document.createElement("span");
  whose.className = "govuk-visually-hidden";
  whose.textContent = ` ${row.dataset.who}, ${where(row, 0)}`;
  button.append(whose);
  row.querySelectorAll("td")[1].append(" ", button);
  let by = null; // hours; null: it is not being moved

  button.addEventListener("click", () => {
    if (by) return put(row, by);
    by = by === null ? 0 : null;
    say(by === null ? "Left where it was." : "Up and down by a day, left and right by an hour. Enter puts it there, Escape leaves it.");
    row.classList.toggle("hl-rota__moving", by !== null);
  });
  button.addEventListener("keydown", (event) => {
    if (by === null) return;
    if (event.key === "Escape") leave();
    else if (event.key in STEPS) {
      event.preventDefault();
      by += STEPS[event.key];
      say(`${row.dataset.who}: ${where(row, by)}. Enter puts it there, Escape leaves it.`);
    }
  });
  button.addEventListener("blur", () => by !== null && leave());

  function leave() {
    by = null;
    row.classList.remove("hl-rota__moving");
    say("Left where it was.");
  }

  row.draggable = true;
  for (const link of row.querySelectorAll("a")) link.draggable = false; // else its address is dragged
  row.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData("text/plain", row.dataset.shift);
    event.dataTransfer.effectAllowed = "move";
  });
}

for (const day of form ? document.querySelectorAll("tbody[data-day]") : []) {
  day.addEventListener("dragover", (event) => {
    event.preventDefault();
    day.classList.add("hl-rota__here");
  });
  day.addEventListener("dragleave", () => day.classList.remove("hl-rota__here"));
  day.addEventListener("drop", (event) => {
    event.preventDefault();
    day.classList.remove("hl-rota__here");
    const row = document.querySelector(`tr[data-shift="${Number(event.dataTransfer.getData("text/plain"))}"]`);
    if (!row) return;
    const days = (wall(`${day.dataset.day}T00:00`) - wall(`${row.dataset.starts.slice(0, 10)}T00:00`)) / HOUR;
    if (days) put(row, days);
  });
}

function put(row, hours) {
  form.action = `/rota/shifts/${row.dataset.shift}/move`;
  form.elements.days.value = Math.trunc(hours / 24);
  form.elements.hours.value = hours % 24;
  form.requestSubmit();
}

// The time on the wall as a number: no clock change lies in it, as none is meant.
function wall(text) {
  return Date.parse(`${text}Z`);
}

function where(row, hours) {
  const at = (text) => new Date(wall(text) + hours * HOUR);
  const day = { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" };
  const time = { hour: "2-digit", minute: "2-digit", timeZone: "UTC" };
  const [starts, ends] = [at(row.dataset.starts), at(row.dataset.ends)];
  return `${starts.toLocaleDateString("en-GB", day)}, ${starts.toLocaleTimeString("en-GB", time)} to ${ends.toLocaleTimeString("en-GB", time)}`;
}

function say(text) {
  said.textContent = text;
}
