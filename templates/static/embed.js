// Puts the helpline's chat into a page of the provider's own site:
//   <script src="https://helpline.example.org/static/embed.js" data-contract="essex" async></script>
// The page's origin has to stand in HELPLINE_EMBED_ORIGINS. The script reads nothing of the page and
// leaves nothing on it but a button and a frame; Escape three times leaves the whole page.

(() => {
  const own = document.currentScript;
  const home = new URL(own.src).origin;
  const away = own.dataset.exit || "https://www.bbc.co.uk/weather";
  const contract = own.dataset.contract ? `&contract=${encodeURIComponent(own.dataset.contract)}` : "";

  const place = document.createElement("div");
  Object.assign(place.style, { position: "fixed", right: "16px", bottom: "16px", zIndex: "2147483000" });

  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Chat with the helpline";
  button.setAttribute("aria-expanded", "false");
  Object.assign(button.style, {
    font: "bold 18px/1.3 system-ui, sans-serif",
    padding: "12px 18px",
    border: "2px solid #fff",
    borderRadius: "8px",
    background: "#17475a",
    color: "#fff",
    cursor: "pointer",
  });

  let frame = null;

  function open() {
    frame = document.createElement("iframe");
    frame.title = "Chat with the helpline";
    frame.src = `${home}/chat?embed=1${contract}`;
    frame.referrerPolicy = "origin";
    Object.assign(frame.style, {
      display: "block",
      width: "min(420px, calc(100vw - 32px))",
      height: "min(640px, calc(100vh - 110px))",
      marginBottom: "8px",
      border: "1px solid #33444e",
      borderRadius: "8px",
      background: "#eef4f5",
    });
    place.insertBefore(frame, button);
  }

  button.addEventListener("click", () => {
    const isShown = frame !== null && frame.style.display !== "none";
    if (frame === null) open();
    else frame.style.display = isShown ? "none" : "block";
    button.setAttribute("aria-expanded", String(!isShown));
    button.textContent = isShown ? "Chat with the helpline" : "Hide the chat";
    if (!isShown) frame.focus();
  });

  let pressed = [];
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.repeat) return;
    pressed = [...pressed.filter((at) => event.timeStamp - at < 2000), event.timeStamp];
    if (pressed.length < 3) return;
    document.body.replaceChildren();
    location.replace(away);
  });

  place.append(button);
  document.body.append(place);
})();
