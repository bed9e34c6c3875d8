// The inbox: asks for what it shows whenever the sandbox says that something has changed.
// Every text of a message is set as text, never as markup: what is in it was written by strangers.

const PAGE = 100;
const TYPING_PAUSE = 120;

const byId = (id) => document.getElementById(id);
const search = byId("q");
const list = byId("messages");
const template = byId("message");
const shown = new Map(); // serial and BizId -> its element

let limit = PAGE;
let asking = null;
let typing = 0;
let first = true;

async function refresh() {
  asking?.abort();
  asking = new AbortController();
  const query = new URLSearchParams({ limit: String(limit), q: search.value.trim() });
  try {
    const answer = await fetch(`/_sandbox/messages?${query}`, { signal: asking.signal });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    show(await answer.json());
  } catch (failure) {
    if (failure.name !== "AbortError") say("offline");
  }
}

function show({ messages, counts }) {
  for (const name of ["accepted", "delivered", "waiting", "undelivered"]) {
    byId(`count-${name}`).textContent = counts[name].toLocaleString("en");
  }
  const keys = messages.map((message) => `${message.serial} ${message.biz_id}`);
  const kept = new Set(keys);
  for (const [key, element] of shown) {
    if (!kept.has(key)) {
      element.remove();
      shown.delete(key);
    }
  }
  messages.forEach((message, index) => place(keys[index], message, index));
  first = false;
  describe(messages.length, counts);
}

// Elements that are there already stay where they are, so that a selection or the focus is not lost.
function place(key, message, index) {
  let element = shown.get(key);
  if (!element) {
    element = template.content.firstElementChild.cloneNode(true);
    element.classList.toggle("new", !first);
    shown.set(key, element);
  }
  fill(element, message);
  if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
}

function fill(element, message) {
  const wanted = search.value.trim();
  const face = JSON.stringify([wanted, message.state, message.err_code]);
  if (element.dataset.face === face) return;
  element.dataset.face = face;
  element.dataset.state = message.state;
  const time = element.querySelector("time");
  time.dateTime = `${message.accepted_at.replace(" ", "T")}+08:00`;
  time.textContent = message.accepted_at;
  time.title = "Accepted, China time";
  mark(element.querySelector(".phone"), message.phone, wanted);
  mark(element.querySelector(".text"), message.text, wanted);
  mark(element.querySelector(".out-id"), message.out_id ? `OutId ${message.out_id}` : "", wanted);
  element.querySelector(".template").textContent = message.template;
  element.querySelector(".state").textContent =
    message.state === "undelivered" ? `undelivered · ${message.err_code}` : message.state;
}

function mark(element, text, wanted) {
  element.replaceChildren();
  const lower = text.toLowerCase();
  const needle = wanted.toLowerCase();
  // Some letters change their length in lower case; then positions do not agree, and nothing is marked.
  let from = 0;
  if (needle && lower.length === text.length) {
    for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, from)) {
      const hit = document.createElement("mark");
      hit.textContent = text.slice(at, at + needle.length);
      element.append(text.slice(from, at), hit);
      from = at + needle.length;
    }
  }
  element.append(text.slice(from));
}

function describe(amount, counts) {
  const searching = search.value.trim() !== "";
  const full = amount === limit;
  byId("more").hidden = !full;
  byId("found").textContent = searching
    ? `${full ? `the newest ${amount}` : amount} found`
    : counts.evicted ? `${counts.evicted.toLocaleString("en")} older messages made room` : "";
  byId("empty").hidden = amount > 0;
  byId("empty-title").textContent = searching ? "Nothing found" : "No messages yet";
  byId("empty-hint").textContent = searching
    ? "Search looks at numbers, texts and OutIds."
    : `Point an Aliyun SDK at endpoint ${location.host} with protocol http; whatever it sends appears here.`;
}

function say(state) {
  const link = byId("link");
  if (link.dataset.state === state) return;
  link.dataset.state = state;
  link.textContent = { live: "live", offline: "reconnecting", connecting: "connecting" }[state];
}

// An EventSource reconnects by itself after a lost connection, but gives up when it is answered with an error.
function listen() {
  const events = new EventSource("/_sandbox/events");
  events.addEventListener("changed", () => {
    say("live");
    refresh();
  });
  events.addEventListener("error", () => {
    say("offline");
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  });
}

search.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    limit = PAGE;
    refresh();
  }, TYPING_PAUSE);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.select();
  } else if (event.key === "Escape" && document.activeElement === search) {
    search.value = "";
    search.dispatchEvent(new Event("input"));
  }
});

byId("more").addEventListener("click", () => {
  limit += PAGE;
  refresh();
});

byId("clear").addEventListener("click", async () => {
  if (!confirm("Forget all messages and counts?")) return;
  await fetch("/_sandbox/messages", { method: "DELETE" });
  refresh();
});

listen();
