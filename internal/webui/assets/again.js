// A page that shows long work looks again while it goes on, but not behind the reader's back: only while it is seen and nothing on it is held.
const wait = 2000;

function look() {
  if (document.hidden || document.activeElement?.closest("form")) {
    setTimeout(look, wait);
    return;
  }
  location.reload();
}

setTimeout(look, wait);
