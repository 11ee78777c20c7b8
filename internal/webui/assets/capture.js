// A capture by drag and drop or from the clipboard: the file goes into the
// form's own field, and is sent by its button as any other.
const panel = document.querySelector("[data-capture]");
const input = document.getElementById("f-capture");
if (panel && input) {
  const put = (files) => {
    if (!files || files.length === 0) return false;
    const held = new DataTransfer();
    held.items.add(files[0]);
    input.files = held.files;
    input.focus();
    return true;
  };
  panel.addEventListener("dragover", (e) => {
    if (e.dataTransfer.types.includes("Files")) e.preventDefault();
  });
  panel.addEventListener("drop", (e) => {
    if (put(e.dataTransfer.files)) e.preventDefault();
  });
  document.addEventListener("paste", (e) => {
    if (put(e.clipboardData && e.clipboardData.files)) e.preventDefault();
  });
}
