// A one-time link carries its token behind the #, which no server and no log
// ever sees. This reads it, takes it out of the address and submits the form.
const token = location.hash.slice(1);
const form = document.getElementById("enter");
if (token && form) {
  history.replaceState(null, "", location.pathname);
  form.elements.token.value = token;
  form.submit();
}
