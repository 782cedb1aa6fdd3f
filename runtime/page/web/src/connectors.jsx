import { useSignal } from '@preact/signals';
import { Later } from './asked.jsx';
import { Actions, Ago, Notes, Problem, Said, State, Table } from './parts.jsx';
import { address, filter, route } from './route.js';
import { worker } from './worker.js';
import { ago, busiestInWords, count, hourly, lagInWords, lagOf, latest, rate, rateOf, slowness, stateInWords, stateOf, told, total, unknown, untold } from './words.js';

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
      {problems.map((p) => <p key={p.error}><Problem error={p.error} note={[p.note, ago(p.errorTime, worker.value.now)].filter(Boolean).join(' ')} over={over} /></p>)}
      {slow && <p class="error over">{[slow, busiestInWords(c)].filter(Boolean).join(': ')}</p>}
    </>
  );
}

// last is how long ago something last was in any of a connector's tasks.
const last = (c, of) => (c.tasks.some(untold) ? unknown : <Ago time={latest(c.tasks, of)} />);

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
    { head: 'Dead letters', n: true, cell: (c) => told(total(c.tasks, (t) => t.deadLetters), count) },
    { head: 'Restarts', n: true, cell: (c) => told(total(c.tasks, (t) => t.restarts), count) },
  ].filter(Boolean);
}

// Connectors is the view of all connectors.
export function Connectors() {
  const chosen = useSignal(new Set());
  const w = worker.value;
  const state = route.value.filters.get('state') || '';
  const text = route.value.filters.get('name') || '';
  const states = [...new Set(w.connectors.map(stateOf))].sort();
  const shown = w.connectors.filter((c) => (!state || stateOf(c) === state) && c.name.includes(text));
  const may = w.role !== 'view';
  const names = [...chosen.value].filter((n) => shown.some((c) => c.name === n));
  return (
    <>
      <section aria-labelledby="title">
        <h2 id="title" tabIndex={-1}>Connectors</h2>
        <form class="filters" onSubmit={(e) => e.preventDefault()}>
          <label>Name <input type="search" value={text} onInput={(e) => filter('name', e.target.value)} /></label>
          <label>State <select value={state} onChange={(e) => filter('state', e.target.value)}>
            <option value="">all</option>
            {[...new Set([...states, state])].filter(Boolean).map((s) => <option key={s} value={s}>{stateInWords[s] || s}</option>)}
          </select></label>
          <Actions names={names} may={may} />
          {may && shown.length > 0 && names.length === 0 && <span class="note">of those that you choose below</span>}
        </form>
        <Said />
        <Notes of={w.notes} />
        {w.role === 'configure' && <p><a href={address('edit')}>Make a connector</a></p>}
        <Table id="connectors" label="Connectors" columns={columns(chosen, may)} rows={shown} of={(c) => c.name}
          below={(c) => (problemsOf(c).length > 0 || slowness(c) ? <Problems c={c} /> : null)}
          none={w.connectors.length ? 'No connector is as the filters say.' : 'No connectors yet: a file with some, or a POST to the REST API, makes them.'} />
      </section>
      {shown.length > 0 && (
        <section aria-labelledby="flow">
          <h3 id="flow">Flow</h3>
          {shown.length > drawn ? <p class="note">{shown.length} connectors are too many to draw: filter them by name or state.</p>
            : <Later load={loadFlow} connectors={shown} />}
        </section>
      )}
    </>
  );
}
