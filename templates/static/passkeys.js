// Passkeys: asks the browser for one and sends what it gives as an ordinary form. A form with
// data-passkey names the address of its challenge; data-passkey-into, the field for the answer;
// data-passkey-makes, that a new one is to be made, and of which kind. Without this script other ways in stand beside it.

const canDo = Boolean(window.PublicKeyCredential && navigator.credentials);

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("[data-passkey-use]");
  if (!button || !canDo) continue;
  button.hidden = false;
  form.querySelector("[data-passkey-cannot]")?.remove();
  button.addEventListener("click", () => use(form, button));
  // Enter in the name's field asks the device as well.
  if ("passkeyMakes" in form.dataset) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      use(form, button);
    });
  }
}

async function use(form, button) {
  button.disabled = true;
  say(form, "");
  try {
    const options = await challenge(form);
    const isNew = "passkeyMakes" in form.dataset;
    const made = isNew
      ? await navigator.credentials.create({ publicKey: toMake(options, form.dataset.passkeyMakes) })
      : await navigator.credentials.get({ publicKey: toAsk(options) });
    form.elements[form.dataset.passkeyInto].value = JSON.stringify(isNew ? ofNew(made) : ofUsed(made));
    form.submit();
  } catch (error) {
    button.disabled = false;
    say(form, sentence(error));
  }
}

async function challenge(form) {
  const body = new URLSearchParams();
  if (form.elements.csrf) body.set("csrf", form.elements.csrf.value);
  const answer = await fetch(form.dataset.passkey, { method: "POST", body });
  if (!answer.ok || !answer.headers.get("Content-Type")?.includes("json")) throw new Error("again");
  return answer.json();
}

function sentence(error) {
  if (error.name === "InvalidStateError") return "This device has a passkey here already.";
  if (error.name === "NotAllowedError") return "Nothing was chosen, or it took too long. Try again.";
  if (error.message === "again") return "That could not be begun. Reload the page and try again.";
  return "That did not work here. Try again, or choose another way.";
}

function say(form, text) {
  const place = form.querySelector("[data-passkey-says]");
  place.hidden = !text;
  place.textContent = text;
  place.setAttribute("role", "alert");
}

const toAsk = (options) => ({
  ...options,
  challenge: bytes(options.challenge),
  allowCredentials: (options.allowCredentials ?? []).map((one) => ({ ...one, id: bytes(one.id) })),
});

const toMake = (options, kind) => ({
  ...options,
  authenticatorSelection: { ...options.authenticatorSelection, authenticatorAttachment: kind },
  challenge: bytes(options.challenge),
  user: { ...options.user, id: bytes(options.user.id) },
  excludeCredentials: (options.excludeCredentials ?? []).map((one) => ({ ...one, id: bytes(one.id) })),
});

const ofUsed = (made) => ({
  id: made.id,
  rawId: text(made.rawId),
  type: made.type,
  response: {
    clientDataJSON: text(made.response.clientDataJSON),
    authenticatorData: text(made.response.authenticatorData),
    signature: text(made.response.signature),
    userHandle: made.response.userHandle ? text(made.response.userHandle) : undefined,
  },
});

const ofNew = (made) => ({
  id: made.id,
  rawId: text(made.rawId),
  type: made.type,
  response: {
    clientDataJSON: text(made.response.clientDataJSON),
    attestationObject: text(made.response.attestationObject),
  },
});

function bytes(base64url) {
  const plain = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
