// SPDX-License-Identifier: Apache-2.0
// The fleet on a canvas. A robot enters cells[k] at times[k]; where a gap is longer than its
// pace it stands in the cell before and moves in the last part of the gap.
"use strict";
(() => {
  const block = document.getElementById("replay");
  if (!block) return;
  const data = JSON.parse(block.textContent);
  const byId = (id) => document.getElementById(id);
  const [canvas, scrubber, play, tip] = ["floor", "scrubber", "play", "tip"].map(byId);
  const pen = canvas.getContext("2d");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const LARGEST_CELL = 44, SLACK = 1.05, RAMP_STEPS = 64;

  const robots = data.robots.map(({ cells, times, pace }) => {
    const t = times.map((hundredths) => hundredths / 100);
    const moves = cells.map((_, k) => (t[k + 1] - t[k] > pace * SLACK ? t[k + 1] - pace : t[k]));
    const waited = [t[0]];
    cells.forEach((_, k) => waited.push(waited[k] + moves[k] - t[k]));
    return { cells, t, moves, waited, pace };
  });
  const totals = robots.map((r) => r.waited[r.cells.length]).sort((a, b) => a - b);
  const longest = Math.max(1, totals[Math.floor(0.8 * (totals.length - 1))] || 0);

  let now = 0, playing = false, lastFrame = 0, cell = 1, ratio = 1, floor = null, colours = {};
  let ramp = [], pointer = null;

  const lastIndex = (t, time) => {
    let low = 0, high = t.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (t[middle] <= time) low = middle; else high = middle - 1;
    }
    return low;
  };
  const centre = (c) => [(c % data.width) + 0.5, Math.floor(c / data.width) + 0.5];

  function state(r, time) {
    const n = r.cells.length;
    if (time < r.t[0]) return { phase: "bay", waited: time };
    if (time >= r.t[n]) return { phase: "done", waited: r.waited[n] };
    const k = lastIndex(r.t, time);
    const waiting = time < r.moves[k];
    const waited = r.waited[k] + Math.min(time, r.moves[k]) - r.t[k];
    const share = waiting ? 0 : (time - r.moves[k]) / (r.t[k + 1] - r.moves[k] || 1);
    const [x, y] = centre(r.cells[k]);
    const [u, v] = k + 1 < n ? centre(r.cells[k + 1]) : [x, y];
    const entering = (time - r.t[0]) / (0.5 * r.pace), leaving = (r.t[n] - time) / (0.5 * r.pace);
    const size = Math.max(0, Math.min(1, 0.3 + entering, leaving));
    return { phase: waiting ? "wait" : "drive", waited, k, size,
             x: x + share * (u - x), y: y + share * (v - y) };
  }

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["floor", "obstacle", "service", "emitter", "ink", "card"])
      colours[name] = style.getPropertyValue(`--${name}`).trim();
    const stops = [0, 1, 2, 3].map((i) => style.getPropertyValue(`--wait-${i}`).trim());
    const strip = document.createElement("canvas");
    strip.width = RAMP_STEPS; strip.height = 1;
    const ink = strip.getContext("2d");
    const gradient = ink.createLinearGradient(0, 0, RAMP_STEPS, 0);
    stops.forEach((stop, i) => gradient.addColorStop(i / 3, stop));
    ink.fillStyle = gradient; ink.fillRect(0, 0, RAMP_STEPS, 1);
    const bytes = ink.getImageData(0, 0, RAMP_STEPS, 1).data;
    ramp = Array.from({ length: RAMP_STEPS }, (_, i) =>
      `rgb(${bytes[4 * i]},${bytes[4 * i + 1]},${bytes[4 * i + 2]})`);
    byId("ramp").style.background = `linear-gradient(90deg,${stops.join(",")})`;
    byId("longest").textContent = `${Math.round(longest)} s or more`;
  }

  function fit() {
    const room = canvas.parentElement.clientWidth;
    const tall = Math.max(320, 0.78 * innerHeight);
    cell = Math.min(room / data.width, tall / data.height, LARGEST_CELL);
    ratio = devicePixelRatio || 1;
    canvas.style.width = `${cell * data.width}px`;
    canvas.style.height = `${cell * data.height}px`;
    canvas.width = Math.round(cell * data.width * ratio);
    canvas.height = Math.round(cell * data.height * ratio);
    drawFloor();
    draw();
  }

  function drawFloor() {
    floor = document.createElement("canvas");
    floor.width = canvas.width; floor.height = canvas.height;
    const ink = floor.getContext("2d");
    const scale = cell * ratio, edge = scale > 14 ? 1 : 0;
    ink.fillStyle = colours.floor; ink.fillRect(0, 0, floor.width, floor.height);
    data.rows.forEach((row, y) => [...row].forEach((symbol, x) => {
      const paint = { "@": colours.obstacle, S: colours.service, E: colours.emitter }[symbol];
      if (!paint) return;
      const [left, top] = [Math.round(x * scale), Math.round(y * scale)];
      const [right, bottom] = [Math.round((x + 1) * scale), Math.round((y + 1) * scale)];
      ink.fillStyle = paint;
      ink.fillRect(left + edge, top + edge, right - left - 2 * edge, bottom - top - 2 * edge);
    }));
  }

  const paint = (waited) =>
    ramp[Math.min(RAMP_STEPS - 1, Math.floor((waited / longest) * RAMP_STEPS))];

  function drawRobot(s) {
    const scale = cell * ratio, radius = (cell < 10 ? 0.6 : 0.4) * scale * s.size;
    pen.beginPath();
    pen.arc(s.x * scale, s.y * scale, radius, 0, 2 * Math.PI);
    pen.fillStyle = paint(s.waited); pen.fill();
    if (s.phase !== "wait") return;
    pen.lineWidth = Math.max(ratio, 0.08 * scale);
    pen.strokeStyle = colours.ink; pen.stroke();
  }

  function drawRoute(r, s) {
    const scale = cell * ratio;
    pen.beginPath();
    pen.moveTo(s.x * scale, s.y * scale);
    for (const c of r.cells.slice(s.k + 1)) pen.lineTo(...centre(c).map((v) => v * scale));
    pen.lineWidth = Math.max(2 * ratio, 0.14 * scale); pen.lineJoin = "round";
    pen.strokeStyle = paint(s.waited); pen.stroke();
  }

  function draw() {
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(floor, 0, 0);
    const states = robots.map((r) => state(r, now));
    const counts = { bay: 0, drive: 0, wait: 0, done: 0 };
    states.forEach((s) => { counts[s.phase] += 1; });
    const named = underPointer(states);
    if (named >= 0) drawRoute(robots[named], states[named]);
    states.forEach((s) => { if (s.k !== undefined) drawRobot(s); });
    for (const [phase, count] of Object.entries(counts)) byId(`count-${phase}`).textContent = count;
    byId("clock").textContent = `${now.toFixed(1)} s`;
    scrubber.value = now;
    scrubber.style.setProperty("--played", `${(100 * now) / (data.end || 1)}%`);
    name(named, states[named]);
  }

  function underPointer(states) {
    if (!pointer) return -1;
    let best = -1, nearest = Math.max(0.75, 10 / cell);
    states.forEach((s, i) => {
      const far = s.k === undefined ? Infinity : Math.hypot(s.x - pointer.x, s.y - pointer.y);
      if (far < nearest) { nearest = far; best = i; }
    });
    return best;
  }

  function name(index, s) {
    tip.hidden = index < 0;
    if (index < 0) return;
    tip.textContent = `robot ${index}: waited ${s.waited.toFixed(1)} s`;
    tip.style.left = `${canvas.offsetLeft + s.x * cell}px`;
    tip.style.top = `${canvas.offsetTop + (s.y - 0.7) * cell}px`;
  }

  function frame(time) {
    if (!playing) return;
    now += Math.min(0.1, (time - lastFrame) / 1000) * Number(byId("speed").value);
    lastFrame = time;
    if (now >= data.end) { now = data.end; setPlaying(false); }
    draw();
    requestAnimationFrame(frame);
  }

  function setPlaying(value) {
    if (value && now >= data.end) now = 0;
    playing = value;
    play.textContent = playing ? "Pause" : "Play";
    lastFrame = performance.now();
    if (playing) requestAnimationFrame(frame);
  }

  function point(event) {
    const box = canvas.getBoundingClientRect();
    pointer = { x: (event.clientX - box.left) / cell, y: (event.clientY - box.top) / cell };
    if (!playing) draw();
  }

  play.addEventListener("click", () => setPlaying(!playing));
  scrubber.addEventListener("input", () => { now = Number(scrubber.value); draw(); });
  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerleave", () => { pointer = null; if (!playing) draw(); });
  addEventListener("resize", fit);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); fit(); });

  const start = /[#&]t=([0-9.]+)/.exec(location.hash);
  now = start ? Math.min(Number(start[1]), data.end) : still ? 0.35 * data.end : 0;
  readColours();
  fit();
  if (!start && !still && "IntersectionObserver" in window) {
    const watcher = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      setPlaying(true);
    }, { threshold: 0.4 });
    watcher.observe(canvas);
  }
})();
