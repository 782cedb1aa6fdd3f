'use strict';

const every = 2000; // milliseconds between two looks
const before = new Map(); // connector/task -> its last counts, for rates
let selected = null; // the stream whose records are shown

const $ = (id) => document.getElementById(id);

// element makes an element of text and children; text is never markup.
function element(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined) e.setAttribute(name, value);
  }
  e.append(...children);
  return e;
}

const count = (n) => n.toLocaleString('en-US');

function ago(time, now) {
  if (!time) return '';
  const s = Math.max(0, (Date.parse(now) - Date.parse(time)) / 1000);
  if (s < 2) return 'now';
  if (s < 120) return `${Math.round(s)} s ago`;
  if (s < 7200) return `${Math.round(s / 60)} min ago`;
  return `${Math.round(s / 3600)} h ago`;
}

// rate is records per second since the last look.
function rate(key, out, now) {
  const last = before.get(key);
  const at = Date.parse(now);
  before.set(key, { out, at });
  if (!last || at <= last.at || out < last.out) return 0;
  return (out - last.out) * 1000 / (at - last.at);
}

function taskRows(connector, task, now) {
  const key = `${connector.name}/${task.id}`;
  const perSecond = rate(key, task.out, now);
  const name = (connector.tasks.length > 1 ? key : connector.name) + (task.worker ? ` at ${task.worker}` : '');
  const cells = [
    element('td', {}, name, ' ', element('span', { class: 'kind' }, connector.type)),
    element('td', {}, element('span', { class: `state ${task.stalled ? 'FAILED' : task.state}` }, task.stalled ? 'stalled' : task.state.toLowerCase())),
    element('td', { class: 'n' }, count(task.in)),
    element('td', { class: 'n' }, count(task.out)),
    element('td', { class: 'n' }, perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(1)),
    element('td', { class: 'n' }, task.lag === null ? '' : count(task.lag)),
    element('td', { class: 'n' }, task.deadLetters ? count(task.deadLetters) : ''),
    element('td', {}, ago(task.lastOut, now)),
  ];
  const rows = [element('tr', { class: task.error ? 'has-problem' : null }, ...cells)];
  if (task.error) rows.push(problem(task.error, task.note, task.errorTime, now, task.state));
  return rows;
}

function problem(error, note, time, now, state) {
  const over = state === 'RUNNING' ? 'error over' : 'error';
  return element('tr', { class: 'problem' }, element('td', { colspan: 8 },
    element('span', { class: over }, error), ' ',
    element('span', { class: 'note' }, [note, ago(time, now)].filter(Boolean).join(' '))));
}

function connectorRows(connector, now) {
  const rows = connector.tasks.flatMap((task) => taskRows(connector, task, now));
  if (connector.tasks.length === 0) {
    rows.push(element('tr', { class: connector.error ? 'has-problem' : null },
      element('td', {}, connector.name, ' ', element('span', { class: 'kind' }, connector.type)),
      element('td', { colspan: 7 }, element('span', { class: `state ${connector.state}` }, connector.state.toLowerCase()))));
  }
  if (connector.error) rows.push(problem(connector.error, '', null, now, connector.state));
  return rows;
}

function showState(state) {
  const since = ago(state.started, state.now).replace(' ago', '');
  $('worker').textContent = `version ${state.version}, up ${since === 'now' ? 'since just now' : since}${state.cluster ? `, ${state.cluster}` : ''}`;
  $('links').replaceChildren(...(state.links || []).map(([name, url]) => element('a', { href: url }, name)));
  const rows = state.connectors.flatMap((c) => connectorRows(c, state.now));
  if (rows.length) $('connectors').replaceChildren(...rows);
  const streams = state.connectors.filter((c) => c.records).map((c) => c.name);
  $('gallery').hidden = streams.length === 0;
  if (!streams.includes(selected)) selected = streams[0] || null;
  $('streams').replaceChildren(...(streams.length < 2 ? [] : streams.map((name) => {
    const b = element('button', { role: 'tab', 'aria-selected': String(name === selected) }, name);
    b.addEventListener('click', () => { selected = name; look(); });
    return b;
  })));
}

function card(record) {
  const pictures = record.pictures.map((p) => element('figure', {},
    element('img', { src: p.text, alt: `${p.name} of ${record.key || record.origin}` }),
    element('figcaption', {}, p.name)));
  const fields = record.fields.flatMap((f) => [element('dt', {}, f.name), element('dd', {}, f.text)]);
  return element('li', { 'data-origin': record.origin }, element('div', { class: 'pictures' }, ...pictures), element('dl', {}, ...fields));
}

// showRecords keeps the cards of records that are still there, so that their
// pictures do not flicker.
function showRecords(records) {
  const old = new Map([...$('records').children].map((li) => [li.dataset.origin, li]));
  $('records').replaceChildren(...records.map((r) => old.get(r.origin) || card(r)));
}

async function get(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function look() {
  try {
    showState(await get('state'));
    if (selected) showRecords(await get(`records/${encodeURIComponent(selected)}`));
    $('offline').hidden = true;
  } catch {
    $('offline').hidden = false;
  }
}

async function forever() {
  await look();
  setTimeout(forever, every);
}

forever();
