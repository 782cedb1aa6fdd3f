import { useSignal } from '@preact/signals';
import { Fragment } from 'preact';
import { Later } from './asked.jsx';
import { Actions, Ago, Notes, Problem, Said, State, Table } from './parts.jsx';
import { address, filter, route } from './route.js';
import { worker } from './worker.js';
import { ago, busiestInWords, count, hourly, lagInWords, lagOf, latest, rate, rateOf, several, slowness, stateInWords, stateOf, sum, told, total, unknown, untold, worst } from './words.js';

const loadFlow = () => import('./flow.jsx');

const drawn = 60; // connectors at most

// problemsOf gives the errors of a connector and its tasks, each once, and what becomes of them.
function problemsOf(c) {
  const all = [{ error: c.error, note: '' }, ...c.tasks.map((t) => ({ ...t, error: t.stalled || t.error }))];
  return [...new Map(all.filter((p) => p.error).map((p) => [p.error, p])).values()];
}

function Problems({ c }) {
  const over = stateOf(c) === 'RUNNING';
  const slow = slowness(c);
  const problems = problemsOf(c);
  if (problems.length === 0 && !slow) return null;
  return (
    <>
      {problems.map((p) => <p key={p.error}><Problem error={p.error} note={p.note} when={ago(p.errorTime, worker.value.now)} over={over} /></p>)}
      {slow && <p class="error over">{[slow, busiestInWords(c)].filter(Boolean).join(': ')}</p>}
    </>
  );
}

// last is how long ago something last was in any of a connector's tasks.
const last = (c, of) => (c.tasks.some(untold) ? unknown : <Ago time={latest(c.tasks, of)} />);

const lettersOf = (c) => total(c.tasks, (t) => t.deadLetters);

// deadLetters counts those of a connector, and leads to them.
function deadLetters(c) {
  const n = lettersOf(c);
  return n > 0 && c.topics.letters ? <a href={address('letters', c.topics.letters)}>{count(n)}</a> : told(n, count);
}

// Summary counts connectors by state, each of which leads to those in it, and tasks.
function Summary({ connectors, states }) {
  const tasks = connectors.flatMap((c) => c.tasks);
  const failed = tasks.filter((t) => t.state === 'FAILED').length;
  return (
    <p>{several(connectors.length, 'connector')}: {states.map((s, i) => (
      <Fragment key={s}>{i > 0 && ', '}<a class="state" href={address('connectors', '', { state: s })}>{count(sum(connectors, (c) => (stateOf(c) === s ? 1 : 0)))} <State of={s} /></a></Fragment>
    ))}; {several(tasks.length, 'task')}{failed > 0 && <>, <span class="error">{count(failed)} failed</span></>}.</p>
  );
}

function columns(chosen, may) {
  const choose = (name) => {
    const all = new Set(chosen.value);
    if (!all.delete(name)) all.add(name);
    chosen.value = all;
  };
  return [
    may && { head: 'Chosen', unseen: true, kind: 'choice', cell: (c) => <input type="checkbox" aria-label={`choose ${c.name}`} checked={chosen.value.has(c.name)} onChange={() => choose(c.name)} /> },
    { head: 'Connector', first: 'name', cell: (c) => <><a href={address('connector', c.name)}>{c.name}</a> <span class="kind">{c.type}{c.tasks.length > 1 && `, ${c.tasks.length} tasks`}</span></> },
    { head: 'State', cell: (c) => <State of={stateOf(c)} /> },
    { head: 'Records/s now', n: true, cell: (c) => told(rateOf(c), rate) },
    { head: 'Records/s, last hour', n: true, cell: (c) => (c.hour === null ? <span class="note">{hourly(c)}</span> : hourly(c)) },
    { head: 'Lag, records', n: true, cell: (c) => lagInWords(lagOf(c)) },
    { head: 'Newest data', cell: (c) => last(c, (t) => t.newest) },
    { head: 'Last record', cell: (c) => last(c, (t) => t.lastOut) },
    { head: 'Dead letters', n: true, cell: deadLetters },
    { head: 'Restarts', n: true, cell: (c) => told(total(c.tasks, (t) => t.restarts), count) },
  ].filter(Boolean);
}

// orders are what the list may be ordered by: the words for it, and what comes first.
const orders = {
  name: ['name', (a, b) => a.name.localeCompare(b.name)],
  state: ['state, the worst first', (a, b) => badness(a) - badness(b)],
  lag: ['lag, the most first', (a, b) => (lagOf(b) || 0) - (lagOf(a) || 0)],
  rate: ['records/s now, the most first', (a, b) => (rateOf(b) || 0) - (rateOf(a) || 0)],
  letters: ['dead letters, the most first', (a, b) => (lettersOf(b) || 0) - (lettersOf(a) || 0)],
};

// badness is small for a connector that wants to be looked at.
function badness(c) {
  const i = worst.indexOf(stateOf(c));
  if (i >= 0) return i;
  return slowness(c) || problemsOf(c).length > 0 ? worst.length : worst.length + 1;
}

// Connectors is the view of all connectors.
export function Connectors() {
  const chosen = useSignal(new Set());
  const w = worker.value;
  const state = route.value.filters.get('state') || '';
  const text = route.value.filters.get('name') || '';
  const order = route.value.filters.get('order') || '';
  const states = [...new Set(w.connectors.map(stateOf))].sort();
  const shown = w.connectors.filter((c) => (!state || stateOf(c) === state) && c.name.includes(text));
  if (orders[order]) shown.sort(orders[order][1]);
  const may = w.role !== 'view';
  const names = [...chosen.value].filter((n) => shown.some((c) => c.name === n));
  const some = names.length < shown.length;
  return (
    <>
      <section aria-labelledby="title">
        <h2 id="title" tabIndex={-1}>Connectors</h2>
        {w.connectors.length > 0 && <Summary connectors={w.connectors} states={states} />}
        <form class="filters" onSubmit={(e) => e.preventDefault()}>
          <label>Name <input type="search" value={text} onInput={(e) => filter('name', e.target.value)} /></label>
          <label>State <select value={state} onChange={(e) => filter('state', e.target.value)}>
            <option value="">all</option>
            {[...new Set([...states, state])].filter(Boolean).map((s) => <option key={s} value={s}>{stateInWords[s] || s}</option>)}
          </select></label>
          <label>Order <select value={order} onChange={(e) => filter('order', e.target.value)}>
            <option value="">as the worker has them</option>
            {Object.entries(orders).map(([key, [words]]) => <option key={key} value={key}>{words}</option>)}
          </select></label>
          {w.role === 'configure' && <a href={address('edit')}>Make a connector</a>}
        </form>
        {shown.length > 0 && (
          <Actions names={names} may={may}>
            <span class="note">of {names.length > 0 ? `${count(names.length)} chosen` : 'those that you choose below'}</span>
            <button type="button" onClick={() => { chosen.value = new Set(some ? shown.map((c) => c.name) : []); }}>Choose {some ? 'all' : 'none'}</button>
          </Actions>
        )}
        <Said />
        <Notes of={w.notes} />
        <Table id="connectors" label="Connectors" columns={columns(chosen, may)} rows={shown} of={(c) => c.name}
          below={(c) => (problemsOf(c).length > 0 || slowness(c) ? <Problems c={c} /> : null)}
          none={w.connectors.length ? 'No connector is as the filters say.' : 'No connectors yet: a file with some, or a POST to the REST API, makes them.'} />
      </section>
      {shown.length > 0 && (
        <section aria-labelledby="flow">
          <h3 id="flow">Flow</h3>
          {shown.length > drawn ? <p class="note">{shown.length} connectors are too many to draw: filter them by name or state.</p>
            : <Later load={loadFlow} connectors={w.connectors.filter((c) => shown.includes(c))} />}
        </section>
      )}
    </>
  );
}
