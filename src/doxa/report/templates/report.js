// What a run's report does besides: opens, searches and filters readings.
"use strict";
(() => {
  const PAGE = 25, LONG = 20000;
  const { $, $$, data, el, pause } = page;

  // ---- readings -------------------------------------------------------------------------------------------------
  const facets = data("facets");
  const models = new Set(facets.parts.map((part) => part.model));
  const partName = Object.fromEntries(
    facets.parts.map((part) => [part.index, models.size > 1 ? `${part.study} · ${part.model}` : part.study]),
  );
  const form = $(".filters"), list = $(".list"), pager = $(".pager");
  const readings = [];
  let loading = null, found = [], at = 0;

  async function unpack(text) {
    const raw = atob(text), bytes = new Uint8Array(raw.length);
    for (let k = 0; k < raw.length; k++) bytes[k] = raw.charCodeAt(k);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  function enlist(block) {
    block.hits = null;
    for (const record of block.records) {
      const rows = record.rows.length ? record.rows : [null];
      rows.forEach((row, k) => readings.push({ block, record, row, k }));
    }
  }

  function load() {
    loading ??= (async () => {
      const blocks = $$("script.block");
      for (const [k, script] of blocks.entries()) {
        enlist(await unpack(script.textContent));
        if (k === 0) show();
        form.found.value = `opening ${k + 1} of ${blocks.length} …`;
        await pause();
      }
      document.documentElement.dataset.readings = "open";
      show();
    })().catch((error) => {
      list.replaceChildren(el("p", { class: "error" }, `The readings could not be opened: ${error.message}`));
    });
    return loading;
  }

  const outcome = (r) => (r.row ? r.row.outcome : "failed");
  const condition = (r) => (r.row ? r.row.condition : "");
  const field = (r, name) => r.row?.fields.find(([other]) => other === name)?.[1];
  const TRUTH = new Map([[true, true], [1, true], [false, false], [0, false]]);
  const correct = (r) => TRUTH.get(field(r, "correct")) ?? null;
  const idOf = (r) => `${r.block.part}/${r.record.item.id}/${r.k}`;

  function strings(r) { // positions of the texts that a search looks into
    r.refs ??= [
      r.record.item.text, r.record.error, r.row?.text,
      ...callsOf(r).flatMap((call) => [
        ...call.prompt.map(([, text]) => text), ...call.replies.flatMap((reply) => [reply.text, reply.reasoning]),
      ]),
    ].filter((ref) => ref !== null && ref !== undefined);
    return r.refs;
  }

  function callsOf(r) {
    const { calls } = r.record;
    return r.row ? r.row.calls.map((k) => calls[k]).filter(Boolean) : calls;
  }

  function matches(r, words) {
    if (!words) return true;
    if (r.record.item.id.toLowerCase().includes(words)) return true;
    if (r.block.words !== words) { // every string of a block is looked at once, however many readings share it
      r.block.words = words;
      r.block.hits = r.block.strings.map((text) => text.toLowerCase().includes(words));
    }
    return strings(r).some((ref) => r.block.hits[ref]);
  }

  function chosen(r) {
    const right = correct(r), want = form.correct.value;
    return (form.part.value === "" || r.block.part === +form.part.value)
      && (form.outcome.value === "" || outcome(r) === form.outcome.value)
      && (form.condition.value === "" || condition(r) === form.condition.value)
      && (want === "" || (want === "neither" ? right === null : right === (want === "right")))
      && matches(r, form.search.value.trim().toLowerCase());
  }

  function show(page = 0) {
    found = readings.filter(chosen);
    at = Math.max(0, Math.min(page, Math.ceil(found.length / PAGE) - 1));
    list.replaceChildren(...found.slice(at * PAGE, (at + 1) * PAGE).map(entry));
    form.found.value = `${found.length.toLocaleString("en")} of ${readings.length.toLocaleString("en")} readings`;
    const pages = Math.ceil(found.length / PAGE);
    pager.hidden = pages < 2;
    const step = (label, to, name) => {
      const button = el("button", { type: "button", "aria-label": name }, label);
      button.disabled = to < 0 || to >= pages || to === at;
      button.addEventListener("click", () => { show(to); form.scrollIntoView({ block: "start" }); });
      return button;
    };
    pager.replaceChildren(
      step("«", 0, "first"), step("‹", at - 1, "previous"), el("span", { class: "soft" }, `page ${at + 1} of ${pages}`),
      step("›", at + 1, "next"), step("»", pages - 1, "last"),
    );
  }

  // Control characters become visible and the ones that reorder a line lose their power.
  const visible = (text) => text.replaceAll("\r\n", "\n")
    .replace(/[\u0000-\u0008\u000b-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (c) => `⟨U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
  const short = (text, n = 160) => visible(text.slice(0, n)).replaceAll("\n", " ");
  const number = (x) => (x === null ? "–" : Number.isInteger(x) ? String(x) : String(+x.toPrecision(4))).replace("-", "\u2212");
  const plain = (x) => (x === null ? "–" : typeof x === "number" ? number(x) : typeof x === "string" ? visible(x)
    : Array.isArray(x) ? x.map(plain).join(", ") : typeof x === "boolean" ? (x ? "yes" : "no") : visible(JSON.stringify(x)));

  function entry(r) {
    const { item } = r.record, right = correct(r), S = r.block.strings;
    const mark = right === null ? el("span", { class: "soft" }, "·")
      : el("span", { class: right ? "is-right" : "is-wrong", title: right ? "right" : "wrong" }, right ? "✓" : "✗");
    const where = [
      facets.parts.length > 1 ? partName[r.block.part] : "", condition(r), r.row?.sample ? `#${r.row.sample}` : "",
    ].filter(Boolean).join(" · ");
    const node = el("details", { class: "reading", "data-id": idOf(r) },
      el("summary", {},
        el("span", { class: "outcome" }, el("i", { class: `o-${outcome(r)}` }), outcome(r)), mark,
        el("span", { dir: "auto" }, short(S[item.text] || item.id)),
        el("span", { class: "answer soft", dir: "auto" }, short(r.row ? S[r.row.text] : S[r.record.error] ?? "")),
        el("span", { class: "where" }, where)));
    node.addEventListener("toggle", () => {
      if (node.open && node.childElementCount === 1) node.append(inside(r));
    });
    return node;
  }

  function said(text) {
    const box = el("div", { class: "said", dir: "auto" });
    if (text.length <= LONG) { box.textContent = visible(text); return box; }
    box.textContent = visible(text.slice(0, LONG)) + " …";
    const more = el("button", { type: "button", class: "more" }, `show all ${text.length.toLocaleString("en")} characters`);
    more.addEventListener("click", () => { box.textContent = visible(text); more.remove(); });
    return el("div", {}, box, more);
  }

  const facts = (pairs) => el("dl", { class: "facts" },
    ...pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", { dir: "auto" }, plain(value)))));

  function inside(r) {
    const { item, error } = r.record, S = r.block.strings, box = el("div", { class: "inside" });
    box.append(el("h4", {}, "Item"), said(S[item.text]));
    if (item.options.length) {
      const choice = (option) => el("li", option === item.answer ? { class: "truth" } : {}, visible(option));
      box.append(el("ol", { class: "choices", type: "A" }, ...item.options.map(choice)));
    }
    box.append(facts([["id", item.id], ["truth", item.answer ?? "not known"], ...item.facts]));
    if (r.row) {
      box.append(el("h4", {}, "Reading"), facts([
        ["condition", r.row.condition], ["sample", r.row.sample], ["outcome", r.row.outcome], ...r.row.fields,
      ]));
    }
    if (error !== null) box.append(el("h4", {}, "Failed because"), el("p", { class: "error said" }, visible(S[error])));
    const calls = callsOf(r);
    if (!calls.length && r.row) box.append(el("h4", {}, "Reply"), said(S[r.row.text]));
    calls.forEach((call, k) => box.append(...asked(call, k, calls.length, S)));
    return box;
  }

  function asked(call, k, n, S) {
    const title = [n > 1 ? `Call ${k + 1} of ${n}` : "Call", call.kind, call.beside, call.condition].filter(Boolean).join(" · ");
    const turns = call.prompt.map(([role, text]) => turn(role || "plain text", S[text]));
    const replies = call.replies.map((reply) => answered(reply, S));
    const parts = [el("h4", {}, title)];
    if (call.sampling.length) parts.push(facts(call.sampling));
    return [...parts, ...turns, ...replies, ...(call.scores.length ? [scored(call.scores, S)] : [])];
  }

  const turn = (role, text, notes = [], kind = "") => el("div", { class: `turn ${kind}` },
    el("header", {}, el("b", {}, role), ...notes.map((note) => el("span", {}, note))), said(text));

  function answered(reply, S) {
    const notes = [`finish: ${reply.finish}`, ...reply.facts.map(([name, value]) => `${name.replace("_", " ")}: ${value}`)];
    const box = turn("reply", S[reply.text], notes, "reply");
    if (reply.error !== null) box.append(el("p", { class: "error said" }, visible(S[reply.error])));
    if (reply.reasoning !== null) {
      box.append(el("details", {}, el("summary", { class: "said soft" }, "reasoning"), said(S[reply.reasoning])));
    }
    if (reply.tokens.length) box.append(tokens(reply.tokens));
    return box;
  }

  function tokens(list) {
    const span = ([text, logprob, top]) => {
      const p = Math.exp(logprob ?? 0), others = top.map(([t, l]) => `${JSON.stringify(t)} ${number(Math.exp(l))}`);
      const note = `p ${number(p)}, logprob ${number(logprob)}${others.length ? `\nlikeliest: ${others.join(", ")}` : ""}`;
      const node = el("span", { title: note }, visible(text));
      node.style.setProperty("--doubt", (1 - p).toFixed(3));
      return node;
    };
    const box = el("div", { class: "said tokens" });
    const fold = el("details", {}, el("summary", { class: "said soft" }, `${list.length} tokens: the darker, the less sure`), box);
    fold.addEventListener("toggle", () => { if (!box.hasChildNodes()) box.append(...list.map(span)); });
    return fold;
  }

  function scored(scores, S) {
    const top = Math.max(...scores.map(([, logprob]) => logprob ?? -Infinity));
    const weight = scores.map(([, logprob]) => (logprob === null ? 0 : Math.exp(logprob - top)));
    const sum = weight.reduce((a, b) => a + b, 0);
    const row = ([text, logprob], k) => {
      const meter = el("span", { class: "meter" });
      meter.style.width = `${(120 * weight[k]) / sum}px`;
      return el("tr", {}, el("td", { dir: "auto" }, visible(S[text])), el("td", { class: "num" }, number(logprob)),
        el("td", { class: "num" }, number(weight[k] / sum)), el("td", {}, meter));
    };
    return el("div", { class: "turn reply" }, el("table", {},
      el("thead", {}, el("tr", {}, ...["continuation", "logprob (nats)", "share among these", ""].map((h) => el("th", {}, h)))),
      el("tbody", {}, ...scores.map(row))));
  }

  // ---- filters and links ----------------------------------------------------------------------------------------
  function fill(select, all, pairs) {
    select.replaceChildren(el("option", { value: "" }, all), ...pairs.map(([value, label]) => el("option", { value }, label)));
    select.hidden = pairs.length < 2;
  }

  function clear() { // unlike form.reset() it calls for no new list
    for (const name of ["search", "part", "outcome", "correct", "condition"]) form[name].value = "";
  }

  function follow(link) { // from a number to the readings behind it
    clear();
    form.part.value = link.dataset.part;
    form.outcome.value = link.dataset.outcome ?? "";
    form.condition.value = link.dataset.condition ?? "";
    load().then(() => show());
  }

  async function openLinked() { // report.html#reading=PART/ITEM/K
    if (!location.hash.startsWith("#reading=")) return;
    const id = decodeURIComponent(location.hash.slice(9));
    await load();
    clear();
    show(Math.floor(Math.max(0, readings.findIndex((r) => idOf(r) === id)) / PAGE));
    const node = $$(".reading").find((other) => other.dataset.id === id);
    if (!node) return;
    node.open = true;
    node.scrollIntoView({ block: "start" });
  }

  function start() {
    fill(form.part, "all studies", facets.parts.map((part) => [part.index, partName[part.index]]));
    fill(form.outcome, "all outcomes", facets.outcomes.map((o) => [o, o]));
    fill(form.condition, "all conditions", facets.conditions.map((c) => [c, c]));
    form.hidden = !facets.shown;
    let wait;
    form.addEventListener("input", () => {
      clearTimeout(wait);
      wait = setTimeout(() => load().then(() => show()), 150);
    });
    form.addEventListener("reset", () => setTimeout(() => load().then(() => show())));
    form.addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.("a[data-part]");
      if (link) follow(link);
    });
    list.addEventListener("click", (event) => {
      const node = event.target.closest("summary")?.parentElement;
      if (node?.matches(".reading")) history.replaceState(null, "", `#reading=${encodeURIComponent(node.dataset.id)}`);
    });
    addEventListener("hashchange", openLinked);
    new IntersectionObserver((seen, observer) => {
      if (!seen.some((s) => s.isIntersecting)) return;
      observer.disconnect();
      load();
    }, { rootMargin: "600px" }).observe($("#readings"));
    openLinked();
  }

  start();
})();
