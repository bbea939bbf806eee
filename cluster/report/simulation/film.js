// SPDX-License-Identifier: Apache-2.0
// Robots on a canvas, tick by tick, with straight lines between the ticks. The script stands
// inside of the element that it moves, behind its data, so that a page may have several.
"use strict";
(() => {
  const root = document.currentScript.parentElement;
  const data = JSON.parse(document.currentScript.previousElementSibling.textContent);
  const find = (selector) => root.querySelector(selector);
  const [canvas, scrubber, play, tip] = ["canvas", ".scrubber", "button", ".tip"].map(find);
  const [choice, speed, clock] = [".choice", ".speed", ".clock"].map(find);
  const counters = [...root.querySelectorAll("[data-state]")];
  const standing = find(".still b");
  const pen = canvas.getContext("2d");
  const LARGEST_CELL = 40, MIDDLE = "k".charCodeAt(0), TRAIL_TICKS = 40, TENTHS = 10;
  const PAINTS = { ".": "free", 0: "way", 1: "load" };

  let film = null, now = 0, playing = false, lastFrame = 0, cell = 1, ratio = 1, ground = null;
  let colours = {}, pointer = null;

  // Positions of all ticks, [tick * robots + robot], in cells.
  function decode(film) {
    if (film.px) return film;
    const robots = film.x.length, ticks = film.dx.length + 1;
    const unfold = (first, moves) => {
      const at = new Float32Array(ticks * robots);
      for (let i = 0; i < robots; i++) {
        let place = first[i];
        at[i] = place / TENTHS;
        for (let t = 1; t < ticks; t++) {
          place += moves[t - 1].charCodeAt(i) - MIDDLE;
          at[t * robots + i] = place / TENTHS;
        }
      }
      return at;
    };
    film.robots = robots; film.end = ticks - 1;
    film.px = unfold(film.x, film.dx); film.py = unfold(film.y, film.dy);
    return film;
  }

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["floor", "obstacle", "service", "emitter", "ink",
                        "robot-free", "robot-way", "robot-load"])
      colours[name] = style.getPropertyValue(`--${name}`).trim();
  }

  function fit() {
    const room = canvas.parentElement.clientWidth, tall = Math.max(320, 0.78 * innerHeight);
    cell = Math.min(room / data.width, tall / data.height, LARGEST_CELL);
    ratio = devicePixelRatio || 1;
    canvas.style.width = `${cell * data.width}px`;
    canvas.style.height = `${cell * data.height}px`;
    canvas.width = Math.round(cell * data.width * ratio);
    canvas.height = Math.round(cell * data.height * ratio);
    drawGround();
    draw();
  }

  function drawGround() {
    ground = document.createElement("canvas");
    ground.width = canvas.width; ground.height = canvas.height;
    const ink = ground.getContext("2d");
    const scale = cell * ratio, edge = scale > 14 ? 1 : 0;
    ink.fillStyle = colours.floor; ink.fillRect(0, 0, ground.width, ground.height);
    data.rows.forEach((row, y) => [...row].forEach((symbol, x) => {
      const paint = { "@": colours.obstacle, S: colours.service, E: colours.emitter }[symbol];
      if (!paint) return;
      const [left, top] = [Math.round(x * scale), Math.round(y * scale)];
      const [right, bottom] = [Math.round((x + 1) * scale), Math.round((y + 1) * scale)];
      ink.fillStyle = paint;
      ink.fillRect(left + edge, top + edge, right - left - 2 * edge, bottom - top - 2 * edge);
    }));
  }

  // Where robot i is now: column and row of its centre, angle clockwise from north, last tick.
  function place(i) {
    const t = Math.min(Math.floor(now), film.end), u = Math.min(t + 1, film.end), share = now - t;
    const a = t * film.robots + i, b = u * film.robots + i;
    const from = Number(film.heading[t][i]), to = Number(film.heading[u][i]);
    const turn = ((to - from + 5) % 4) - 1;
    const soon = Math.min(t + film.action, film.end), c = soon * film.robots + i;
    return {
      x: film.px[a] + share * (film.px[b] - film.px[a]) + 0.5,
      y: film.py[a] + share * (film.py[b] - film.py[a]) + 0.5,
      angle: (from + share * turn) * Math.PI / 2,
      state: film.states[t][i],
      still: film.px[a] === film.px[c] && film.py[a] === film.py[c]
        && film.heading[t][i] === film.heading[soon][i],
    };
  }

  // A house with its roof to the front where robots turn, else a disc.
  function outline(robot) {
    const scale = cell * ratio, r = (cell < 10 ? 0.5 : 0.4) * scale;
    const x = robot.x * scale, y = robot.y * scale;
    if (!film.turning) { pen.moveTo(x + r, y); pen.arc(x, y, r, 0, 2 * Math.PI); return; }
    const sin = Math.sin(robot.angle), cos = Math.cos(robot.angle);
    const corner = (u, v) => [x + r * (u * cos - v * sin), y + r * (u * sin + v * cos)];
    pen.moveTo(...corner(0, -1.15));
    for (const [u, v] of [[0.85, -0.2], [0.85, 0.9], [-0.85, 0.9], [-0.85, -0.2]])
      pen.lineTo(...corner(u, v));
    pen.closePath();
  }

  function drawTrail(i, robot) {
    const scale = cell * ratio, t = Math.floor(now);
    const path = (begin, end, width) => {
      pen.beginPath();
      for (let k = begin; k <= end; k++) {
        const at = k * film.robots + i;
        pen.lineTo((film.px[at] + 0.5) * scale, (film.py[at] + 0.5) * scale);
      }
      pen.lineWidth = width; pen.stroke();
    };
    pen.strokeStyle = colours[`robot-${PAINTS[robot.state]}`]; pen.lineJoin = "round";
    path(Math.max(0, t - TRAIL_TICKS), Math.min(t + 1, film.end), Math.max(2 * ratio, 0.2 * scale));
    pen.setLineDash([3 * ratio, 3 * ratio]);
    path(Math.min(t + 1, film.end), Math.min(t + TRAIL_TICKS, film.end), Math.max(ratio, 0.1 * scale));
    pen.setLineDash([]);
  }

  function draw() {
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(ground, 0, 0);
    const robots = Array.from({ length: film.robots }, (_, i) => place(i));
    const named = underPointer(robots);
    if (named >= 0) drawTrail(named, robots[named]);
    for (const [state, paint] of Object.entries(PAINTS)) {
      pen.beginPath();
      for (const robot of robots) if (robot.state === state) outline(robot);
      pen.fillStyle = colours[`robot-${paint}`]; pen.fill();
    }
    if (named >= 0) {
      pen.beginPath(); outline(robots[named]);
      pen.lineWidth = 2 * ratio; pen.strokeStyle = colours.ink; pen.stroke();
    }
    report(robots);
    name(named, robots[named]);
  }

  function report(robots) {
    for (const counter of counters) {
      const state = counter.dataset.state;
      counter.firstElementChild.textContent = robots.filter((r) => r.state === state).length;
    }
    const last = now >= film.end;
    standing.textContent = last ? "–" : robots.filter((r) => r.still).length;
    clock.textContent = `tick ${film.from + Math.floor(now)}`;
    scrubber.value = now;
    scrubber.setAttribute("aria-valuetext", clock.textContent);
    scrubber.style.setProperty("--played", `${(100 * now) / (film.end || 1)}%`);
  }

  function underPointer(robots) {
    if (!pointer) return -1;
    let best = -1, nearest = Math.max(0.75, 10 / cell);
    robots.forEach((robot, i) => {
      const far = Math.hypot(robot.x - pointer.x, robot.y - pointer.y);
      if (far < nearest) { nearest = far; best = i; }
    });
    return best;
  }

  function name(index, robot) {
    tip.hidden = index < 0;
    if (index < 0) return;
    const doing = { ".": "without an order", 0: "on the way", 1: "carrying" }[robot.state];
    tip.textContent = `robot ${index}: ${doing}${robot.still ? ", standing" : ""}`;
    tip.style.left = `${canvas.offsetLeft + robot.x * cell}px`;
    tip.style.top = `${canvas.offsetTop + (robot.y - 0.9) * cell}px`;
  }

  function frame(time) {
    if (!playing) return;
    // The time of a frame may lie before the click that started it.
    now += Math.max(0, Math.min(0.1, (time - lastFrame) / 1000)) * Number(speed.value);
    lastFrame = time;
    if (now >= film.end) { now = film.end; setPlaying(false); }
    draw();
    requestAnimationFrame(frame);
  }

  function setPlaying(value) {
    if (value && now >= film.end) now = 0;
    playing = value;
    play.textContent = playing ? "Pause" : "Play";
    lastFrame = performance.now();
    if (playing) requestAnimationFrame(frame);
  }

  function show(index) {
    film = decode(data.films[index]);
    scrubber.max = film.end;
    now = Math.min(now, film.end);
  }

  function seek(tick) {
    now = Math.max(0, Math.min(film.end, tick));
    draw();
  }

  function point(event) {
    const box = canvas.getBoundingClientRect();
    pointer = { x: (event.clientX - box.left) / cell, y: (event.clientY - box.top) / cell };
    if (!playing) draw();
  }

  const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
  scrubber.addEventListener("keydown", (event) => {
    if (!(event.key in STEPS)) return;
    event.preventDefault();
    setPlaying(false);
    seek(Math.round(now) + STEPS[event.key]);
  });
  scrubber.addEventListener("input", () => seek(Number(scrubber.value)));
  play.addEventListener("click", () => setPlaying(!playing));
  choice.addEventListener("change", () => { show(Number(choice.value)); draw(); });
  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerleave", () => { pointer = null; if (!playing) draw(); });
  addEventListener("resize", fit);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); fit(); });

  const start = /[#&]tick=([0-9.]+)/.exec(location.hash);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  show(0);
  if (start) now = Math.max(0, Math.min(film.end, Number(start[1]) - film.from));
  readColours();
  fit();
  if (!start && !calm && "IntersectionObserver" in window) {
    const watcher = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      setPlaying(true);
    }, { threshold: 0.4 });
    watcher.observe(canvas);
  }
})();
