import { Asked, Later } from './asked.jsx';
import { Action, Actions, Ago, Coded, Links, Notes, Opened, Problem, Said, State, Table } from './parts.jsx';
import { address, filter, route } from './route.js';
import { actions, restartTask, worker } from './worker.js';
import { busiestInWords, count, duration, hourly, lagInWords, percent, rate, several, slowness, stateOf, told, unknown, untold, utc } from './words.js';

const loadChart = () => import('./chart.jsx');
const loadOffsets = () => import('./offsets.jsx');
const loadTap = () => import('./tap.jsx');

const samplesEvery = 10000; // milliseconds, as the worker takes them
const detailEvery = 5000;

function Tasks({ c, may }) {
  return (
    <Table label="Tasks" rows={c.tasks} of={(t) => t.id} none="It has no tasks."
      below={(t) => (t.stalled || t.error) && <Problem error={t.stalled || t.error} note={t.note} when={utc(t.errorTime)} over={t.state === 'RUNNING' && !t.stalled} />}
      columns={[
        { head: 'Task', first: 'name', named: true, cell: (t) => <>{t.id}{t.worker && <span class="kind"> at {t.worker}</span>}</> },
        { head: 'State', cell: (t) => <State of={t.stalled ? 'STALLED' : t.state} /> },
        { head: 'Records in', n: true, cell: (t) => told(t.in, count) },
        { head: 'Records out', n: true, cell: (t) => told(t.out, count) },
        { head: 'Records/s now', n: true, cell: (t) => told(t.rate, rate) },
        { head: 'Dropped', n: true, cell: (t) => told(t.dropped, count) },
        { head: 'Lag, records', n: true, cell: (t) => (c.type === 'source' ? '' : lagInWords(t.lag)) },
        { head: 'Dead letters', n: true, cell: (t) => told(t.deadLetters, count) },
        { head: 'Newest data', cell: (t) => (untold(t) ? unknown : <Ago time={t.newest} />) },
        { head: 'Last record', cell: (t) => (untold(t) ? unknown : <Ago time={t.lastOut} />) },
        { head: 'Restarts', n: true, cell: (t) => (t.failures > 0 ? <span>{told(t.restarts, count)} <span class="more">{several(t.failures, 'failure')} in a row</span></span> : told(t.restarts, count)) },
        may && { head: 'Action', unseen: true, kind: 'corner', cell: (t) => <Action action={restartTask(t.id)} names={[c.name]}>Restart task {t.id}</Action> },
      ].filter(Boolean)} />
  );
}

function Rates({ name }) {
  const of = (form) => `rates.${form}/${encodeURIComponent(name)}`;
  return (
    <>
      <Asked path={of('json')} every={samplesEvery}>
        {({ samples, notes }) => (
          <>
            <Notes of={notes} />
            {samples.length < 2 ? <p class="note">There is a rate every 10 s: the first ones are to come.</p>
              : <Later load={loadChart} wait={<div class="chart" />} samples={samples} />}
          </>
        )}
      </Asked>
      <p>The same as <a href={of('json')}>JSON</a> and <a href={of('csv')}>CSV</a>.</p>
    </>
  );
}

// Stages are those of a connector, and a tap of its records where one is wanted.
function Stages({ c }) {
  const tapped = route.value.filters.get('tap');
  return (
    <Asked path={`stages/${encodeURIComponent(c.name)}`} every={detailEvery}>
      {({ stages, notes }) => (
        <>
          <Notes of={notes} />
          <Table label="Stages" kind="dense" rows={stages.map((s, i) => ({ ...s, i }))} of={(s) => s.i} none="No task of it runs." columns={[
            { head: 'Stage', first: 'name', cell: (s) => <>{s.name} {s.class && !s.name.includes(s.class) && <span class="kind">{s.class}</span>} {s.i === 0 && <span class="kind">its waits for records count as work</span>}</> },
            { head: 'Records', n: true, cell: (s) => count(s.records) },
            { head: 'Errors', n: true, cell: (s) => count(s.errors) },
            { head: 'Calls', n: true, cell: (s) => count(s.batches) },
            { head: 'Time per call', n: true, cell: (s) => (s.batches > 0 ? duration(s.mean) : '') },
            { head: 'Longest', n: true, cell: (s) => (s.batches > 0 ? duration(s.max) : '') },
            { head: 'At work now', n: true, cell: (s) => percent(s.share) },
            { head: 'Tap', unseen: true, kind: 'corner', cell: (s) => s.tapped && <button type="button" aria-pressed={tapped === s.name} aria-label={`tap ${s.name}`} onClick={() => filter('tap', s.name)}>Tap</button> },
          ]} />
          <Part name="Live tap">records on their way, a few a second</Part>
          {tapped ? <Later load={loadTap} c={c} stages={stages} />
            : <p><button type="button" id="all-tapped" onClick={() => filter('tap', 'all')}>Tap all stages</button> <span class="note">Nothing is held up by it. Of one stage it shows whole records.</span></p>}
        </>
      )}
    </Asked>
  );
}

const Log = ({ c }) => (
  <Asked path={`log/${encodeURIComponent(c.name)}`} every={detailEvery}>
    {(lines) => (lines.length === 0 ? <p class="note">Nothing was logged of it since its workers started.</p> : (
      <ol class="log" tabIndex={0} aria-label="Log, the newest first">
        {lines.map((l) => <li><time dateTime={l.time}>{utc(l.time)}</time> <b class={l.level}>{l.level}</b> {l.worker && <span class="kind">{l.worker}</span>} <Coded>{l.text}</Coded></li>)}
      </ol>
    ))}
  </Asked>
);

// file gives that which a value is from, and brief its name alone.
const file = (v) => v.from.match(/^(.+?):\d+/)?.[1];
const brief = (v) => (file(v) ? v.from.slice(file(v).lastIndexOf('/') + 1) : v.from);

const Values = ({ label, rows }) => (
  <Table label={label} kind="plain" rows={rows} of={(v) => v.key} columns={[
    { head: 'Key', first: 'code', cell: (v) => v.key },
    { head: 'Value', kind: 'code', cell: (v) => v.value },
    { head: 'From', kind: 'from', cell: brief },
  ]} />
);

// Configuration is what a connector's own sets, and the rest where that is wanted.
const Configuration = ({ values }) => {
  const others = values.filter((v) => !v.set);
  const files = [...new Set(values.map(file).filter(Boolean))];
  return (
    <>
      {files.length > 0 && <p class="note">Of the file {files.join(', ')}.</p>}
      <Values label="Configuration" rows={values.filter((v) => v.set)} />
      {others.length > 0 && <Opened summary={`${count(others.length)} others, from the worker or by default`}>{() => <Values label="Other values" rows={others} />}</Opened>}
    </>
  );
};

const Topics = ({ c: { topics } }) => {
  const said = [['Reads', 'topics', topics.reads], ['Writes', 'topics', topics.writes], ['Dead letters go to', 'letters', topics.letters ? [topics.letters] : []]].filter(([,, list]) => list.length > 0);
  return said.length > 0 && <p>{said.map(([what, view, list]) => <span key={what}>{what} <Links view={view} names={list} />. </span>)}</p>;
};

// parts are those of the view, which is long on a phone.
const parts = ['Tasks', 'Rates', 'Stages', 'Live tap', 'Log', 'Configuration', 'Offsets'];

// go brings a part of the view to the top, and the focus to it.
function go(part) {
  const there = document.getElementById(part);
  there?.scrollIntoView();
  there?.focus({ preventScroll: true });
}

const Part = ({ name, children }) => <h3 id={name} tabIndex={-1}>{name} <span class="kind">{children}</span></h3>;

// Parts leads to the parts of the view.
const Parts = () => (
  <nav class="parts" aria-label="parts of this view">
    {parts.map((p) => <button key={p} type="button" onClick={() => go(p)}>{p}</button>)}
  </nav>
);

// Connector is the view of one connector.
export function Connector() {
  const { name } = route.value;
  const w = worker.value;
  const c = w.connectors.find((one) => one.name === name);
  if (!c) return <section><h2 tabIndex={-1}>{name}</h2><p>There is no such connector. <a href={address('connectors')}>All connectors</a></p></section>;
  const may = w.role !== 'view';
  const slow = slowness(c);
  const others = [...new Set(c.tasks.map((t) => t.worker).filter(Boolean))];
  return (
    <section aria-labelledby="title">
      <h2 id="title" tabIndex={-1}>{c.name} <span class="kind">{c.type}</span> <State of={stateOf(c)} /></h2>
      {c.error && <p><Problem error={c.error} /></p>}
      {slow && <p class="error over">{[slow, busiestInWords(c)].filter(Boolean).join(': ')}</p>}
      <Actions names={[c.name]} may={may}>{w.role === 'configure' && <Action action={actions.remove} names={[c.name]} />}</Actions>
      <Said />
      <Topics c={c} />
      <p class="also">
        {w.role === 'configure' && <a href={address('edit', c.name)}>Edit it, and look what that would change</a>}{' '}
        {c.records && <a href={address('records', c.name)}>Newest records</a>}
      </p>
      <Parts />
      <Part name="Tasks" />
      <Notes of={w.notes.filter((n) => others.some((o) => n.startsWith(`worker ${o}: `)))} />
      <Tasks c={c} may={may} />
      <Part name="Rates">last hour, {c.hour === null ? hourly(c) : `${hourly(c)} records/s on average`}</Part>
      <Rates key={name} name={name} />
      <Part name="Stages">since the tasks were started</Part>
      <Stages key={name} c={c} />
      <Part name="Log">the last lines of {w.cluster ? 'the workers that run it' : 'this worker'}</Part>
      <Log c={c} />
      <Part name="Configuration" />
      <Asked path={`config/${encodeURIComponent(name)}`} every={detailEvery}>
        {(values) => <Configuration values={values} />}
      </Asked>
      <Part name="Offsets">as they were when you came here, or when it was last paused, stopped or resumed</Part>
      <Later key={`${name} offsets`} load={loadOffsets} c={c} role={w.role} />
    </section>
  );
}
