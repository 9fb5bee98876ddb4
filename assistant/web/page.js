// The chat page's own script: shows turns as they come, opens sources, keeps the conversation in this tab.
// Gradio calls `studyPage.ask`, `.show`, `.settle`, `.stop`, `.audience`, `.rating` and `.rated`; ui.py wires them up.
"use strict";

const studyPage = (() => {
  const KEPT = "study-assistant:page"; // in sessionStorage: this tab only, gone when it is closed
  const MOST_TURNS = 40; // of the conversation, sent along as history
  const RATED = 30000; // ms without a word after which a rating counts as lost
  const PATIENCE = 100000; // ms without a word after which a question counts as cut off
  const BESIDE = "(min-width: 1080px)"; // wide enough for a source beside the answer

  let words = {};
  let library = { sources: {}, studies: {} };
  let turns = []; // {id, question, audience, state, html, text, outcome, study, copy, export, rated, comment}
  let busy = ""; // id of the turn that is being answered
  let who = "parent";
  let refused = ""; // what the server said when it refused the last question
  let latest = 0; // number of the latest turn
  let rates = ""; // the rating to send, JSON
  let unsent = () => {}; // what to do if the request that is about to leave fails
  let watch = 0;

  const $ = (selector, from = document) => from.querySelector(selector);
  const make = (tag, set = {}, ...inside) => {
    const node = Object.assign(document.createElement(tag), set);
    node.append(...inside);
    return node;
  };
  const box = () => $("#question textarea");
  const article = (id) => document.getElementById(id);
  const turnOf = (node) => turns.find((turn) => turn.id === node.closest("article")?.id);

  function fill(value) {
    box().value = value;
    box().dispatchEvent(new Event("input", { bubbles: true })); // as if typed, so that Gradio notices
  }

  function announce(text) {
    const status = $("#status");
    status.textContent = "";
    setTimeout(() => (status.textContent = text), 60); // a change is spoken, a first text may not be
  }

  // --- turns -------------------------------------------------------------------------------------------------------

  function draw(turn) {
    let node = article(turn.id);
    if (!node) {
      const question = make("h2", { className: "question", dir: "auto", textContent: turn.question });
      const audience = make("span", { className: "for", textContent: words[`asked_by.${turn.audience}`] });
      const reply = make("div", { className: "reply" });
      node = make("article", { id: turn.id }, make("div", { className: "asked" }, question, audience), reply);
      $("#conversation .turns").append(node);
    }
    node.dataset.state = turn.state;
    const reply = $(".reply", node);
    if (reply.dataset.html === turn.html && turn.state !== "working") return;
    if (turn.state === "working") {
      // What is there stays there, so that a reader's place, focus and selection do too; only what is new is added.
      const fresh = make("div");
      fresh.innerHTML = turn.html; // escaped by the server, piece by piece
      let said = $(".said", reply);
      if (!said) {
        said = make("div", { className: "said" });
        const working = make("p", { className: "working" }, make("span", { ariaHidden: "true" }), words["reply.working"]);
        reply.replaceChildren(said, working);
      }
      [...fresh.children].slice(said.children.length).forEach((child) => said.append(child));
    } else {
      reply.innerHTML = turn.html;
    }
    reply.dataset.html = turn.html;
  }

  function keep() {
    const shown = turns.filter((turn) => turn.state !== "working");
    try {
      if (shown.length) sessionStorage.setItem(KEPT, JSON.stringify({ turns: shown, library, who }));
      else sessionStorage.removeItem(KEPT);
    } catch {
      // Full or forbidden: the conversation lasts as long as the page does.
    }
  }

  function restore() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
      if (!kept) return;
      turns = kept.turns;
      library = { sources: kept.library.sources, studies: { ...kept.library.studies, ...library.studies } };
      turns.forEach(draw);
      if (kept.who !== who) $(`#audience input[value="${kept.who}"]`)?.click();
    } catch {
      sessionStorage.removeItem(KEPT);
    }
  }

  function settled() {
    busy = "";
    clearTimeout(watch);
    document.body.classList.remove("asking");
    $(".tools").hidden = !turns.length;
    document.body.classList.toggle("begun", turns.length > 0);
    keep();
  }

  function fail(turn, sentence) {
    const retry = make("button", { type: "button", className: "retry quiet", textContent: words["reply.retry"] });
    const holder = make("div", {}, make("p", { className: "problem", textContent: sentence }), retry);
    Object.assign(turn, { state: "failed", html: holder.innerHTML });
    draw(turn);
    announce(sentence);
    settled();
  }

  function send(question, audience) {
    if (busy || !question.trim()) return;
    if (audience && audience !== who) $(`#audience input[value="${audience}"]`)?.click();
    fill(question);
    setTimeout(() => $("#ask").click(), 50); // Gradio takes the value over on its next tick
  }

  // --- what Gradio calls -------------------------------------------------------------------------------------------

  function ask(question, audience, study) {
    // An id is never used again, also after "Start anew": a watch set for an older turn must not end this one.
    latest = turns.reduce((most, turn) => Math.max(most, Number(turn.id.slice(1))), latest) + 1;
    const turn = { id: `t${latest}`, question: question.trim(), audience, state: "working", html: "" };
    const history = turns
      .filter((past) => past.state === "done")
      .slice(-MOST_TURNS / 2)
      .flatMap((past) => [{ role: "user", content: past.question }, { role: "assistant", content: past.text }]);
    const context = { turn: turn.id, history, known: Object.keys(library.sources) };
    turns.push(turn);
    busy = turn.id;
    refused = "";
    unsent = settle;
    attend();
    document.body.classList.add("asking", "begun");
    draw(turn);
    fill("");
    article(turn.id).scrollIntoView({ block: "start", behavior: motion() });
    announce(words["reply.working"]);
    return [question, audience, study, JSON.stringify(context)];
  }

  function show(json) {
    if (!json) return;
    const told = JSON.parse(json);
    const turn = turns.find((candidate) => candidate.id === told.turn);
    if (!turn || turn.state !== "working") return; // stopped meanwhile
    const { sources = {}, studies = {}, turn: _, ...rest } = told;
    Object.assign(library.sources, sources);
    Object.assign(library.studies, studies);
    Object.assign(turn, rest);
    draw(turn);
    attend();
    if (turn.state === "working") return;
    announce(`${words["reply.ready"]} ${($(".said, .problem", article(turn.id)) || {}).textContent || ""}`);
    settled();
  }

  function settle() {
    // Gradio is done with the question; if its last word isn't here soon, it was refused or cut off.
    const id = busy;
    setTimeout(() => {
      const turn = turns.find((candidate) => candidate.id === id);
      if (id && busy === id && turn) fail(turn, refused || words[navigator.onLine ? "reply.cut" : "reply.offline"]);
    }, 800);
  }

  function attend() {
    clearTimeout(watch);
    watch = setTimeout(settle, PATIENCE);
  }

  function stop() {
    const turn = turns.find((candidate) => candidate.id === busy);
    if (turn) fail(turn, words["reply.stopped"]);
    box().focus();
  }

  function audience(chosen) {
    who = chosen;
    document.body.dataset.audience = chosen;
    keep();
  }

  const rating = () => [rates];

  function rated(json) {
    if (!json) return;
    const told = JSON.parse(json);
    const node = article(told.turn);
    if (!node) return;
    const form = $("form.comment", node);
    const turn = turns.find((candidate) => candidate.id === told.turn);
    $("button", form).disabled = false;
    $(".problem", form)?.remove();
    if (!told.stored) {
      form.append(make("p", { className: "problem", textContent: told.said }));
      if (told.rating === turn.rated) pressed(turn, ""); // the thumb may be pressed again
    } else if (turn.comment) {
      thank(turn, told.said);
    }
    announce(told.said);
  }

  function thank(turn, sentence) {
    $("form.comment", article(turn.id)).replaceWith(make("p", { className: "thanks", textContent: sentence }));
    stored(turn);
  }

  // A thumb that was pressed stays so, also after a reload: an answer is rated once.
  function pressed(turn, rating) {
    turn.rated = rating;
    article(turn.id).querySelectorAll(".thumb").forEach((thumb) => (thumb.disabled = Boolean(rating)));
    stored(turn);
  }

  function stored(turn) {
    turn.html = $(".reply", article(turn.id)).innerHTML;
    keep();
  }

  // --- sources -----------------------------------------------------------------------------------------------------

  let reader, opener;

  function build() {
    reader = make("dialog", { id: "reader" });
    reader.setAttribute("aria-labelledby", "reader-title");
    const close = make("button", { type: "button", className: "close", textContent: "×", ariaLabel: words["source.close"] });
    const title = make("h2", { id: "reader-title", tabIndex: -1 });
    reader.append(make("div", { className: "top" }, title, close), make("div", { className: "text", tabIndex: 0 }));
    $(".text", reader).setAttribute("role", "region");
    $(".text", reader).setAttribute("aria-labelledby", "reader-title");
    document.body.append(reader);
    close.addEventListener("click", () => reader.close());
    reader.addEventListener("keydown", (event) => event.key === "Escape" && (event.preventDefault(), reader.close()));
    reader.addEventListener("close", () => {
      document.body.classList.remove("reading");
      document.querySelectorAll(".marker[aria-current]").forEach((marker) => marker.removeAttribute("aria-current"));
      if (opener?.isConnected) opener.focus({ preventScroll: true });
    });
    matchMedia(BESIDE).addEventListener("change", () => reader.open && present());
  }

  function present() {
    const back = opener;
    opener = null;
    if (reader.open) reader.close();
    opener = back;
    if (matchMedia(BESIDE).matches) reader.show();
    else reader.showModal();
    document.body.classList.add("reading");
  }

  function open(link) {
    const { source, start, end } = link.dataset;
    const held = library.sources[source];
    if (!held) return false;
    const study = library.studies[source.slice(0, source.lastIndexOf("/"))] || {};
    $("#reader-title").textContent = held.name;
    const about = make("p", { className: "study-name" }, [study.title, study.journal, study.year].filter(Boolean).join(" · "));
    const links = make("p", { className: "links" });
    for (const name of ["pubmed", "doi"]) {
      if (study[name]) {
        links.append(make("a", { href: study[name], target: "_blank", rel: "noopener noreferrer", textContent: words[`source.${name}`] }), " ");
      }
    }
    const hint = make("p", { className: "hint", textContent: words["source.passage"] });
    $(".text", reader).replaceChildren(about, links, hint, passage(held.text, Number(start), Number(end)));
    opener = link;
    present();
    document.querySelectorAll(".marker[aria-current]").forEach((marker) => marker.removeAttribute("aria-current"));
    if (link.matches(".marker")) link.setAttribute("aria-current", "true");
    const mark = $("mark", reader);
    if (mark) {
      mark.tabIndex = -1;
      mark.focus({ preventScroll: true });
      mark.scrollIntoView({ block: "center", behavior: "auto" });
    }
    return true;
  }

  // The source's text as it stands, line by line; offsets count characters, not UTF-16 units.
  function passage(text, start, end) {
    const holder = make("div", { className: "passage", dir: "auto" });
    let list = null;
    let at = 0;
    for (const line of text.split("\n")) {
      const characters = Array.from(line);
      const shown = /^(#{1,6} |- )?(.*)$/su.exec(line);
      const skipped = Array.from(shown[1] || "").length;
      const piece = (from, to) => characters.slice(Math.max(from, skipped), Math.max(to, skipped)).join("");
      const [from, to] = [Math.min(Math.max(start - at, 0), characters.length), Math.min(Math.max(end - at, 0), characters.length)];
      const tag = shown[1] ? (shown[1] === "- " ? "li" : shown[1].length === 2 ? "h3" : "h4") : "p";
      const node = make(tag);
      if (from < to) node.append(piece(0, from), make("mark", { textContent: piece(from, to) }), piece(to, characters.length));
      else node.append(piece(0, characters.length));
      if (tag === "li") {
        list = list || holder.appendChild(make("ul"));
        list.append(node);
      } else if (line.trim()) {
        list = null;
        holder.append(node);
      }
      at += characters.length + 1;
    }
    return holder;
  }

  // --- the quote on hover and focus --------------------------------------------------------------------------------

  let tip, leaving, quoted;
  let still = false; // put away by Escape: what then lies under a resting pointer doesn't count as hovered

  function quote(marker) {
    clearTimeout(leaving);
    tip = tip || $("#conversation").appendChild(make("div", { id: "quote", role: "tooltip" }));
    const where = make("span", { textContent: marker.dataset.section });
    tip.replaceChildren(make("q", { textContent: marker.dataset.quote, dir: "auto" }), where);
    tip.hidden = false;
    marker.setAttribute("aria-describedby", "quote");
    quoted = marker;
    beside();
  }

  function beside() {
    if (!tip || tip.hidden) return;
    const box = quoted.getBoundingClientRect();
    if (!quoted.isConnected || box.bottom < 0 || box.top > innerHeight) return unquote(0);
    const width = document.documentElement.clientWidth;
    tip.style.left = `${Math.max(12, Math.min(box.left, width - tip.offsetWidth - 12))}px`;
    const above = box.top - tip.offsetHeight - 6;
    tip.style.top = `${above > 8 ? above : box.bottom + 6}px`;
  }

  function unquote(later) {
    clearTimeout(leaving);
    if (tip) leaving = setTimeout(() => (tip.hidden = true), later);
  }

  // --- taking things along -----------------------------------------------------------------------------------------

  function download(name, type, text) {
    const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // No permission, or no https: the old way.
      const box = document.body.appendChild(make("textarea", { value: text }));
      box.select();
      document.execCommand("copy");
      box.remove();
    }
    announce(words["reply.copied"]);
  }

  // A thumb is sent when it is pressed; a comment follows it, marked so that it isn't counted as another rating.
  function rate(turn, rating, comment) {
    const { id, question, outcome, audience, study } = turn;
    turn.comment = comment;
    $("form.comment button", article(id)).disabled = true;
    rates = JSON.stringify({ turn: id, rating, comment, question, outcome, audience, study, at: Date.now() });
    unsent = () => rated(JSON.stringify({ turn: id, rating, stored: false, said: refused || words["reply.cut_rating"] }));
    const lost = unsent;
    setTimeout(() => $("form.comment button", article(id) || document)?.disabled && lost(), RATED);
    $("#rate").click();
  }

  function comment(form) {
    const turn = turnOf(form);
    const text = $("textarea", form).value;
    if (turn.rated && !text.trim()) return thank(turn, words["reply.thanks"]);
    const thumb = $('.thumb[aria-pressed="true"]', article(turn.id)).dataset.rating;
    if (turn.rated) return rate(turn, `${thumb}+`, text);
    pressed(turn, thumb); // it didn't arrive when it was pressed: now both at once
    rate(turn, thumb, text);
  }

  const motion = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");

  const clicks = {
    "a.marker, a.open": (node) => open(node),
    "button.ask": (node) => (send(node.textContent), true),
    "button.retry": (node) => {
      const turn = turnOf(node);
      if (!turn || busy) return true;
      turns = turns.filter((other) => other !== turn);
      article(turn.id).remove();
      send(turn.question, turn.audience);
      return true;
    },
    "button.copy": (node) => {
      copy(turnOf(node).copy);
      const before = node.textContent;
      node.textContent = words["reply.copied"];
      setTimeout(() => (node.textContent = before), 2500);
      return true;
    },
    "button.thumb": (node) => {
      const turn = turnOf(node);
      const form = $("form.comment", article(turn.id));
      node.closest(".rate").querySelectorAll(".thumb").forEach((thumb) => thumb.setAttribute("aria-pressed", thumb === node));
      form.hidden = false;
      $("textarea", form).focus();
      pressed(turn, node.dataset.rating);
      rate(turn, node.dataset.rating, "");
      return true;
    },
    "button.reference": (node) => {
      const file = library.studies[node.dataset.study].references[Number(node.dataset.format)];
      download(file.name, file.type, file.text);
      return true;
    },
    "button.save": () => {
      const parts = turns.filter((turn) => turn.state === "done").map((turn) => turn.export);
      download(words["conversation.file"], "text/markdown", [`# ${words.title}\n\n${words["conversation.head"]}`, ...parts].join("\n\n"));
      return true;
    },
    "button.clear": () => {
      if (busy) return true;
      turns = [];
      if (reader.open) reader.close();
      $("#conversation .turns").replaceChildren();
      settled();
      announce(words["conversation.cleared"]);
      box().focus();
      return true;
    },
  };

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    if (event.target.closest("#ask") && blank(event)) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    for (const [selector, act] of Object.entries(clicks)) {
      const node = event.target.closest(selector);
      if (node) {
        if (act(node)) event.preventDefault();
        unquote(0);
        return;
      }
    }
  }, true);
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form.comment")) {
      event.preventDefault();
      comment(event.target);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && tip && !tip.hidden) {
      still = true;
      unquote(0);
    }
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target === box()) blank(event);
  }, true);
  // Nothing is asked while a question is being answered, nor an empty one.
  function blank(event) {
    if (!busy && box().value.trim()) return false;
    event.preventDefault();
    event.stopImmediatePropagation();
    box().focus();
    return true;
  }
  for (const [name, shown] of [["mouseover", true], ["focusin", true], ["mouseout", false], ["focusout", false]]) {
    document.addEventListener(name, (event) => {
      const marker = event.target instanceof Element && event.target.closest(".marker, #quote");
      if (!marker) return;
      if (!shown) unquote(name === "focusout" ? 0 : 200);
      else if (marker.id === "quote") clearTimeout(leaving);
      else if (name === "focusin" || !still) quote(marker);
    });
  }
  addEventListener("mousemove", () => (still = false), { passive: true });
  addEventListener("scroll", beside, { passive: true });

  // Of a request that is refused, or never arrives, Gradio tells only in passing; the reader is told in its place.
  const fetched = window.fetch;
  window.fetch = async (...request) => {
    if (!String(request[0]?.url || request[0]).includes("/queue/join")) return fetched(...request);
    const failed = unsent;
    unsent = () => {};
    try {
      const response = await fetched(...request);
      if (!response.ok) {
        refused = await response.clone().json().then((told) => String(told.detail || ""), () => "");
        failed();
      }
      return response;
    } catch {
      refused = "";
      failed();
      return new Response("{}", { status: 503 }); // Gradio would wait for ever on an exception
    }
  };

  // --- start -------------------------------------------------------------------------------------------------------

  function start() {
    const page = JSON.parse($("#conversation").dataset.page);
    words = page.words;
    library.studies = page.studies;
    document.body.dataset.audience = who;
    box().dir = "auto";
    // One group of radio buttons, so that arrow keys move in it, and with its name, which Gradio leaves out.
    $("#audience").setAttribute("role", "radiogroup");
    $("#audience").setAttribute("aria-label", $('#audience [data-testid="block-info"]').textContent.trim());
    document.querySelectorAll("#audience input").forEach((input) => (input.name = "audience"));
    build();
    restore();
    $(".tools").hidden = !turns.length;
    document.body.classList.toggle("begun", turns.length > 0);
    document.body.classList.add("ready");
  }

  const waiting = new MutationObserver(() => {
    if ($("#conversation") && box() && $("#rate") && $("#audience input")) {
      waiting.disconnect();
      start();
    }
  });
  waiting.observe(document.documentElement, { childList: true, subtree: true });

  return { ask, show, settle, stop, audience, rating, rated };
})();
window.studyPage = studyPage;
