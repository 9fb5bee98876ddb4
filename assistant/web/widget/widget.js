/* Study Assistant widget: ask a study, on any website
 *
 *   <script src="https://host/widget.js" data-study="28287490" data-audience="parent" async></script>
 *   <study-assistant study="28287490"></study-assistant>
 *
 * What comes over the wire becomes text nodes; nothing here parses HTML. Options, methods, events: README.md.
 */
(() => {
  'use strict';

  const NAME = 'study-assistant';
  const OPTIONS = ['position', 'accent', 'greeting', 'lang', 'audience', 'study', 'open', 'host'];
  const SCRIPT = document.currentScript;
  const HOST = new URL('.', SCRIPT?.src || document.baseURI).href;
  const LIMIT = 2000; // characters
  const SLOW = 8000; // milliseconds until we say so
  const PATIENCE = 30000; // milliseconds without a heartbeat

  // ---- Words

  const WORDS = {
    en: {
      name: 'Study Assistant', launch: 'Ask about this study', close: 'Close', fresh: 'New conversation',
      hello: 'Hello! Ask me what the study found. Each answer shows its source.',
      log: 'Conversation', ask: 'Your question', send: 'Send', you: 'You asked:',
      note: 'About a study, not medical advice. In an emergency, call your emergency number.',
      wait: 'Reading the study…', slow: 'Still reading the study…', kept: 'Your question is kept.',
      long: 'At most 2000 characters, please; this question has {n}.',
      offline: 'You seem to be offline.', lost: 'The assistant can’t be reached.',
      cut: 'The connection broke before the end of the answer.', late: 'No answer came in time.',
      busy: 'Many questions right now: please try again in {n} seconds.',
      fail: 'Something went wrong on our side.', gone: 'No answer yet.', retry: 'Try again',
      summary: 'Study page, summary', technical: 'Study page, technical part', published: 'Published paper',
      study: 'Study record', link: 'Open the study', read: 'Read in context',
      figures: 'Figures and chart', chart: 'Chart of the figures', more: 'You could ask',
      columns: ['Measure', 'Group', 'Figure', 'Source'], up: 'Helpful', down: 'Not helpful',
      comment: 'Why? (optional)', thanks: 'Thank you.', unrated: 'That could not be sent.',
    },
    fr: {
      name: 'Assistant d’étude', launch: 'Interroger cette étude', close: 'Fermer', fresh: 'Nouvelle conversation',
      hello: 'Bonjour ! Demandez-moi, en anglais, ce que l’étude a montré. Chaque réponse cite sa source.',
      log: 'Conversation', ask: 'Votre question', send: 'Envoyer', you: 'Vous avez demandé :',
      note: 'Sur une étude ; pas un avis médical. En cas d’urgence, appelez les secours.',
      wait: 'Lecture de l’étude…', slow: 'Lecture toujours en cours…', kept: 'Votre question est gardée.',
      long: 'Au plus 2000 caractères ; cette question en a {n}.',
      offline: 'Vous semblez hors ligne.', lost: 'L’assistant est injoignable.',
      cut: 'La connexion s’est interrompue avant la fin.', late: 'Pas de réponse à temps.',
      busy: 'Beaucoup de questions en ce moment : réessayez dans {n} secondes.',
      fail: 'Une erreur s’est produite de notre côté.', gone: 'Pas encore de réponse.', retry: 'Réessayer',
      summary: 'Page de l’étude, résumé', technical: 'Page de l’étude, partie technique', published: 'Article publié',
      study: 'Notice de l’étude', link: 'Ouvrir l’étude', read: 'Lire dans le texte',
      figures: 'Chiffres et graphique', chart: 'Graphique des chiffres', more: 'Vous pouvez demander',
      columns: ['Mesure', 'Groupe', 'Valeur', 'Source'], up: 'Utile', down: 'Pas utile',
      comment: 'Pourquoi ? (facultatif)', thanks: 'Merci.', unrated: 'L’envoi a échoué.',
    },
  };
  const EXAMPLES = ['What did the study find?', 'Who took part?', 'What are the study’s limitations?'];

  // ---- Looks; "!important" on :host beats every rule of the page

  const LOOKS = `
:host { all: initial !important; direction: ltr !important; display: block !important; color-scheme: light dark !important }
:host([position]) { display: contents !important }
[hidden], :host([hidden]) { display: none !important }
* { box-sizing: border-box; margin: 0 }
.box { --paper: #fff; --soft: #f3f5f8; --ink: #1b2430; --grey: #566072; --line: #d9dee6;
  --link: var(--link-light); --warm: #fff6e5; --amber: #b26a00; --red: #b3261e;
  color: var(--ink); font: 1em/1.5 system-ui, sans-serif }
.box[popover] { position: fixed; inset: 0 auto auto 0; width: 0; height: 0; padding: 0; border: 0; overflow: visible }
button, textarea { font: inherit; color: inherit; border: 1px solid transparent; border-radius: 10px; background: none }
button { cursor: pointer; padding: 4px 12px; min-height: 34px; text-align: left }
button:hover { box-shadow: inset 0 0 0 1px }
svg { width: 20px; height: 20px; flex: none; fill: none; stroke: currentColor; stroke-width: 2;
  stroke-linecap: round }
a { color: var(--link) }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
.fill { background: var(--accent); color: var(--on) }
.launch { display: flex; align-items: center; gap: 10px; min-height: 52px; max-width: 90vw; padding: 8px 20px;
  border-radius: 26px; font-weight: 600; line-height: 1.3 }
.panel { display: flex; flex-direction: column; background: var(--paper); color: var(--ink); overflow: hidden;
  padding: 0; border: 1px solid var(--line); border-radius: 16px; overflow-wrap: anywhere }
.inline .panel { height: min(38em, 85vh) }
.float > * { position: fixed; inset: auto 20px calc(20px + var(--gap, 0px)) auto;
  box-shadow: 0 0 0 2px #fff8, 0 8px 36px #0006 }
.float .launch:focus-visible { outline: 3px solid #000; box-shadow: 0 0 0 8px #fff }
.left > * { right: auto; left: 20px }
.top > * { bottom: auto; top: 20px }
.float .panel { width: 400px; height: min(640px, var(--high, 100vh) - 40px); max-width: none; max-height: none }
dialog.panel:not([open]) { display: none }
.head { display: flex; align-items: center; min-height: 52px; padding: 0 8px 0 18px }
.head :focus-visible { outline-color: var(--on); outline-offset: -3px }
h2 { flex: 1; font-size: 1.05em }
.icon { display: grid; place-items: center; padding: 0; width: 36px; height: 36px; flex: none }
.log { flex: 1; overflow: auto; overscroll-behavior: contain; position: relative; padding: 18px; min-height: 0 }
.log:focus-visible { outline-offset: -3px }
.turn { padding-top: 20px }
.turn:last-child { min-height: calc(100% + 18px) }
.turn:not(:last-child) .more { display: none }
.you { width: fit-content; max-width: 88%; margin: 0 0 14px auto; padding: 8px 14px; white-space: pre-wrap;
  border: 1px solid transparent; border-radius: 16px }
.log > * + *, .reply > * + *, .said > * + *, li + li { margin-top: 8px }
[tabindex="-1"] { outline: none }
ul, ol { padding-left: 1.3em }
.notice, .trouble, .urgent .said { padding: 10px 12px; border-radius: 10px; background: var(--warm);
  border: 1px solid var(--line); border-left: 4px solid var(--amber) }
.urgent .said { border-color: var(--red) }
.trouble button { margin-top: 8px }
.wait { color: var(--grey) }
.wait::before { content: "● " }
.cite { padding: 0 4px; margin: 0 1px; min-height: 0; font-size: .82em; font-weight: 600; line-height: 1.3;
  color: var(--link); background: var(--soft); border-color: var(--line); border-radius: 6px }
.card { margin-top: 8px; padding: 10px 12px; background: var(--soft); border: 1px solid var(--line);
  border-radius: 10px; font-size: .92em }
.from { display: flex; align-items: start; color: var(--grey) }
.from span { flex: 1 }
.from button { margin: -7px -8px 0 0 }
blockquote { margin: 6px 0 10px; padding-left: 12px; border-left: 3px solid var(--link); white-space: pre-line }
.row { display: flex; flex-wrap: wrap; gap: 8px }
.quiet { border-color: var(--grey) }
.more { display: grid; gap: 7px; justify-items: start }
.more, .rate, details { font-size: .92em }
.more p, .rate p, th { color: var(--grey); font-weight: 600 }
summary { cursor: pointer; color: var(--link); font-weight: 600 }
table { border-collapse: collapse; font-size: .92em; overflow-wrap: break-word; width: 100% }
th, td { text-align: left; vertical-align: top; padding: 6px 10px 6px 0; border-bottom: 1px solid var(--line) }
img { display: block; width: 100%; margin-top: 8px }
textarea { display: block; width: 100%; padding: 9px 12px; border-color: var(--grey); background: var(--paper);
  resize: none; min-height: 44px; max-height: 8em; field-sizing: content }
::placeholder { color: var(--grey); opacity: 1 }
.foot { padding: 10px 12px; border-top: 1px solid var(--line) }
.ask { display: flex; gap: 8px; align-items: end }
.ask .icon { width: 44px; height: 44px }
.note { margin-top: 8px; font-size: .8em; line-height: 1.3; color: var(--grey); text-align: center }
@media (max-width: 560px), (max-height: 480px) {
  .float .panel { inset: var(--up, 0) 0 auto; width: 100%; height: var(--high, 100dvh); border: 0; border-radius: 0 }
}
@media (max-height: 420px) {
  .float .panel[open] { display: block; overflow: auto }
  .turn:last-child { min-height: 0 }
}
@media (prefers-color-scheme: dark) {
  .box { --paper: #161b22; --soft: #202732; --ink: #e7ebf1; --grey: #a4afbf; --line: #333d4b;
    --link: var(--link-dark); --warm: #30260f; --amber: #e0a33a; --red: #ff8a80 }
}
@media (prefers-reduced-motion: no-preference) {
  .float .panel { animation: fade .2s }
  .wait::before { animation: fade .8s infinite alternate }
  @keyframes fade { from { opacity: .1 } }
}
@media print { :host([position]) { display: none !important } }
`;
  let sheet;

  // ---- Nodes

  function make(tag, props, ...children) {
    const node = Object.assign(document.createElement(tag), props);
    node.append(...children);
    return node;
  }

  const CHAT = 'M21 12a8 8 0 0 1-8 8H4l2-3a8 8 0 1 1 15-5zM9 10h8M9 14h5';
  const CROSS = 'M6 6l12 12M18 6L6 18';
  const FRESH = 'M4 12a8 8 0 1 0 2-6L4 8M4 4v4h4';
  const SEND = 'M12 20V5M6 11l6-6 6 6';

  function icon(d) {
    const [svg, path] = ['svg', 'path'].map((tag) => document.createElementNS('http://www.w3.org/2000/svg', tag));
    svg.setAttribute('viewBox', '0 0 24 24');
    path.setAttribute('d', d);
    svg.append(path);
    return svg;
  }

  const iconButton = (label, d, onclick, className = 'icon') =>
    make('button', { className, title: label, ariaLabel: label, onclick }, icon(d));

  const textButton = (text, onclick, props) => make('button', { className: 'quiet', onclick, ...props }, text);

  /** Return a link, or just the text where the address is not of the web. */
  const link = (url, text) =>
    /^https?:\/\//i.test(url) ? make('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, `${text} ↗`) : text;

  // ---- Colours: three numbers from 0 to 1 (WCAG 2.2, contrast ratio)

  function contrast(one, other) {
    const [low, high] = [one, other].map((rgb) => {
      const [r, g, b] = rgb.map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    }).sort((a, b) => a - b);
    return high / low;
  }

  /** Return the colour, moved towards black (0) or white (1) until text in it reads on the ground. */
  function readable(colour, ground, end) {
    for (let share = 0; share < 1; share += 0.04) {
      const moved = colour.map((x) => x + (end - x) * share);
      if (contrast(moved, ground) >= 4.6) return moved;
    }
    return [end, end, end];
  }

  /** Return the numbers of a CSS colour in any notation, or deep teal. */
  function resolve(css, element) {
    const { style } = element;
    if (css && CSS.supports('color', css)) style.color = `color-mix(in srgb, ${css}, ${css})`;
    const [, found] = getComputedStyle(element).color.match(/^color\(srgb ([\d. -]*\d)/) || [];
    style.color = '';
    return (found || '.047 .388 .408').split(' ').map((x) => Math.min(Math.max(x, 0), 1));
  }

  // ---- Text: Markdown into nodes

  const INLINE = /\\([!-/:-@[-`{-~])|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\][]+)\]\(([^\s()]+)\)|\[(\d{1,3})\]/g;

  /** Return nodes for a line; `mark` makes its markers. */
  function inline(line, mark) {
    const nodes = [];
    let at = 0;
    for (const { 0: all, index, 1: escaped, 2: strong, 3: em, 4: text, 5: url, 6: number } of line.matchAll(INLINE)) {
      nodes.push(line.slice(at, index));
      at = index + all.length;
      if (number) nodes.push(mark(+number) || all);
      else if (url) nodes.push(link(url, text));
      else nodes.push(escaped || make(strong ? 'strong' : 'em', {}, ...inline(strong || em, mark)));
    }
    return [...nodes, line.slice(at)];
  }

  function blocks(text, mark) {
    const out = [];
    let list, open;
    for (const line of text.split(/\r?\n/)) {
      const [, bullet, item] = /^\s*([-*+•]|\d{1,3}[.)])\s+(.*)/.exec(line) || [];
      const start = parseInt(bullet, 10);
      const kind = start >= 0 ? 'ol' : 'ul';
      if (!line.trim()) {
        open = undefined;
      } else if (bullet) {
        if (list?.localName !== kind) out.push((list = make(kind, { start })));
        list.append((open = make('li', { dir: 'auto' }, ...inline(item, mark))));
      } else if (open) {
        open.append(' ', ...inline(line, mark));
      } else {
        list = undefined;
        out.push((open = make('p', { dir: 'auto' }, ...inline(line.replace(/^#+ (.*)/, '**$1**'), mark))));
      }
    }
    return out;
  }

  // ---- Server

  /** Why no answer came: `kind` is a key of WORDS, or "detail" for the server's own words. */
  const trouble = (kind, problem = {}, seconds = 0) => Object.assign(new Error(problem.detail || kind), { kind, problem, seconds });

  function refusal(problem, status, seconds) {
    if (status === 429 || status === 503) return trouble('busy', problem, +seconds || problem.retry_after || 10);
    return trouble(status < 500 && problem.detail ? 'detail' : 'fail', problem);
  }

  /** Yield [event, data] of server-sent events; a heartbeat has neither. */
  async function* events({ body }) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (text + value).split(/\r?\n\r?\n/);
      text = parts.pop();
      for (const part of parts) yield ['event', 'data'].map((field) => part.match(`(?:^|\n)${field}: ?(.*)`)?.[1]);
    }
  }

  /** Return the answer; `heard` is told each statement and heartbeat. `whole`: not as a stream. */
  async function request(url, body, signal, whole, heard) {
    let response = await post(whole ? url : `${url}/stream`, body, signal);
    if (response.status === 404) response = await post(url, body, signal);
    const { ok, status, headers } = response;
    if (!ok) throw refusal(await response.json().catch(() => ({})), status, headers.get('Retry-After'));
    if (!headers.get('Content-Type').startsWith('text/event-stream')) return response.json();
    for await (const [event, data] of events(response)) {
      const value = event && JSON.parse(data);
      heard(event === 'statement' && value);
      if (event === 'answer') return value;
      if (event === 'error') throw refusal(value, value.status);
    }
    throw trouble('cut');
  }

  const post = (url, body, signal) => fetch(url, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), credentials: 'omit', signal });

  // ---- Element

  class StudyAssistant extends HTMLElement {
    static observedAttributes = OPTIONS;
    #nodes; // what build() made
    #words;
    #turns = []; // { question, answer?, rated? }
    #shown = false;
    #control; // aborts the question under way
    #card; // the open quote and its marker
    #back; // where focus returns to

    connectedCallback() {
      if (this.#nodes) this.#place();
      else this.#build();
    }

    disconnectedCallback() {
      // Where an app only moves us, we are back before this runs.
      queueMicrotask(() => this.isConnected || this.#control?.abort('gone'));
      this.#watch(false);
    }

    attributeChangedCallback(name, before, now) {
      if (!this.#nodes || before === now) return;
      if (name === 'open') this.#show(now !== null && now !== 'false');
      else this.#build();
    }

    open() { this.#show(true, true); }

    close() { this.#show(false, true); }

    async ask(question) {
      const text = `${question}`.trim();
      if (!text || [...text].length > LIMIT) throw new Error(`expected a question of 1 to ${LIMIT} characters`);
      this.open();
      return this.#ask(text);
    }

    get #floats() { return this.hasAttribute('position'); }

    get #study() { return this.getAttribute('study') || ''; }

    #at(path) { return new URL(path, this.getAttribute('host') || HOST).href; }

    get #narrow() { return matchMedia('(max-width: 560px), (max-height: 480px)').matches; }

    #emit(name, detail) {
      this.dispatchEvent(new CustomEvent(`${NAME}:${name}`, { bubbles: true, composed: true, detail }));
    }

    get #key() { return [NAME, 1, this.id, this.#floats, this.#study].join(); }

    #recall() {
      try {
        return JSON.parse(sessionStorage.getItem(this.#key)).filter((turn) => turn.question.trim());
      } catch {
        return []; // none yet, or barred
      }
    }

    #keep() {
      try {
        if (this.#turns.length) sessionStorage.setItem(this.#key, JSON.stringify(this.#turns));
        else sessionStorage.removeItem(this.#key);
      } catch {}
    }

    /** (Re)make everything from the attributes and the conversation. */
    #build() {
      if (!this.#nodes) {
        if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(LOOKS);
        const root = this.attachShadow({ mode: 'open' });
        root.adoptedStyleSheets = [sheet];
        // The page's shortcuts must not fire here.
        for (const type of ['keydown', 'keyup', 'keypress']) root.addEventListener(type, (event) => this.#typed(event));
        const open = this.getAttribute('open');
        // Not over a phone's whole screen.
        this.#shown = this.#floats ? open !== null && open !== 'false' && !this.#narrow : open !== 'false';
      }
      this.#control?.abort('gone');
      this.#fold();
      const lang = (this.closest('[lang]')?.lang || '').slice(0, 2).toLowerCase() === 'fr' ? 'fr' : 'en';
      const words = (this.#words = WORDS[lang]);
      const floats = this.#floats;
      const launch = make('button', { className: 'launch fill', onclick: () => this.open() }, icon(CHAT), words.launch);
      const title = make('h2', { tabIndex: -1 }, words.name);
      const fresh = iconButton(words.fresh, FRESH, () => this.#restart());
      const close = iconButton(words.close, CROSS, () => this.close());
      close.hidden = !floats;
      const examples = this.#suggestions(EXAMPLES);
      const log = make('div', { className: 'log', role: 'group', tabIndex: 0, ariaLabel: words.log },
        make('p', { dir: 'auto' }, this.getAttribute('greeting') || words.hello), examples);
      const input = make('textarea', { rows: 1, dir: 'auto', placeholder: words.ask, ariaLabel: words.ask,
        value: this.#nodes?.input.value || '', oninput: () => input.setCustomValidity('') });
      const ask = make('div', { className: 'ask' }, input, iconButton(words.send, SEND, (event) => this.#submit(event), 'icon fill'));
      const status = make('div', { className: 'sr', role: 'status' });
      const panel = make(floats ? 'dialog' : 'div', { className: 'panel' },
        make('div', { className: 'head fill' }, title, fresh, close), log,
        make('div', { className: 'foot' }, ask, make('p', { className: 'note' }, words.note)), status);
      const box = make('section', { lang, ariaLabel: `${floats ? words.name : words.launch} ${this.#study}`,
        className: `box ${floats ? `float ${this.getAttribute('position').replace('-', ' ')}` : 'inline'}` }, launch, panel);
      if (floats) {
        launch.ariaHasPopup = 'dialog';
        panel.ariaLabel = words.name;
        panel.oncancel = () => this.close(); // Android's back gesture
        box.popover = 'manual'; // the top layer: above any z-index
      }
      this.#nodes = { box, launch, panel, title, fresh, examples, log, input, status };
      this.shadowRoot.replaceChildren(box);
      this.#paint();
      this.#turns = this.#recall();
      for (const turn of this.#turns) this.#fill(turn, this.#add(turn));
      this.#tidy();
      this.#place();
    }

    /** Set the accent's colours; text in it and on it keeps 4.5:1. */
    #paint() {
      const { box } = this.#nodes;
      const accent = resolve(this.getAttribute('accent'), box);
      const colours = {
        accent,
        on: contrast(accent, [1, 1, 1]) >= 4.5 ? [1, 1, 1] : [0, 0, 0],
        'link-light': readable(accent, [0.95, 0.95, 0.95], 0), // as --soft
        'link-dark': readable(accent, [0.15, 0.15, 0.2], 1),
      };
      for (const [name, rgb] of Object.entries(colours)) box.style.setProperty(`--${name}`, `rgb(${rgb.map((x) => x * 255).join(' ')})`);
    }

    /** Show what should be shown, also after an app has moved us. */
    #place() {
      const { box, launch, panel } = this.#nodes;
      const shown = this.#shown;
      launch.hidden = shown;
      this.#watch(shown && this.#floats);
      if (!this.#floats) {
        panel.hidden = !shown;
        return;
      }
      box.togglePopover?.(true);
      panel.close();
      if (!shown) return;
      if (this.#narrow) panel.showModal(); // nothing behind it may take focus
      else panel.setAttribute('open', ''); // show() would move focus
    }

    #show(on, byHand) {
      if (!this.#nodes || on === this.#shown) return;
      const { launch, title, input, panel } = this.#nodes;
      const active = document.activeElement;
      if (on) this.#back = active === this || active === document.body ? launch : active;
      const inside = byHand || panel.matches(':focus-within');
      this.#shown = on;
      this.#place();
      this.setAttribute('open', on ? '' : 'false');
      if (on && byHand) (matchMedia('(pointer: coarse)').matches ? title : input).focus({ preventScroll: true });
      if (!on && inside) (this.#back?.isConnected ? this.#back : launch).focus({ preventScroll: true });
      this.#emit(on ? 'open' : 'close');
    }

    /** Stay inside what an on-screen keyboard leaves visible; leave pinch zoom alone. */
    #fit = () => {
      const { height, offsetTop, scale } = visualViewport;
      if (scale > 1.05) return;
      const sizes = { high: height, up: offsetTop, gap: Math.max(innerHeight - height - offsetTop, 0) };
      for (const [name, size] of Object.entries(sizes)) this.#nodes.box.style.setProperty(`--${name}`, `${size}px`);
    };

    #watch(on) {
      for (const type of ['resize', 'scroll']) visualViewport[on ? 'addEventListener' : 'removeEventListener'](type, this.#fit);
      if (on) this.#fit();
    }

    #typed(event) {
      event.stopPropagation();
      if (event.type !== 'keydown' || event.isComposing) return;
      if (event.key === 'Escape' && (this.#card || this.#floats)) {
        event.preventDefault();
        if (this.#card) this.#fold(true);
        else this.close();
      }
      if (event.key === 'Enter' && !event.shiftKey && event.target === this.#nodes.input) this.#submit(event);
    }

    #submit(event) {
      event.preventDefault();
      if (this.#control) return; // one at a time; what is typed stays
      const { input } = this.#nodes;
      const text = input.value.trim();
      const n = [...text].length;
      if (n > LIMIT) {
        input.setCustomValidity(this.#words.long.replace('{n}', n));
        input.reportValidity();
      } else if (text) {
        input.value = '';
        this.#ask(text).catch(() => {});
      }
    }

    #suggestions(questions) {
      return make('div', { className: 'more' }, make('p', {}, this.#words.more),
        ...questions.map((text) => textButton(text, () => this.#ask(text).catch(() => {}), { lang: 'en' })));
    }

    #tidy() {
      const { examples, fresh } = this.#nodes;
      examples.hidden = this.#turns.length > 0;
      fresh.hidden = !examples.hidden;
    }

    #restart() {
      this.#control?.abort('gone');
      this.#card = undefined;
      this.#turns = [];
      this.#keep();
      this.#tidy();
      const { log, input, status } = this.#nodes;
      for (const node of [...log.querySelectorAll('.turn'), ...status.children]) node.remove();
      input.focus({ preventScroll: true });
    }

    #say(text) {
      this.#nodes.status.append(make('p', {}, text));
    }

    #add({ question }) {
      const reply = make('div', { className: 'reply', tabIndex: -1 });
      this.#nodes.log.append(make('div', { className: 'turn' },
        make('p', { className: 'sr' }, this.#words.you), make('p', { className: 'you fill', dir: 'auto' }, question), reply));
      return reply;
    }

    #ask(question) {
      const turn = { question };
      this.#turns.push(turn);
      this.#emit('question', { question });
      return this.#run(turn, this.#add(turn));
    }

    async #run(turn, reply, whole) {
      this.#control?.abort('gone');
      const control = (this.#control = new AbortController());
      const { activeElement } = this.shadowRoot;
      const { log, input, status } = this.#nodes;
      const words = this.#words;
      const { question } = turn;
      const said = make('div', { className: 'said', lang: 'en' });
      const wait = make('p', { className: 'wait' }, words.wait);
      let patience;
      const heard = (statement) => {
        clearTimeout(patience);
        patience = setTimeout(() => control.abort('late'), PATIENCE);
        if (statement) said.append(...this.#blocks(statement));
      };
      const slow = setTimeout(() => this.#say((wait.textContent = words.slow)), SLOW);
      this.#fold();
      this.#keep();
      this.#tidy();
      reply.replaceChildren(said, wait);
      status.replaceChildren();
      this.#say(words.wait);
      log.scrollTop = reply.parentNode.offsetTop;
      if (activeElement && activeElement !== input) reply.focus({ preventScroll: true });
      const history = this.#turns.slice(0, this.#turns.indexOf(turn)).filter((t) => t.answer).slice(-3)
        .flatMap((t) => [{ role: 'user', content: t.question }, { role: 'assistant', content: [...t.answer.text].slice(0, LIMIT).join('') }]);
      const body = { question, history, audience: this.getAttribute('audience') || 'parent', study: this.#study || null };
      try {
        heard();
        const answer = await request(this.#at('api/v1/ask'), body, control.signal, whole, heard);
        const unfolded = this.#card?.marker.textContent;
        this.#fold();
        this.#fill(Object.assign(turn, { answer }), reply);
        this.#say(reply.firstChild.textContent.replace(/\s*\[\d+\]/g, ''));
        [...reply.querySelectorAll('.cite')].find((marker) => marker.textContent === unfolded)?.click();
        this.#emit('answer', { question, answer });
        return answer;
      } catch (error) {
        const { aborted, reason } = control.signal;
        const kind = aborted ? reason : navigator.onLine ? (said.firstChild ? 'cut' : 'lost') : 'offline';
        const found = error.kind ? error : trouble(error instanceof SyntaxError ? 'fail' : kind);
        wait.replaceWith(this.#trouble(turn, reply, found));
        this.#say(reply.lastChild.firstChild.textContent);
        this.#emit('error', { question, ...found });
        throw found;
      } finally {
        clearTimeout(patience);
        clearTimeout(slow);
        if (this.#control === control) {
          this.#control = undefined;
          this.#keep();
        }
      }
    }

    #trouble(turn, reply, { kind, seconds, problem }) {
      const words = this.#words;
      const text = `${kind === 'detail' ? problem.detail : words[kind].replace('{n}', seconds)} ${words.kept}`;
      // Some proxies break streams: next time in one piece.
      const again = () => this.#run(turn, reply, kind === 'cut').catch(() => {});
      return make('div', { className: 'trouble' }, make('p', {}, text), textButton(words.retry, again));
    }

    #blocks({ text, citations }) {
      return blocks(text, (number) => {
        const citation = citations.find((c) => c.number === number);
        return citation && this.#marker(citation);
      });
    }

    #fill(turn, reply) {
      const { answer } = turn;
      if (!answer) return reply.replaceChildren(this.#trouble(turn, reply, trouble('gone')));
      const nodes = this.#blocks(answer);
      for (const { page, page_citation: a, published_citation: b } of answer.conflicts) {
        // The paragraph that tells the conflict is set apart.
        const parts = [page, `[${a.number}]`, `[${b.number}]`];
        nodes.findLast((node) => parts.every((part) => node.textContent.includes(part)))?.classList.add('notice');
      }
      reply.parentNode.classList.toggle('urgent', answer.outcome === 'urgent');
      reply.replaceChildren(make('div', { className: 'said', lang: 'en' }, ...nodes));
      if (answer.findings.length) reply.append(this.#figures(answer.findings));
      if (answer.follow_ups.length) reply.append(this.#suggestions(answer.follow_ups));
      if (answer.outcome !== 'urgent') reply.append(this.#rating(turn));
    }

    #marker(citation) {
      const { number, section, quote } = citation;
      const marker = make('button', { className: 'cite', title: quote, ariaExpanded: false, ariaLabel: `[${number}] ${section}`,
        onclick: () => (this.#card?.marker === marker ? this.#fold(true) : this.#unfold(marker, citation)) }, `[${number}]`);
      return marker;
    }

    #fold(refocus) {
      if (!this.#card) return;
      const { node, marker } = this.#card;
      this.#card = undefined;
      node.remove();
      marker.ariaExpanded = false;
      if (refocus) marker.focus();
    }

    #unfold(marker, { number, pmid, source, section, quote, start, end, url }) {
      this.#fold();
      const words = this.#words;
      const from = `[${number}] ${words[source] || source} › ${section}`;
      const node = make('div', { className: 'card', role: 'group', tabIndex: -1, ariaLabel: from },
        make('p', { className: 'from' }, make('span', {}, from), iconButton(words.close, CROSS, () => this.#fold(true))),
        make('blockquote', { dir: 'auto', lang: 'en' }, quote),
        make('div', { className: 'row' }, link(this.#at(`read/${pmid}/${source}?start=${start}&end=${end}#quote`), words.read),
          link(url, words.link)));
      marker.closest('li, p').append(node);
      marker.ariaExpanded = true;
      this.#card = { node, marker };
      node.focus();
    }

    #figures(findings) {
      const words = this.#words;
      const join = (...parts) => parts.filter((part) => part || part === 0).join(' ');
      const row = (tag, cells) => make('tr', {}, ...cells.map((cell) => make(tag, {}, cell)));
      const rows = findings.map((f) => row('td', [
        `${f.measure}, ${f.who}`, join(f.cohort, f.n && `(n = ${f.n})`),
        join(f.statistic, f.value, f.unit, f.low !== null && `(${f.low}–${f.high})`, f.p && `p ${f.p}`),
        words[f.source]]));
      const chart = make('img', { alt: words.chart, hidden: true, onload: () => (chart.hidden = false) });
      const [{ pmid, measure }] = findings;
      const theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
      const src = this.#at(`api/v1/studies/${pmid}/chart.svg?${new URLSearchParams({ measure, theme })}`);
      return make('details', { ontoggle: () => chart.src || (chart.src = src) }, make('summary', {}, words.figures),
        make('table', {}, row('th', words.columns), ...rows), chart);
    }

    /** A thumb counts at once; a comment follows. */
    #rating(turn) {
      const words = this.#words;
      const { outcome, citations } = turn.answer;
      const told = make('p', { tabIndex: -1 });
      const comment = make('textarea', { maxLength: LIMIT, placeholder: words.comment, ariaLabel: words.comment });
      const send = async (rating, ...next) => {
        const before = [...row.children];
        const body = { rating, comment: comment.value, outcome, study: citations[0]?.pmid || this.#study || null, surface: 'widget' };
        told.textContent = '';
        row.replaceChildren(...next, told);
        row.firstChild.focus();
        const { ok } = await post(this.#at('api/v1/feedback'), body).catch(() => ({}));
        this.#say((told.textContent = ok ? words.thanks : words.unrated));
        if (ok) this.#emit('feedback', body);
        else row.replaceChildren(...before);
        return ok;
      };
      const more = textButton(words.send, () => (comment.value ? send(`${turn.rated}+`) : comment.focus()), { disabled: true });
      const thumbs = ['up', 'down'].map((rating) => textButton(words[rating], async () => {
        turn.rated = rating;
        this.#keep();
        if ((more.disabled = !(await send(rating, comment, more)))) turn.rated = '';
        this.#keep();
      }));
      const row = make('div', { className: 'row rate' }, ...(turn.rated ? [words.thanks] : thumbs), told);
      return row;
    }
  }

  // ---- Script tag: puts a button on the page unless data-position is "none"

  const here = () => document.querySelector(`${NAME}[position]`) || document.querySelector(NAME);
  window.StudyAssistant ||= { open: () => here().open(), close: () => here().close(), ask: (question) => here().ask(question) };
  if (!customElements.get(NAME)) customElements.define(NAME, StudyAssistant);

  function launch() {
    const options = { position: 'bottom-right', host: HOST, ...SCRIPT.dataset };
    const element = make(NAME, {});
    for (const name of OPTIONS) if (name in options) element.setAttribute(name, options[name]);
    document.body.append(element);
  }
  if (SCRIPT && SCRIPT.dataset.position !== 'none') {
    if (document.body) launch();
    else addEventListener('DOMContentLoaded', launch);
  }
})();
