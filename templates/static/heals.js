// On the page that stands where there is no connection: looks for the helpline until it answers, then
// asks again for the page that was wanted. Typed text is with its own page; nothing is sent from here.

const said = document.querySelector("[data-connection-said]");

async function look() {
  const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  said.textContent = "The helpline answers again.";
  if (location.pathname === "/no-connection") location.assign("/");
  else location.reload();
}

setInterval(look, 4000);
addEventListener("online", look);
