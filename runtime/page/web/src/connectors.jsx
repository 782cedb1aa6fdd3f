import { useSignal } from '@preact/signals';
import { Actions, Problem, Said, State } from './parts.jsx';
import { address, filter, route } from './route.js';
import { rateOf, worker } from './worker.js';
import { ago, count, rate, stateInWords, stateOf } from './words.js';

const sum = (tasks, of) => tasks.reduce((n, t) => n + (of(t) || 0), 0);

// newest gives the latest of the tasks' last records.
const newest = (tasks) => tasks.map((t) => t.lastOut).filter(Boolean).sort().at(-1);

function Row({ c, chosen, may }) {
  const { now } = worker.value;
  const state = stateOf(c);
  const lags = c.tasks.filter((t) => t.lag !== null);
  const problems = [...new Map([{ error: c.error, note: '' }, ...c.tasks.map((t) => ({ ...t, error: t.stalled || t.error }))].filter((p) => p.error).map((p) => [p.error, p])).values()];
  const choose = () => {
    const all = new Set(chosen.value);
    if (!all.delete(c.name)) all.add(c.name);
    chosen.value = all;
  };
  return (
    <>
      <tr class={problems.length ? 'has-problem' : undefined}>
        {may && <td><input type="checkbox" aria-label={`choose ${c.name}`} checked={chosen.value.has(c.name)} onChange={choose} /></td>}
        <th scope="row"><a href={address('connector', c.name)}>{c.name}</a> <span class="kind">{c.type}{c.tasks.length > 1 && `, ${c.tasks.length} tasks`}</span></th>
        <td><State of={state} /></td>
        <td class="n">{count(sum(c.tasks, (t) => t.in))}</td>
        <td class="n">{count(sum(c.tasks, (t) => t.out))}</td>
        <td class="n">{rate(sum(c.tasks, (t) => rateOf(c, t)))}</td>
        <td class="n">{lags.length > 0 && count(sum(lags, (t) => t.lag))}</td>
        <td class="n">{count(sum(c.tasks, (t) => t.deadLetters)).replace(/^0$/, '')}</td>
        <td>{ago(newest(c.tasks), now)}</td>
      </tr>
      {problems.map((p) => (
        <tr key={p.error} class="problem">
          {may && <td />}
          <td colSpan={8}><Problem error={p.error} note={[p.note, ago(p.errorTime, now)].filter(Boolean).join(' ')} over={state === 'RUNNING'} /></td>
        </tr>
      ))}
    </>
  );
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
  return (
    <section aria-labelledby="title">
      <h2 id="title">Connectors</h2>
      <form class="filters" onSubmit={(e) => e.preventDefault()}>
        <label>Name <input type="search" value={text} onInput={(e) => filter('name', e.target.value)} /></label>
        <label>State <select value={state} onChange={(e) => filter('state', e.target.value)}>
          <option value="">all</option>
          {[...new Set([...states, state])].filter(Boolean).map((s) => <option key={s} value={s}>{stateInWords[s] || s}</option>)}
        </select></label>
        <Actions names={[...chosen.value].filter((n) => shown.some((c) => c.name === n))} may={may} />
      </form>
      <Said />
      <div class="wide">
        <table id="connectors">
          <thead><tr>
            {may && <th><span class="aside">chosen</span></th>}
            <th>Connector</th><th>State</th><th class="n">Records in</th><th class="n">out</th><th class="n">per second</th>
            <th class="n">Lag, records</th><th class="n">Dead letters</th><th>Last record</th>
          </tr></thead>
          <tbody>
            {shown.map((c) => <Row key={c.name} c={c} chosen={chosen} may={may} />)}
            {shown.length === 0 && <tr><td colSpan={may ? 9 : 8}>{w.connectors.length ? 'No connector is as the filters say.' : 'No connectors yet: a file with some, or a POST to the REST API, makes them.'}</td></tr>}
          </tbody>
        </table>
      </div>
    </section>
  );
}
