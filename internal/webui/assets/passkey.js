// Asks a passkey and puts its answer into the form that stands for it. Without
// this a one-time code does the same.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function question({ publicKey: q }) {
  q.challenge = bytes(q.challenge);
  if (q.user) q.user.id = bytes(q.user.id);
  for (const list of [q.allowCredentials, q.excludeCredentials]) for (const c of list ?? []) c.id = bytes(c.id);
  return { publicKey: q };
}

function answer(c) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (c.response[name]) response[name] = text(c.response[name]);
  }
  if (c.response.getTransports) response.transports = c.response.getTransports();
  return JSON.stringify({ id: c.id, rawId: text(c.rawId), type: c.type, clientExtensionResults: c.getClientExtensionResults(), response });
}

async function ask(form) {
  const res = await fetch(form.dataset.ask, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (!res.ok || res.redirected) throw new Error(`asked in vain: ${res.status}`);
  const { token, options } = await res.json();
  const credential = await navigator.credentials[form.dataset.passkey](question(options));
  form.elements["su-token"].value = token;
  form.elements["su-answer"].value = answer(credential);
  form.submit();
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      form.querySelector("[role=alert]").hidden = true;
      ask(form).catch(() => (form.querySelector("[role=alert]").hidden = false));
    });
  }
}
