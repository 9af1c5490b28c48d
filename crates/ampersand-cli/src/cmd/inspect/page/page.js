// The page of `ampersand inspect`. What comes from outside is only ever text: nothing here makes markup of it.

import { Component, h, render } from "./preact.mjs";
import htm from "./htm.mjs";

const html = htm.bind(h);

// The height of a row, as page.css has it; and how many rows are drawn beyond those in sight.
const ROW = 54;
const BEYOND = 8;
// So many items of a list are shown at first, and with each wish for more.
const ITEMS = 100;

const state = {
  // The deliveries, by ascending number, and the same as they are filtered, newest first.
  all: [],
  rows: [],
  filter: { text: "", kind: "", group: "", installation: "", source: "", tone: "", since: "", least: "" },
  // The numbers with `text` in their bodies; null if there is none.
  found: null,
  chosen: null,
  details: null,
  // What the chosen delivery is compared with.
  base: null,
  settings: { to: "", signs: false },
  live: false,
  said: "",
};

function set(change) {
  Object.assign(state, change);
  render(html`<${Page} ...${state} />`, document.getElementById("page"));
}

// ---- What the server says ----

const events = new EventSource("events");
events.addEventListener("settings", ({ data }) => {
  state.all = [];
  set({ settings: JSON.parse(data), live: true });
});
events.onmessage = ({ data }) => {
  const { first, changed } = JSON.parse(data);
  state.all = state.all.filter((one) => one.n >= first);
  for (const one of changed) state.all[one.n - first] = one;
  if (changed.some((one) => one.n === state.chosen)) load();
  if (state.filter.text) search();
  filter();
};
events.onerror = () => set({ live: false });

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("ampersand has ended, or cannot be reached");
  }
  if (!answer.ok) throw new Error(await answer.text());
  return answer;
}

const post = (path, value) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(value ?? null) });

let speaking;
function say(said) {
  clearTimeout(speaking);
  speaking = setTimeout(() => set({ said: "" }), 6000);
  set({ said });
}

const told = (task) => task.catch((error) => say(error.message));

async function load() {
  const n = state.chosen;
  const details = n === null ? null : await (await ask(`delivery/${n}`)).json();
  if (n === state.chosen) set({ details });
}

async function choose(n) {
  if (n === state.chosen) return;
  set({ chosen: n, details: null });
  history.replaceState(null, "", n === null ? location.pathname : `#${n}`);
  await told(load());
}

async function compareWith(n) {
  const base = n === null ? null : await (await ask(`delivery/${n}`)).json();
  set({ base });
}

// ---- The filter ----

const SINCE = { minute: 60e3, hour: 3600e3, day: 86400e3 };

function filter(change = {}) {
  const wanted = { ...state.filter, ...change };
  const has = (text, part) => text.toLowerCase().includes(part.toLowerCase());
  const after = wanted.since ? Date.now() - SINCE[wanted.since] : 0;
  const rows = state.all.filter((one) =>
    (!wanted.kind || one.kind === wanted.kind) && (!wanted.source || one.source === wanted.source) &&
    (!wanted.tone || one.tone === wanted.tone) && one.at >= after && one.bytes >= Number(wanted.least) &&
    has(one.group, wanted.group) && has(one.installation, wanted.installation) &&
    (!wanted.text || has(`${one.kind} ${one.id} ${one.verdict}`, wanted.text) || state.found?.has(one.n)));
  set({ filter: wanted, rows: rows.reverse() });
}

let searching;
function search() {
  clearTimeout(searching);
  searching = setTimeout(() => told(searchNow()), 150);
}

async function searchNow() {
  const { text } = state.filter;
  const found = text ? new Set(await (await ask(`search?text=${encodeURIComponent(text)}`)).json()) : null;
  if (text === state.filter.text) {
    state.found = found;
    filter();
  }
}

// ---- Words ----

const time = (at) => new Date(at).toLocaleTimeString([], { hour12: false });
const size = (bytes) =>
  bytes < 1e3 ? `${bytes} B` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
const TONES = { good: "right", fair: "not checked", bad: "wrong" };
const name = (one) => one.kind || "not a delivery";
const deliveries = (number) => `${number.toLocaleString()} ${number === 1 ? "delivery" : "deliveries"}`;

function latency(rows) {
  const times = rows.flatMap((one) => (one.forwarded ? [one.forwarded.milliseconds] : [])).sort((a, b) => a - b);
  const part = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return times.length ? `answers: half within ${part(0.5)} ms, 95 % within ${part(0.95)} ms` : "";
}

// ---- The list ----

function Page(props) {
  const { all, rows, live, said, chosen } = props;
  return html`
    <header>
      <div class="bar">
        <h1>${rows.length === all.length ? deliveries(all.length) : `${rows.length.toLocaleString()} of ${deliveries(all.length)}`}</h1>
        <span class=${live ? "good" : "bad"} role="status">${live ? "live" : "not connected"}</span>
        <${Chart} rows=${rows} />
        <span class="faint">${latency(rows)}</span>
      </div>
      <${Filters} ...${props} />
    </header>
    <main class=${chosen === null ? "" : "open"}>
      <${List} ...${props} />
      <${Delivery} ...${props} />
    </main>
    <div class="said" role="status">${said}</div>`;
}

function Chart({ rows }) {
  const BARS = 60;
  if (!rows.length) return null;
  const times = rows.map((one) => one.at);
  const [from, to] = times.reduce(([least, most], at) => [Math.min(least, at), Math.max(most, at)], [Infinity, 0]);
  const bars = new Array(BARS).fill(0);
  for (const at of times) bars[Math.min(BARS - 1, Math.floor(((at - from) / (to - from || 1)) * BARS))] += 1;
  const most = Math.max(...bars);
  return html`
    <svg class="chart" role="img" viewBox="0 0 ${BARS * 4} 28" preserveAspectRatio="none"
      aria-label="${deliveries(rows.length)} from ${time(from)} to ${time(to)}; at most ${most} in a bar">
      ${bars.map((bar, at) => {
        const height = bar && Math.max(2, (bar / most) * 28);
        return html`<rect x=${at * 4} y=${28 - height} width="3" height=${height} />`;
      })}
    </svg>`;
}

const distinct = (all, field) => [...new Set(all.map((one) => one[field]))].filter(Boolean).sort();

function Filters({ all, filter: wanted }) {
  const change = (field) => (event) => {
    filter({ [field]: event.target.value });
    if (field === "text") search();
  };
  const select = (label, field, options) => html`
    <label>${label}
      <select onChange=${change(field)} value=${wanted[field]}>
        <option value="">any</option>
        ${options.map(([value, words]) => html`<option value=${value}>${words}</option>`)}
      </select>
    </label>`;
  const input = (label, field) => html`
    <label>${label}<input list=${`every-${field}`} value=${wanted[field]} onInput=${change(field)} />
      <datalist id=${`every-${field}`}>${distinct(all, field).slice(0, 200).map((value) => html`<option value=${value} />`)}</datalist>
    </label>`;
  const own = (field) => distinct(all, field).map((value) => [value, value]);
  const used = Object.entries(wanted).filter(([field, value]) => value && field !== "text").length;
  return html`
    <div class="bar">
      <input type="search" id="search" placeholder="Search in payloads ( / )" aria-label="Search in payloads"
        value=${wanted.text} onInput=${change("text")} />
    </div>
    <details>
      <summary>Filter${used ? ` (${used})` : ""}</summary>
      <div class="filters">
        ${select("Type", "kind", own("kind"))} ${input("Group", "group")} ${input("Installation", "installation")}
        ${select("Source", "source", own("source"))} ${select("Verdict", "tone", Object.entries(TONES))}
        ${select("Time", "since", Object.keys(SINCE).map((since) => [since, `the last ${since}`]))}
        ${select("Size", "least", [1e4, 1e5, 1e6].map((least) => [String(least), `${size(least)} and more`]))}
      </div>
    </details>`;
}

class List extends Component {
  // Moves the choice, and keeps it in sight.
  move(to) {
    const { rows } = this.props;
    const at = Math.max(0, Math.min(rows.length - 1, to));
    if (!rows[at]) return;
    const [top, end] = [at * ROW, (at + 1) * ROW];
    if (top < this.list.scrollTop) this.list.scrollTop = top;
    if (end > this.list.scrollTop + this.list.clientHeight) this.list.scrollTop = end - this.list.clientHeight;
    choose(rows[at].n);
  }

  press(event) {
    const at = this.props.rows.findIndex((one) => one.n === this.props.chosen);
    const page = Math.floor(this.list.clientHeight / ROW);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: Infinity }[event.key];
    if (to !== undefined) this.move(to);
    else if (event.key === "Enter") document.getElementById("delivery")?.focus();
    else return;
    event.preventDefault();
  }

  look() {
    this.setState({ top: this.list.scrollTop, height: this.list.clientHeight });
  }

  componentDidMount() {
    new ResizeObserver(() => this.look()).observe(this.list);
  }

  render({ rows, chosen }, { top = 0, height = 600 }) {
    const from = Math.max(0, Math.floor(top / ROW) - BEYOND);
    const seen = rows.slice(from, Math.ceil((top + height) / ROW) + BEYOND);
    const active = seen.some((one) => one.n === chosen) ? `row-${chosen}` : undefined;
    const role = rows.length ? { role: "listbox", "aria-label": "Deliveries", "aria-activedescendant": active } : {};
    return html`
      <div class="list" id="list" tabindex="0" ...${role} ref=${(list) => (this.list = list)}
        onKeyDown=${(event) => this.press(event)} onScroll=${() => this.look()}>
        ${rows.length ? null : html`<p class="row faint">Nothing came yet, or the filter hides it.</p>`}
        <div class="room" role="presentation" style=${{ height: `${rows.length * ROW}px` }}>
          ${seen.map((one, at) => html`<${Row} key=${one.n} one=${one} at=${from + at} of=${rows.length} chosen=${one.n === chosen} />`)}
        </div>
      </div>`;
  }
}

function Row({ one, at, of, chosen }) {
  const { forwarded } = one;
  const answer = forwarded ? ` · ${forwarded.status} in ${forwarded.milliseconds} ms` : "";
  return html`
    <div class="row ${one.tone}" role="option" id=${`row-${one.n}`} aria-selected=${String(chosen)} aria-posinset=${at + 1}
      aria-setsize=${of} style=${{ top: `${at * ROW}px` }} onClick=${() => choose(one.n)} title=${one.verdict}>
      <span class="dot"></span><span class="kind">${name(one)}</span>
      <span class="when"><b class=${one.tone}>${TONES[one.tone]}</b> ${time(one.at)}</span>
      <span class="who">${[one.group, one.installation].filter(Boolean).join(" · ") || one.verdict}</span>
      <span class="when">${one.source} ${size(one.bytes)}${answer}</span>
    </div>`;
}

// ---- A delivery ----

class Delivery extends Component {
  shouldComponentUpdate({ details, base, chosen, settings }) {
    const now = this.props;
    return details !== now.details || base !== now.base || chosen !== now.chosen || settings !== now.settings;
  }

  render({ details: one, base, settings, chosen }) {
    if (!one) {
      const why = chosen === null ? "Choose a delivery: by mouse, or by the arrow keys in the list." : "";
      return html`<div class="delivery" tabindex="-1" id="delivery"><p class="faint">${why}</p></div>`;
    }
    const compares = base && base.n !== one.n;
    const field = (of, wanted) => of?.children?.find((child) => child.name === wanted && child.kind === "object");
    const [before, after] = [field(one.payload, "lastConfig"), field(one.payload, "config")];
    return html`
      <article class="delivery" id="delivery" tabindex="-1" aria-label=${name(one)} key=${one.n}>
        <div class="bar"><button class="back" onClick=${leave}>Back to the list</button><h2>${name(one)}</h2></div>
        ${one.about && html`<p class="doc">${one.about}</p>`}
        <${Facts} one=${one} />
        <${Actions} one=${one} base=${base} settings=${settings} />
        ${compares && html`<${Section} title="Compared with ${name(base)} of ${time(base.at)}">
          <${SideBySide} left=${base.payload} right=${one.payload} titles=${["the other", "this one"]} /><//>`}
        ${one.signature.length > 0 && html`<${Section} title="Signature">
          <ol class="steps">${one.signature.map(({ ok, name, text }) => html`
            <li><b class=${ok === null ? "faint" : ok ? "good" : "bad"}>${ok === null ? "-" : ok ? "right" : "wrong"}</b>
              <b>${name}</b><span>${text}</span></li>`)}</ol><//>`}
        ${one.downloads.length > 0 && html`<${Section} title="Too large to send">
          ${one.downloads.map((download) => html`<${Left} ...${download} n=${one.n} />`)}<//>`}
        ${one.changes && html`<${Section} title="What changed">
          ${one.changes.Err ? html`<p>Not compared: ${one.changes.Err}</p>` : null}
          ${one.changes.Ok?.length === 0 ? html`<p>Nothing in the configuration.</p>` : null}
          <ul class="tree">${one.changes.Ok?.map((change) => html`<li>${change}</li>`)}</ul>
          ${before && after && html`<${SideBySide} left=${before} right=${after} titles=${["lastConfig", "config"]} />`}<//>`}
        ${one.payload && html`<${Section} title="Payload">
          ${one.new.map((what) => html`<p><span class="mark">${what}</span></p>`)}
          <ul class="tree">${one.payload.children?.map((child) => html`<${Tree} node=${child} depth=${1} />`)}</ul><//>`}
        ${pairs("Metadata", one.metadata)} ${pairs("Headers", one.headers)}
        <${Section} title="Raw, as it came"><pre tabindex="0" aria-label="Raw body">${one.raw}</pre><//>
      </article>`;
  }
}

function Section({ title, children }) {
  return html`<section aria-label=${title}><h3>${title}</h3>${children}</section>`;
}

const pairs = (title, all) => all.length > 0 && html`<${Section} title=${title}>
  <table><tbody>${all.map(([name, value]) => html`<tr><td class="name">${name}</td><td class="value">${value}</td></tr>`)}</tbody></table><//>`;

function Facts({ one }) {
  const answer = one.forwarded && `${one.forwarded.status} in ${one.forwarded.milliseconds} ms`;
  const facts = [
    ["Verdict", html`<b class=${one.tone}>${one.verdict}</b>`], ["Came", new Date(one.at).toISOString()], ["Answer", answer], ["Id", one.id],
    ["Group", one.group], ["Installation", one.installation], ["Source", one.source], ["Size", size(one.bytes)],
  ];
  return html`<dl class="facts">${facts.filter(([, value]) => value).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

// The time that a URL has left, and a button that uses it.
class Left extends Component {
  componentDidMount() {
    this.timer = setInterval(() => this.setState({}), 1000);
  }

  componentWillUnmount() {
    clearInterval(this.timer);
  }

  async download() {
    this.setState({ waits: true });
    await told(post(`resolve/${this.props.n}`));
    this.setState({ waits: false });
  }

  render({ member, host, expires }, { waits }) {
    const seconds = Math.round((expires - Date.now()) / 1000);
    const words = expires === null ? "its URL does not say how long it is valid"
      : seconds > 0 ? `its URL is valid for ${Math.floor(seconds / 60)} min ${seconds % 60} s`
      : `its URL expired at ${time(expires)}`;
    return html`<div class="bar"><code>${member}</code><span>is at ${host}; ${words}</span>
      <button disabled=${waits} onClick=${() => this.download()}>Download</button></div>`;
  }
}

// ---- A tree ----

const brief = (node) =>
  node.value ?? (node.kind === "object" ? `{${node.children?.length ?? 0}}` : `[${node.children?.length ?? 0}]`);

class Tree extends Component {
  constructor(props) {
    super(props);
    this.state = { open: props.depth < 3, shown: ITEMS };
  }

  render({ node, depth, at }, { open, shown }) {
    const field = html`<div class="field">
      <div><span class="name">${node.name ?? at}</span> <span class="value">${brief(node)}</span>
        ${node.new && html` <span class="mark">${node.new}</span>`}</div>
      <div class="doc">${[node.words, node.description, node.meaning && `Here: ${node.meaning}`].filter(Boolean).join("\n")}</div>
    </div>`;
    if (!node.children) return html`<li>${field}</li>`;
    const children = open ? node.children.slice(0, shown) : [];
    const left = node.children.length - shown;
    return html`<li><details open=${open} onToggle=${(event) => this.setState({ open: event.currentTarget.open })}>
      <summary>${field}</summary>
      <ul>${children.map((child, at) => html`<${Tree} node=${child} depth=${depth + 1} at=${at} />`)}
        ${open && left > 0 && html`<li><button onClick=${() => this.setState({ shown: shown + ITEMS })}>${left} more</button></li>`}</ul>
    </details></li>`;
  }
}

// ---- Two trees ----

const children = (node) => new Map((node?.children ?? []).map((child, at) => [child.name ?? String(at), child]));

// The rows of a comparison, below one another. What is the same on both sides is one row.
function compared(left, right, name, depth, rows) {
  const row = { name, depth, left: left && brief(left), right: right && brief(right), changed: true };
  const [before, after] = [children(left), children(right)];
  const start = rows.push(row);
  if ((left?.kind ?? right.kind) === (right?.kind ?? left.kind) && (before.size || after.size)) {
    const names = new Set([...before.keys(), ...after.keys()]);
    for (const name of names) compared(before.get(name), after.get(name), name, depth + 1, rows);
    row.changed = !left || !right;
    const isSame = left && right && rows.slice(start).every((below) => below.isSame);
    if (isSame) rows.length = start;
    row.isSame = isSame;
  } else {
    row.isSame = Boolean(left && right) && row.left === row.right && left.kind === right.kind;
    row.changed = !row.isSame;
  }
  return rows;
}

function SideBySide({ left, right, titles }) {
  if (!left || !right) return html`<p>One of them has no payload.</p>`;
  const rows = compared(left, right, "", 0, []).slice(1);
  if (!rows.length) return html`<p>They are the same.</p>`;
  const indent = (depth) => ({ paddingLeft: `${6 + (depth - 1) * 14}px` });
  return html`<table>
    <thead><tr><th scope="col">field</th>${titles.map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
    <tbody>${rows.map(({ name, depth, left, right, changed }) => html`<tr class=${changed ? "changed" : ""}>
      <td class="name" style=${indent(depth)}>${name}</td><td class="value">${left ?? "-"}</td><td class="value">${right ?? "-"}</td></tr>`)}</tbody>
  </table>`;
}

// ---- Actions ----

class Actions extends Component {
  constructor(props) {
    super(props);
    const { one, settings } = props;
    this.state = { opened: false, url: settings.to, body: one.webhook, sign: settings.signs, newId: false, answer: "" };
  }

  async copy(path, what) {
    const text = path ? await (await ask(path)).text() : this.props.one.test;
    await navigator.clipboard.writeText(text);
    say(`copied ${what}`);
  }

  async send(event) {
    event.preventDefault();
    const { url, body, sign, newId } = this.state;
    const { n, webhook } = this.props.one;
    this.setState({ answer: "waiting for the answer" });
    try {
      const answer = await (await post("send", { n, url, sign, newId, body: body === webhook ? null : body })).json();
      this.setState({ answer: `${answer.status} in ${answer.milliseconds} ms\n${answer.body}` });
    } catch (error) {
      this.setState({ answer: error.message });
    }
  }

  render({ one, base, settings }, { opened, url, body, sign, newId, answer }) {
    const check = (field, on, words, can) => html`
      <label><input type="checkbox" checked=${on} disabled=${!can} onChange=${(event) => this.setState({ [field]: event.target.checked })} /> ${words}</label>`;
    const text = (field) => (event) => this.setState({ [field]: event.target.value });
    const curl = `curl/${one.n}?to=${encodeURIComponent(url)}`;
    return html`
      <div class="bar" role="group" aria-label="Actions">
        <button aria-expanded=${String(opened)} onClick=${() => this.setState({ opened: !opened })}>Send again</button>
        <button onClick=${() => told(this.copy(curl, "the command"))}>Copy as curl</button>
        ${one.test && html`<button onClick=${() => told(this.copy(null, "the test"))}>Copy as Rust test</button>`}
        <a class="button" href=${`body/${one.n}`} download>Save body</a>
        ${one.headers.length > 0 && html`<a class="button" href=${`headers/${one.n}`} download>Save headers</a>`}
        <button aria-pressed=${String(base?.n === one.n)} onClick=${() => told(compareWith(base?.n === one.n ? null : one.n))}>
          ${base?.n === one.n ? "Now choose another" : "Compare"}</button>
      </div>
      ${opened && html`<form class="form" onSubmit=${(event) => this.send(event)}>
        <label class="wide">URL<input type="url" required value=${url} onInput=${text("url")} /></label>
        <label class="wide">Body<textarea rows="8" spellcheck=${false} value=${body} onInput=${text("body")}></textarea></label>
        <div class="bar">
          ${check("sign", sign, settings.signs ? "sign it anew" : "sign it anew (there is no secret)", settings.signs)}
          ${check("newId", newId, "with a new id", sign)}
          <button>Send</button>
        </div>
        <pre role="status" tabindex="0" aria-label="Answer">${answer}</pre>
      </form>`}`;
  }
}

// ---- Keys ----

function leave() {
  choose(null);
  document.getElementById("list").focus();
}

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select");
  if (event.key === "/" && !isTyping) {
    event.preventDefault();
    document.getElementById("search").focus();
  } else if (event.key === "Escape") {
    if (matchMedia("(max-width: 760px)").matches && !isTyping) leave();
    else document.getElementById("list").focus();
  }
});

set({});
if (location.hash) choose(Number(location.hash.slice(1)));
