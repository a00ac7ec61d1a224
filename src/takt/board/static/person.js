// A person at work. At a station of tools: forms that make calls. At the cell: pictures, the newest only, and controls.
"use strict";
(() => {
  const make = (tag, given = {}, ...inside) => {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(given)) key === "text" ? (made.textContent = value) : made.setAttribute(key, value);
    made.append(...inside);
    return made;
  };

  // --- the shift's end ---

  const lost = document.getElementById("link");
  let ended = false; // it was said that the shift is over: a server that goes then is no fault
  const end = (again) => { // `again`: which program this is, where another one may go on with it
    if (again && !ended) whenOther(again);
    ended = true;
    lost.hidden = true;
    for (const button of document.querySelectorAll("form[data-call] button")) button.disabled = true;
    for (const form of document.querySelectorAll("form[data-call]")) form.inert = true; // nothing is called any more
  };
  const whenThere = (then) => setTimeout(() => { // once a server answers, whoever it lets in
    fetch("/login", { cache: "no-store" }).then(then, () => whenThere(then));
  }, 2000);
  const whenOther = (program) => setTimeout(() => { // its login
    fetch("/login", { cache: "no-store" }).then(
      (answer) => (answer.headers.get("takt-program") === program ? whenOther(program) : location.reload()),
      () => whenOther(program),
    );
  }, 2000);
  const inLanguage = (address) => `${address}${address.includes("?") ? "&" : "?"}language=${document.documentElement.lang}`;

  // --- tools ---

  const valueOf = (input) => {
    const text = input.value;
    switch (input.dataset.kind) {
      case "yes": return input.checked;
      case "whole": case "number": return text === "" ? undefined : Number(text);
      case "texts": return text.trim() === "" ? undefined : text.split(",").map((one) => one.trim()).filter(Boolean);
      case "json": return text.trim() === "" ? undefined : JSON.parse(text);
      default: return text === "" ? undefined : text;
    }
  };
  const gathered = (place) => {
    const found = {};
    for (const input of place.querySelectorAll("[data-kind]")) {
      const value = valueOf(input);
      if (value !== undefined && !(input.dataset.kind === "yes" && value === input.defaultChecked)) found[input.name] = value;
    }
    return found;
  };
  const argumentsOf = (form) => {
    const found = {};
    for (const part of form.children) {
      if (part.matches("label")) Object.assign(found, gathered(part));
      if (part.matches("fieldset")) {
        const rows = [...part.querySelectorAll(".row")].map(gathered);
        if (rows.length) found[part.dataset.rows] = rows;
      }
    }
    return found;
  };
  const addRow = (fieldset, given = {}) => {
    const row = fieldset.querySelector("template").content.firstElementChild.cloneNode(true);
    for (const input of row.querySelectorAll("[data-kind]")) if (input.name in given) fill(input, given[input.name]);
    fieldset.insertBefore(row, fieldset.querySelector("[data-more]"));
    return row;
  };
  const fill = (input, value) => {
    if (input.dataset.kind === "yes") input.checked = Boolean(value);
    else input.value = Array.isArray(value) ? value.join(", ") : typeof value === "object" ? JSON.stringify(value) : value;
  };
  const fillAll = (given) => {
    let best = null;
    for (const form of document.querySelectorAll("form[data-call]")) {
      const takes = (name) => form.querySelector(`:scope > label [name="${CSS.escape(name)}"], fieldset[data-rows="${CSS.escape(name)}"]`);
      if (!Object.keys(given).some(takes)) continue;
      form.reset(); // what was filled in for another is not left there
      form.querySelectorAll(".row").forEach((row) => row.remove());
      for (const [name, value] of Object.entries(given)) {
        const rows = form.querySelector(`fieldset[data-rows="${CSS.escape(name)}"]`);
        if (rows && Array.isArray(value)) {
          value.forEach((one) => addRow(rows, one));
        }
        const input = form.querySelector(`:scope > label [name="${CSS.escape(name)}"]`);
        if (input) fill(input, value);
      }
      // The nearest is a tool that lacks nothing: one that asks for the row's lists, such as the legs of a trip; else one
      // that only looks; else the first.
      const lists = [...form.querySelectorAll("fieldset[data-required]")];
      const full = lists.filter((list) => list.querySelector(".row")).length;
      const fit = (form.checkValidity() && full === lists.length ? 4 : 0) + (full ? 2 : 0) + ("changes" in form.dataset ? 0 : 1);
      if (best === null || fit > best.fit) best = { form, fit };
    }
    if (best) openTool(best.form.closest("details[data-tool]"), true);
  };
  const openTool = (tool, filled) => {
    tool.open = true;
    const empty = [...tool.querySelectorAll("form [data-kind]")].find((input) => input.required && input.value === "");
    const first = tool.querySelector("form [data-kind]");
    const list = [...tool.querySelectorAll("fieldset[data-required]")].find((one) => !one.querySelector(".row"));
    (empty || (filled ? list && list.querySelector("[data-more]") : first) || tool.querySelector("form > button:last-child") || tool).focus();
  };
  const history = document.getElementById("history");
  const told = (number, html) => {
    const known = number && history.querySelector(`[data-answer="${number}"]`);
    if (!known) history.insertAdjacentHTML("afterbegin", html);
    while (history.children.length > 30) history.lastElementChild.remove();
    return known || history.firstElementChild;
  };
  const call = async (form) => {
    const button = form.querySelector(":scope > button:last-child");
    const left = () => document.activeElement === document.body || form.contains(document.activeElement);
    const within = form.contains(document.activeElement);
    button.disabled = true; // which takes the focus from it
    try {
      const answer = await fetch(inLanguage("/call"), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ name: form.dataset.call, arguments: argumentsOf(form) }),
      });
      if (!answer.ok) throw new Error(`${answer.status}`);
      const came = await answer.json();
      const at = told(came.number, came.html);
      if (within && left()) at.focus(); // keys are the page's again, also of a call that was refused: its form keeps what it has
    } catch (error) {
      if (!ended) history.prepend(make("p", { class: "alert", text: String(error) }));
    } finally {
      button.disabled = ended;
      if (!ended && within && document.activeElement === document.body) button.focus();
    }
  };
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-call]")) return;
    event.preventDefault();
    if (!ended) call(event.target);
  });
  document.addEventListener("keydown", (event) => {
    const form = event.target.matches("textarea[data-kind=text]") && event.target.closest("form[data-call]");
    if (!form || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault(); // a text may have lines, and is sent like any other field
    form.requestSubmit();
  });
  document.addEventListener("click", (event) => {
    const at = event.target.closest("[data-fill], [data-more], [data-less]");
    if (!at) return;
    if (at.dataset.fill) fillAll(JSON.parse(at.dataset.fill));
    else if ("more" in at.dataset) addRow(at.closest("fieldset")).querySelector("[data-kind]").focus();
    else at.closest(".row").remove();
  });
  const state = document.getElementById("state");
  if (state) {
    const shown = [...history.querySelectorAll("[data-answer]")].map((one) => Number(one.dataset.answer));
    const source = new EventSource(inLanguage(`/stream?after=${Math.max(0, ...shown)}`));
    source.addEventListener("open", () => { lost.hidden = true; });
    source.addEventListener("answer", (message) => {
      const came = JSON.parse(message.data);
      told(came.number, came.html);
    });
    source.addEventListener("state", (message) => {
      const came = JSON.parse(message.data);
      lost.hidden = true;
      if (came.ended) end(came.again);
      else if (state.contains(document.activeElement) && document.activeElement.matches("button")) return; // it is being used
      const before = state.querySelector(".stills");
      state.innerHTML = came.html;
      const after = state.querySelector(".stills");
      if (before && after && before.innerHTML === after.innerHTML) after.replaceWith(before); // the same pictures stay
    });
    source.addEventListener("error", () => {
      if (ended) source.close();
      else lost.hidden = false;
      if (!ended && source.readyState === EventSource.CLOSED) whenThere(() => location.reload()); // another program: its login
    });
    // A row that can be used: the newest answer's first, unless that has done something; then those of how things stand.
    const toRow = (step) => {
      const newest = history.querySelector("[data-answer]");
      const did = newest && document.querySelector(`form[data-call="${CSS.escape(newest.dataset.of)}"][data-changes]`);
      const rows = [...(newest && !did ? newest.querySelectorAll(".use") : []), ...state.querySelectorAll(".use")];
      const at = rows.indexOf(document.activeElement);
      if (rows.length) rows[at < 0 ? 0 : (at + step + rows.length) % rows.length].focus();
      return rows.length > 0;
    };
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
      if (event.key === "Escape") { document.activeElement.blur(); return; } // out of a field: keys are the page's
      if (event.target.closest("input, select, textarea")) return;
      const on = event.target.matches(".use") ? { ArrowDown: 1, ArrowUp: -1 }[event.key] : undefined;
      const key = event.key.toLowerCase();
      const tool = /^[a-z0-9]$/.test(key) && document.querySelector(`details[data-key="${key}"]`);
      if (tool) openTool(tool, false);
      else if (!(key === "u" ? toRow(1) : on && toRow(on))) return;
      event.preventDefault();
    });
  }

  // --- the cell ---

  const cell = document.getElementById("cell");
  if (!cell) return;
  const keys = JSON.parse(cell.dataset.keys);
  const held = new Set();
  const toggled = {};
  let fromPad = {};
  let socket = null;
  let sent = "";
  let fresh = true; // until it was told what is held
  const drawn = [];
  const late = [];
  const mine = new Set(); // stamps of this page: another one's clock is another

  const controls = () => {
    const now = { ...fromPad };
    for (const [code, control, value, toggles] of keys) {
      if (!toggles && held.has(code)) now[control] = (now[control] || 0) + value;
    }
    for (const [control, on] of Object.entries(toggled)) if (on) now[control] = 1;
    return now;
  };
  const steer = () => {
    if (fresh) return;
    const now = controls();
    const text = JSON.stringify(now);
    if (text === sent || !socket || socket.readyState !== WebSocket.OPEN) return;
    const stamp = performance.now();
    if (sent !== "") mine.add(stamp); // a key's, and not the opening's
    sent = text;
    socket.send(JSON.stringify({ controls: now, stamp }));
    for (const row of cell.querySelectorAll("[data-code]")) row.classList.toggle("held", held.has(row.dataset.code));
  };
  const known = new Map(keys.map((key) => [key[0], key]));
  document.addEventListener("keydown", (event) => {
    const key = known.get(event.code);
    if (!key || event.ctrlKey || event.metaKey || event.target.closest("input")) return;
    event.preventDefault();
    if (key[3] && !event.repeat) toggled[key[1]] = !toggled[key[1]];
    held.add(event.code);
    steer();
  });
  document.addEventListener("keyup", (event) => { held.delete(event.code); steer(); });
  window.addEventListener("blur", () => { held.clear(); steer(); });

  // The mouse, on a picture: drag moves the hand across, the wheel up and down. The Alt key is for the other hand.
  const hands = cell.dataset.hands.split(",");
  const axes = cell.dataset.axes.split(",");
  let drag = null;
  cell.querySelector(".eyes").addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, y: event.clientY, hand: hands[event.button === 2 || event.altKey ? 1 : 0] };
    event.target.setPointerCapture(event.pointerId);
  });
  cell.querySelector(".eyes").addEventListener("contextmenu", (event) => event.preventDefault());
  cell.querySelector(".eyes").addEventListener("pointermove", (event) => {
    if (!drag) return;
    const most = (value) => Math.max(-1, Math.min(1, value / 80));
    fromPad = { [`${drag.hand}.${axes[0]}`]: most(drag.x - event.clientX), [`${drag.hand}.${axes[1]}`]: most(drag.y - event.clientY) };
    steer();
  });
  cell.querySelector(".eyes").addEventListener("pointerup", () => { drag = null; fromPad = {}; steer(); });

  // A gamepad has two sticks, one for each hand; a 3D mouse shows itself as a pad of six axes and moves one hand.
  const pads = () => {
    const pad = [...navigator.getGamepads()].find(Boolean);
    if (pad && !drag) {
      const axis = (i) => (Math.abs(pad.axes[i] || 0) > 0.12 ? pad.axes[i] : 0);
      const down = (i) => (pad.buttons[i] && pad.buttons[i].pressed ? 1 : 0);
      fromPad = {};
      if (pad.axes.length >= 6 && pad.mapping !== "standard") axes.forEach((name, i) => { fromPad[`${hands[0]}.${name}`] = -axis(i); });
      else hands.forEach((hand, i) => {
        fromPad[`${hand}.${axes[0]}`] = -axis(2 * i);
        fromPad[`${hand}.${axes[1]}`] = -axis(2 * i + 1);
        fromPad[`${hand}.${axes[2]}`] = down(4 + i) - down(6 + i);
      });
      hands.forEach((hand, i) => {
        if (down(i) && !pads[i]) toggled[`${hand}.grip`] = !toggled[`${hand}.grip`];
        pads[i] = down(i);
      });
      steer();
    }
    requestAnimationFrame(pads);
  };
  window.addEventListener("gamepadconnected", (event) => {
    document.getElementById("pad").textContent = event.gamepad.id;
    pads();
  });

  let sound = null;
  document.getElementById("tone").addEventListener("change", (event) => {
    if (sound) { sound.context.close(); sound = null; }
    if (!event.target.checked) return;
    const context = new AudioContext();
    const voice = new OscillatorNode(context, { frequency: 200 });
    const volume = new GainNode(context, { gain: 0 });
    voice.connect(volume).connect(context.destination);
    voice.start();
    sound = { context, voice, volume };
  });

  const eyes = cell.querySelector(".eyes");
  const words = JSON.parse(cell.dataset.words);
  const own = (text) => (Object.hasOwn(words, text) ? words[text] : text); // in the language of the page
  const show = async (data) => {
    const bytes = new Uint8Array(data);
    const length = new DataView(data).getUint32(0);
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
    let at = 4 + length;
    const decoded = await Promise.all(head.pictures.map(([, size]) => {
      at += size;
      return createImageBitmap(new Blob([bytes.subarray(at - size, at)], { type: "image/jpeg" }));
    }));
    head.pictures.forEach(([name], i) => {
      const picture = decoded[i];
      let canvas = eyes.querySelector(`canvas[data-eye="${CSS.escape(name)}"]`);
      if (!canvas) {
        canvas = make("canvas", { "data-eye": name, width: picture.width, height: picture.height, role: "img", "aria-label": own(name.replace("_", " ")) });
        eyes.append(make("figure", {}, canvas, make("figcaption", { text: own(name.replace("_", " ")) })));
      }
      canvas.getContext("2d").drawImage(picture, 0, 0);
      picture.close();
    });
    const now = performance.now();
    if (head.pictures.length) drawn.push(now); // without any, it says how things stand
    while (drawn.length && now - drawn[0] > 2000) drawn.shift();
    document.getElementById("rate").textContent = drawn.length ? `${(drawn.length / 2).toFixed(1)} /s` : "–";
    if (mine.has(head.stamp)) {
      for (const one of mine) if (one <= head.stamp) mine.delete(one);
      late.push(now - head.stamp);
      cell.dispatchEvent(new CustomEvent("late", { detail: now - head.stamp })); // for whoever measures
      if (late.length > 20) late.shift();
      document.getElementById("late").textContent = `${[...late].sort((a, b) => a - b)[late.length >> 1].toFixed(0)} ms`;
    }
    if (head.pictures.length) cell.dataset.frames = String(Number(cell.dataset.frames || 0) + 1);
    if (head.ended) end(head.again);
    if (fresh) { // a grip that another page has closed stays so, and opens by this one's key
      fresh = false;
      for (const [, control, , toggles] of keys) if (toggles && !(control in toggled) && head.held[control]) toggled[control] = true;
      steer();
    }
    document.getElementById("standing").textContent = head.standing;
    const idle = document.getElementById("idle");
    idle.hidden = !head.idle.length;
    for (const [i, sign] of ["", "· "].entries()) { // the first is read out, once: the other changes each second
      const text = head.idle[i] ? sign + head.idle[i] : "";
      if (idle.children[i].textContent !== text) idle.children[i].textContent = text;
    }
    cell.dataset.lagS = String(head.lag_s);
    gauges(head.gauges);
    facts(head.facts);
    const alert = document.getElementById("told");
    alert.hidden = !head.over && head.lag_s < 1;
    alert.textContent = head.over || cell.dataset.lag.replace("{n}", head.lag_s.toFixed(0));
    if (sound) {
      const push = Math.max(0, ...head.gauges.filter((one) => one[3] === "N").map((one) => one[1]));
      sound.voice.frequency.value = 200 + 12 * push;
      sound.volume.gain.value = Math.min(0.2, push / 100);
    }
    socket.send(JSON.stringify({ seen: true }));
  };
  const language = document.documentElement.lang === "zh" ? 1 : 0;
  const gauges = (all) => {
    const place = cell.querySelector(".gauges");
    all.forEach(([name, value, most, unit], i) => {
      let row = place.children[i];
      if (!row) {
        row = make("div", {}, make("span", { text: name[language] }), make("meter", { min: 0, max: most, "aria-label": name[language] }), make("b"));
        place.append(row);
      }
      row.children[1].value = value;
      row.children[2].textContent = `${(Math.round(10 * value) / 10 || 0).toFixed(1)} ${unit}`; // no -0.0
    });
  };
  const facts = (all) => {
    const place = cell.querySelector(".facts dl");
    for (const [name, text] of Object.entries(all)) {
      let row = place.querySelector(`[data-fact="${CSS.escape(name)}"]`);
      if (!row) { row = make("div", { "data-fact": name }, make("dt", { text: own(name) }), make("dd")); place.append(row); }
      row.lastElementChild.textContent = text;
    }
  };
  const open = () => {
    let opened = false;
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${inLanguage("/wire")}`);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", (message) => show(message.data));
    socket.addEventListener("open", () => {
      opened = true;
      sent = "";
      fresh = true;
      lost.hidden = true;
    });
    socket.addEventListener("close", () => {
      if (ended) return;
      lost.hidden = false;
      whenThere(opened ? open : () => location.reload()); // not let in: another program, which has a login of its own
    });
  };
  open();
})();
