// The demo page: keeps the snippet and both widgets in step with the form.
'use strict';

const form = document.getElementById('options');
const snippet = document.getElementById('snippet');
const USUAL = { study: '', audience: 'parent', lang: 'en', position: 'bottom-right', accent: '#0c6368' };

function show() {
  const options = Object.fromEntries(new FormData(form));
  const changed = Object.entries(options).filter(([name, value]) => value !== USUAL[name]);
  const attributes = changed.map(([name, value]) => ` data-${name}="${value}"`).join('');
  snippet.textContent = `<script src="${new URL('widget.js', document.baseURI)}"${attributes} async></` + 'script>';
  for (const widget of document.querySelectorAll('study-assistant')) {
    for (const [name, value] of Object.entries(options)) {
      if (name === 'position' && widget.id === 'inline') continue;
      if (widget.getAttribute(name) !== value && (value || widget.hasAttribute(name))) widget.setAttribute(name, value);
    }
  }
}

async function listStudies() {
  const response = await fetch('api/v1/studies');
  if (!response.ok) return;
  const { studies } = await response.json();
  for (const { pmid, title } of studies.slice(0, 200)) form.elements.study.append(new Option(`${pmid}: ${title}`, pmid));
  if (studies.length === 1) form.elements.study.value = studies[0].pmid;
  show();
}

form.addEventListener('input', show);
document.getElementById('try').addEventListener('click', () => window.StudyAssistant.ask('What did the study find?').catch(() => {}));
document.getElementById('copy').addEventListener('click', async () => {
  const copied = document.getElementById('copied');
  try {
    await navigator.clipboard.writeText(snippet.textContent);
    copied.textContent = 'Copied.';
  } catch {
    getSelection().selectAllChildren(snippet);
    copied.textContent = 'Selected; copy it with Ctrl+C or ⌘C.';
  }
});
customElements.whenDefined('study-assistant').then(() => setTimeout(show)); // the button is added right after
show();
listStudies().catch(() => {});
