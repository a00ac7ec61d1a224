// The board's live part: each message of the stream is the whole page as it is now, made by the server. A reconnect asks
// for what came after the last message that was seen (Last-Event-ID), so nothing is lost and nothing is counted twice.
"use strict";
(() => {
  const live = document.getElementById("live");
  const lost = document.getElementById("link");
  const swap = (place, html) => { // what is there now, for what was there; what somebody has done with it stays
    const ticked = new Set([...place.querySelectorAll("input:checked")].map((box) => box.value));
    const open = [...place.querySelectorAll("details")].map((one) => one.open);
    const at = place.contains(document.activeElement) ? document.activeElement : null;
    const alike = (one) => [one.tagName, one.getAttribute("href"), one.name, one.value].join(" ");
    place.innerHTML = html;
    const titled = place.querySelector("[data-title]");
    if (titled) document.title = titled.dataset.title;
    place.querySelectorAll("input[type=checkbox]").forEach((box) => { box.checked = ticked.has(box.value); });
    place.querySelectorAll("details").forEach((one, i) => { if (i < open.length) one.open = open[i]; });
    const again = at && [...place.querySelectorAll(at.tagName)].find((one) => alike(one) === alike(at));
    if (again) again.focus({ preventScroll: true });
  };
  if (live && live.dataset.stream) {
    const place = document.getElementById("rows") || live;
    const source = new EventSource(live.dataset.stream);
    let waits = 0;
    let gone = false; // the ledger, while the board is there
    const say = (text) => {
      const now = [new Date().getHours(), new Date().getMinutes(), new Date().getSeconds()];
      if (lost.hidden) lost.dataset.at = now.map((one) => String(one).padStart(2, "0")).join(":");
      lost.textContent = `${text}, ${lost.dataset.since} ${lost.dataset.at}`;
      lost.hidden = false;
    };
    const heard = () => {
      clearTimeout(waits);
      waits = 0;
      if (gone) return;
      lost.hidden = true;
      document.body.classList.remove("lost");
    };
    source.addEventListener("page", (message) => {
      swap(place, JSON.parse(message.data).html);
      gone = false;
      heard();
    });
    source.addEventListener("gone", (message) => {
      gone = true;
      say(JSON.parse(message.data).text);
      document.body.classList.add("lost");
    });
    source.addEventListener("back", () => { gone = false; heard(); });
    source.addEventListener("open", heard);
    source.addEventListener("error", () => {
      if (!gone) say(lost.dataset.lost);
      waits ||= setTimeout(() => document.body.classList.add("lost"), 3000); // no hiccup: what is shown may be over
      if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000); // the login, perhaps
    });
  }
  // A page that nobody sends anew asks for itself again, while there may be something new on it.
  let last = live ? live.innerHTML : "";
  const refresh = () => {
    const at = live && live.querySelector("[data-refresh]");
    if (!at) return;
    setTimeout(() => {
      fetch(location.href, { cache: "no-store" }).then((answer) => (answer.ok ? answer.text() : "")).then((text) => {
        const html = text && new DOMParser().parseFromString(text, "text/html").getElementById("live").innerHTML;
        if (html && html !== last) swap(live, html);
        last = html || last;
      }).catch(() => {}).finally(refresh);
    }, 1000 * Number(at.dataset.refresh));
  };
  refresh();
  const again = document.querySelector("[data-reload]");
  if (again) setTimeout(() => location.reload(), 1000 * Number(again.dataset.reload));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea, video")) return;
    const turn = { ArrowLeft: "a[rel=prev]", ArrowRight: "a[rel=next]" }[event.key];
    const link = turn && document.querySelector(turn);
    if (link) link.click();
  });
})();
