// The wall screen: fetches the day anew, says how old it is, turns the pages, can be paused.
const board = document.querySelector("[data-board]");
const part = board.querySelector("[data-part]");
const age = board.querySelector("[data-age]");
const pause = board.querySelector("[data-pause]");
const EVERY = 15000, TURN = 20000, STALE = 120;
const days = ["0", "1"];
const asked = new URLSearchParams(location.search).get("day");
let shown = asked || "0", fetched = Date.now(), paused = asked !== null;

async function refresh() {
  try {
    const answer = await fetch(`?part=1&day=${shown}`, { headers: { Accept: "text/html" } });
    if (answer.ok) { part.innerHTML = await answer.text(); fetched = Date.now(); }
  } catch { /* the age strip says it */ }
}
function tick() {
  const seconds = Math.round((Date.now() - fetched) / 1000);
  const stale = seconds >= STALE;
  board.classList.toggle("stale", stale);
  age.textContent = stale ? `${board.dataset.stale} ${seconds} ${board.dataset.seconds}` : "";
}
pause.hidden = false;
const words = [pause.textContent, pause.dataset.resume];
function label() { pause.textContent = words[paused ? 1 : 0]; pause.setAttribute("aria-pressed", paused); }
label();
pause.addEventListener("click", () => { paused = !paused; label(); });
setInterval(refresh, EVERY);
setInterval(tick, 1000);
setInterval(() => {
  if (paused) return;
  shown = days[(days.indexOf(shown) + 1) % days.length];
  refresh();
}, TURN);
