// The figures under the picture, from /stats.

const $ = id => document.getElementById(id);
const traces = {}; // the last minute of each tile, newest last
let lostBefore = null;

// show fills the tiles; painted is how many pictures a second this browser draws.
export function show(stats, size, painted) {
  const { web, stream = {} } = stats;
  $("fps").textContent = short(web.fps);
  const behind = web.fps - painted > Math.max(1, web.fps * .1);
  $("fps-note").textContent = behind ? `${painted.toFixed(0)} drawn here` : size;
  $("mbit").textContent = short(web.mbit_per_s);
  $("mbit-note").textContent = web.fps > 0 ? `${bytes(web.mbit_per_s / 8 * 1e6 / web.fps)} a frame` : "";
  trace("fps", web.fps);
  trace("mbit", web.mbit_per_s);
  latency(web.fps > 0 ? stream?.latency_ms : null);
  lost(stream?.lost);
  all(stats);
}

function latency(ms) {
  const known = typeof ms === "number";
  $("latency").textContent = known ? short(ms) : "–";
  $("latency-note").textContent = known ? "capture to viewer" : ms === null ? "" : "not measured";
  if (known) trace("latency", ms);
}

function lost(reasons) {
  const known = reasons !== null && typeof reasons === "object";
  const list = known ? Object.entries(reasons).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]) : [];
  const sum = list.reduce((s, [, n]) => s + n, 0);
  $("lost").textContent = known ? sum.toLocaleString("en") : "–";
  const note = known ? list.map(([why, n]) => `${why.replaceAll("_", " ")} ${n.toLocaleString("en")}`).join(" · ") || "none so far" : "not counted";
  $("lost-note").textContent = $("lost-note").title = note;
  if (known) trace("lost", lostBefore === null ? 0 : Math.max(0, sum - lostBefore));
  lostBefore = known ? sum : null;
  $("lost").closest("div").classList.toggle("alarm", traces.lost?.some(n => n > 0) ?? false);
}

// trace adds a second to a tile's line, whose foot is zero.
function trace(id, value) {
  const values = traces[id] ??= [];
  values.push(value);
  if (values.length > 60) values.shift();
  if (values.length < 2) return;
  const top = Math.max(...values) * 1.15 || 1;
  $(`${id}-trace`).setAttribute("points", values.map((v, i) => `${60 - values.length + i},${(19 - v / top * 18).toFixed(2)}`).join(" "));
}

// all lists every figure there is, whatever it is.
function all(stats) {
  if (!$("more").open) return;
  const rows = [];
  const walk = (value, name) => {
    if (value !== null && typeof value === "object") {
      for (const [k, v] of Object.entries(value)) walk(v, name ? `${name} ${k}` : k);
    } else rows.push([name.replaceAll("_", " "), value]);
  };
  walk({ web: stats.web, stream: stats.stream ?? {} }, "");
  $("all").replaceChildren(...rows.map(([name, value]) => {
    const row = document.createElement("div"), dt = document.createElement("dt"), dd = document.createElement("dd");
    dt.textContent = name;
    dd.textContent = typeof value === "number" ? trim(value.toLocaleString("en", { maximumFractionDigits: 2 })) : String(value ?? "–");
    row.append(dt, dd);
    return row;
  }));
}

const short = n => n < 9.95 ? trim(n.toFixed(1)) : n.toFixed(0);
const trim = s => s.replace(/\.0+$/, "");
const bytes = n => n < 1e6 ? `${(n / 1e3).toFixed(n < 1e4 ? 1 : 0)} kB` : `${(n / 1e6).toFixed(1)} MB`;
