/**
 * What runs in the reader's browser: it puts the parts that come in their places. Who reads a part by keyboard stays
 * where he is, and the page says when it is no longer live.
 */
export const script = `
const state = document.getElementById("connection");
function place(event) {
  const { id, body } = JSON.parse(event.data);
  const section = document.getElementById(id);
  if (section === null) return;
  const held = section.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  const scrolls = new Map();
  for (const one of section.querySelectorAll(".scroll")) scrolls.set(one.getAttribute("aria-label"), one.scrollLeft);
  section.innerHTML = body;
  for (const one of section.querySelectorAll(".scroll")) {
    const label = one.getAttribute("aria-label");
    one.scrollLeft = scrolls.get(label) ?? 0;
    if (label === held) one.focus({ preventScroll: true });
  }
}
const source = new EventSource("status-page/events");
source.addEventListener("section", place);
source.addEventListener("open", () => { state.textContent = "live"; });
source.addEventListener("error", () => { state.textContent = "the agent does not answer; what is shown is old"; });
`;
