import { HTTPError, Painter, read } from "./stream.js";
import { show } from "./figures.js";

const $ = id => document.getElementById(id);
const sleep = ms => new Promise(done => setTimeout(done, ms));

const quietAfter = 2000; // ms without a frame
const canvas = $("picture"), painter = new Painter(canvas, onSize);
let last = -Infinity; // when a frame came, by performance.now()
let connected = false; // the stream is open
let reconnect = new AbortController();

// What is said in each state: badge, title, text.
const words = {
  connecting: ["connecting", "Connecting", ""],
  live: ["live", "", ""],
  quiet: ["no signal", "No signal", "Waiting for the sender. The picture comes back by itself."],
  stalled: ["no picture", "No frame complete", ""], // and the viewer's reason
  lost: ["offline", "Connection lost", "Retrying. The picture comes back by itself."],
  full: ["no place free", "Too many viewers", "Waiting for a place."],
  paused: ["paused", "Paused", "The page was in the background."],
};

let reason = ""; // said with the state

function say(state, why = "") {
  if (document.body.dataset.state === state && reason === why) return;
  document.body.dataset.state = state;
  reason = why;
  const [badge, title, text] = words[state];
  $("badge-text").textContent = badge;
  if (title) $("overlay-title").textContent = title, $("overlay-text").textContent = why || text;
}

// none says that no frame comes, and why if datagrams do.
function none(why) {
  if (typeof why === "string" && why !== "") say("stalled", why);
  else say("quiet");
}

function onSize(width, height) {
  document.body.dataset.picture = `${width} × ${height}`;
  document.body.style.setProperty("--aspect", `${width} / ${height}`);
}

function onFrame(jpeg) {
  last = performance.now();
  say("live");
  painter.put(jpeg);
}

// stream reads frames for as long as the page is open, whatever becomes of the server.
async function stream() {
  for (let wait = 250;; wait = Math.min(wait * 2, 2000)) {
    await visible();
    reconnect = new AbortController();
    const began = performance.now();
    let status = 0;
    try {
      connected = true;
      await read("stream.mjpg", reconnect.signal, onFrame);
    } catch (e) {
      status = e instanceof HTTPError ? e.status : 0;
    }
    connected = false;
    if (document.hidden) continue; // left on purpose
    say(status === 503 ? "full" : "lost");
    if (performance.now() - began > 5000) wait = 250; // it did work
    await sleep(wait);
  }
}

// visible waits until somebody can see the page: until then it costs nobody anything.
async function visible() {
  while (document.hidden) {
    await new Promise(done => document.addEventListener("visibilitychange", done, { once: true }));
  }
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden) reconnect.abort(), say("paused");
});

// figures asks for /stats once a second. It also notices a connection that died
// without a word (a laptop was asleep, a cable is out): the stream itself would wait.
async function figures() {
  let misses = 0, shown = null, at = 0; // shown: pictures drawn up to the time at
  for (;;) {
    await visible();
    let stats = null;
    try {
      const response = await fetch("stats", { cache: "no-store", signal: AbortSignal.timeout(3000) });
      if (response.ok) stats = await response.json();
    } catch { /* told by misses */ }
    const now = performance.now();
    if (stats !== null) {
      misses = 0;
      document.title = $("title").textContent = stats.title;
      show(stats, document.body.dataset.picture ?? "", shown === null ? Infinity : (painter.shown - shown) / (now - at) * 1000);
      if (connected && (now - last > quietAfter || (stats.web.age_ms ?? Infinity) > quietAfter)) none(stats.stream?.stalled);
    } else if (++misses >= 2) {
      say("lost");
      reconnect.abort();
    }
    shown = painter.shown, at = now;
    await sleep(1000);
  }
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else $("stage").requestFullscreen?.();
}

async function copyAddress() {
  const url = new URL("stream.mjpg", location.href).href;
  const label = $("copy").querySelector("span"), was = "Stream address";
  try {
    await navigator.clipboard.writeText(url); // only where the page came over https or from this machine
    label.textContent = "Copied";
    $("copy").classList.add("done");
  } catch {
    prompt("The stream's address, for VLC, ffmpeg or OpenCV:", url);
  }
  setTimeout(() => {
    label.textContent = was;
    $("copy").classList.remove("done");
  }, 1500);
}

$("full").addEventListener("click", fullScreen);
$("stage").addEventListener("dblclick", fullScreen);
$("copy").addEventListener("click", copyAddress);
document.addEventListener("keydown", e => {
  if (e.key === "f" && !e.ctrlKey && !e.metaKey && !e.altKey) fullScreen();
});

// In full screen the pointer leaves when it rests.
let resting;
$("stage").addEventListener("pointermove", () => {
  $("stage").classList.remove("idle");
  clearTimeout(resting);
  resting = setTimeout(() => $("stage").classList.add("idle"), 2000);
});

stream();
figures();
