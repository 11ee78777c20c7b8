// A one-time link carries its token behind the #, which no server and no log
// ever sees. This reads it, takes it out of the address and hands it to the
// form: submitted at once, or with its code still to be typed.
const token = location.hash.slice(1);
const withCode = new URLSearchParams(location.search).has("with");
const form = document.getElementById("enter");
if (token && form) {
  history.replaceState(null, "", location.pathname);
  form.elements.token.value = token;
  if (withCode) {
    form.elements.code.focus();
  } else {
    form.submit();
  }
}
