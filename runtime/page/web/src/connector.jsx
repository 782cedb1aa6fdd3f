import { useSignal } from '@preact/signals';
import { Fragment } from 'preact';
import { useEffect } from 'preact/hooks';
import { Actions, Problem, Said, State } from './parts.jsx';
import { address, route } from './route.js';
import { ask, at, rateOf, worker } from './worker.js';
import { ago, count, rate, stateInWords, stateOf, utc } from './words.js';

function Tasks({ c }) {
  const { now } = worker.value;
  return (
    <div class="wide">
      <table>
        <thead><tr><th>Task</th><th>State</th><th class="n">Records in</th><th class="n">out</th><th class="n">per second</th><th class="n">dropped</th>
          <th class="n">Lag, records</th><th class="n">Dead letters</th><th>Last record</th></tr></thead>
        <tbody>
          {c.tasks.map((t) => (
            <Fragment key={t.id}>
              <tr class={t.stalled || t.error ? 'has-problem' : undefined}>
                <th scope="row">{t.id}{t.worker && <span class="kind"> at {t.worker}</span>}</th>
                <td><State of={t.stalled ? 'STALLED' : t.state} /></td>
                <td class="n">{count(t.in)}</td><td class="n">{count(t.out)}</td><td class="n">{rate(rateOf(c, t))}</td><td class="n">{count(t.dropped)}</td>
                <td class="n">{t.lag !== null && count(t.lag)}</td><td class="n">{count(t.deadLetters)}</td>
                <td>{t.lastOut && <time dateTime={t.lastOut} title={utc(t.lastOut)}>{ago(t.lastOut, now)}</time>}</td>
              </tr>
              {(t.stalled || t.error) && <tr class="problem"><td colSpan={9}><Problem error={t.stalled || t.error} note={[t.note, utc(t.errorTime)].filter(Boolean).join(' ')} over={t.state === 'RUNNING' && !t.stalled} /></td></tr>}
            </Fragment>
          ))}
          {c.tasks.length === 0 && <tr><td colSpan={9}>It has no tasks.</td></tr>}
        </tbody>
      </table>
    </div>
  );
}

// Asked shows what one request says, once it has said it.
function Asked({ path, children }) {
  const answer = useSignal({});
  useEffect(() => {
    let here = true;
    answer.value = {};
    ask(path).then((value) => { if (here) answer.value = { value }; }, (e) => { if (here) answer.value = { wrong: e.message }; });
    return () => { here = false; };
  }, [path]);
  const { value, wrong } = answer.value;
  if (wrong) return <p class="error">{wrong}</p>;
  return value === undefined ? <p class="note">asking</p> : children(value);
}

const Pairs = ({ names, rows, none }) => (rows.length === 0 ? <p class="note">{none}</p> : (
  <div class="wide">
    <table>
      <thead><tr>{names.map((n) => <th key={n}>{n}</th>)}</tr></thead>
      <tbody>{rows.map(([a, b]) => <tr key={a}><th scope="row" class="code">{a}</th><td class="code">{b}</td></tr>)}</tbody>
    </table>
  </div>
));

// Connector is the view of one connector.
export function Connector() {
  const { name } = route.value;
  const w = worker.value;
  const c = w.connectors.find((one) => one.name === name);
  if (!c) return <section><h2>{name}</h2><p>There is no such connector. <a href={address('connectors')}>All connectors</a></p></section>;
  return (
    <section aria-labelledby="title">
      <h2 id="title">{c.name} <span class="kind">{c.type}</span> <State of={stateOf(c)} /></h2>
      {c.error && <p><Problem error={c.error} /></p>}
      <Actions names={[c.name]} may={w.role !== 'view'} />
      <Said />
      {c.records && <p><a href={address('records', c.name)}>Newest records</a></p>}
      <h3>Tasks</h3>
      <Tasks c={c} />
      <h3>Configuration</h3>
      <Asked key={`${name} config ${c.state}`} path={`config/${encodeURIComponent(name)}`}>
        {(config) => <Pairs names={['Key', 'Value']} rows={Object.entries(config).sort()} />}
      </Asked>
      <h3>Offsets <span class="kind">as they were when it came to be {stateInWords[c.state] || c.state}, or you came here</span></h3>
      <Asked key={`${name} offsets ${c.state}`} path={at(name, 'offsets')}>
        {({ offsets }) => <Pairs names={['Partition', 'Offset']} none="It has none yet." rows={offsets.map((o) => [JSON.stringify(o.partition), JSON.stringify(o.offset)])} />}
      </Asked>
    </section>
  );
}
