import { Asked, Failed, useAsked } from './asked.jsx';
import { Connectors, Table } from './parts.jsx';
import { address, filter, route } from './route.js';
import { worker } from './worker.js';
import { count, duration, printable, several, utc } from './words.js';

const path = (topic, rest = '') => `api/topics/${encodeURIComponent(topic)}${rest}`;

function List() {
  const { filters } = route.value;
  const name = filters.get('name') || '';
  const all = filters.get('all') === 'true';
  return (
    <section aria-labelledby="title">
      <h2 id="title" tabIndex={-1}>Topics</h2>
      <form class="filters" onSubmit={(e) => e.preventDefault()}>
        <label>Name <input type="search" value={name} onInput={(e) => filter('name', e.target.value)} /></label>
        <label><input type="checkbox" checked={all} onChange={(e) => filter('all', e.target.checked ? 'true' : '')} /> Kafka's own, too</label>
      </form>
      <Asked path={`api/topics?all=${all}`} wait="Asking Kafka">
        {(list) => (
          <Table id="topics" label="Topics" rows={list.filter((t) => t.name.includes(name))} of={(t) => t.name}
            none={list.length ? 'No topic has such a name.' : 'Kafka has no topics yet.'} columns={[
              { head: 'Topic', first: 'name', cell: (t) => (t.kept ? <>{t.name} <span class="kind">kept by the workers</span></> : <a href={address('topics', t.name)}>{t.name}</a>) },
              { head: 'Partitions', n: true, cell: (t) => count(t.partitions) },
              { head: 'Replicas', n: true, cell: (t) => count(t.replication) },
              { head: 'Used by', cell: (t) => <Connectors names={t.connectors} /> },
            ]} />
        )}
      </Asked>
    </section>
  );
}

// setting writes a value of a topic with its unit.
function setting(key, value) {
  if (value === '-1') return key.startsWith('retention.') ? 'without end' : value;
  if (!Number.isSafeInteger(Number(value))) return value;
  if (key.endsWith('.ms')) return `${count(Number(value))} ms (${duration(Number(value) / 1000)})`;
  return key.endsWith('.bytes') ? `${count(Number(value))} bytes` : value;
}

const brokers = (ids) => `${ids.length === 1 ? 'broker' : 'brokers'} ${ids.join(', ')}`;

// Users are the connectors that read and write a topic.
function Users({ topic }) {
  const of = (has) => worker.value.connectors.filter((c) => has(c.topics)).map((c) => c.name);
  const letters = of((t) => t.letters === topic);
  const said = [['Written by', of((t) => t.writes.includes(topic))], ['Read by', of((t) => t.reads.includes(topic))], ['Has the dead letters of', letters]].filter(([, list]) => list.length > 0);
  return said.length > 0 && <p>{said.map(([what, list]) => <span key={what}>{what} <Connectors names={list} />. </span>)}{letters.length > 0 && <a href={address('letters', topic)}>By cause</a>}</p>;
}

const Describe = ({ topic, children }) => (
  <Asked path={path(topic)} wait="Asking Kafka">
    {(value) => (
      <>
        <details class="describe">
          <summary>{several(value.partitions.length, 'partition')}, at most {several(value.offsets, 'record')}; how they are kept</summary>
          <Table label="Partitions" kind="dense" rows={value.partitions} of={(p) => p.partition} columns={[
            { head: 'Partition', first: 'name', named: true, cell: (p) => p.partition },
            { head: 'First offset', n: true, cell: (p) => (p.first === null ? '-' : count(p.first)) },
            { head: 'End', n: true, cell: (p) => (p.end === null ? '-' : count(p.end)) },
            { head: 'Leader', cell: (p) => (p.leader < 0 ? 'none' : `broker ${p.leader}`) },
            { head: 'Replicas', cell: (p) => brokers(p.replicas) },
            { head: 'In sync', cell: (p) => <span>{brokers(p.in_sync)}{p.error && <span class="error"> {p.error}</span>}</span> },
          ]} />
          <dl>{Object.entries(value.config || {}).sort().map(([k, v]) => [<dt key={`${k}?`}>{k}</dt>, <dd key={k}>{setting(k, v)}</dd>])}</dl>
        </details>
        {children}
      </>
    )}
  </Asked>
);

// Body is a record as it was decoded: pictures, fields, headers, errors, and the whole.
export function Body({ record }) {
  const row = (f) => [<dt key={`${f.name}?`}>{f.name}</dt>, <dd key={f.name}>{f.text}</dd>];
  return (
    <>
      {record.errors.map((e) => <p key={e} class="error">could not be read: {e}</p>)}
      {record.pictures.length > 0 && <div class="pictures">{record.pictures.map((p) => <figure key={p.name}><img src={p.text} alt={`${p.name} of ${record.key || record.origin}`} /><figcaption>{p.name}</figcaption></figure>)}</div>}
      {record.fields.length > 0 && <dl>{record.fields.map(row)}</dl>}
      {record.headers.length > 0 && <><h4>Headers</h4><dl>{record.headers.map((h) => row({ name: h.key, text: h.value }))}</dl></>}
      <details><summary>As JSON</summary><pre tabIndex={0} aria-label="the value as JSON">{record.json}</pre></details>
    </>
  );
}

const why = { max: 'There are more: these are as many as were asked for.', 'max-bytes': 'There may be more: 16 MiB were read.', for: 'There may be more: it was read for 20 s.' };

// brief is the beginning of a record's value, of its scalar fields where it has some.
function brief({ fields, json }) {
  const text = fields.length === 0 ? json : fields.length === 1 ? fields[0].text : fields.map((f) => `${f.name} ${f.text}`).join(', ');
  return text.slice(0, 300).replace(/\s+/g, ' ');
}

// ordered gives records of all partitions in the order of their times.
function ordered(records, newest) {
  const list = records.toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time));
  return newest ? list.reverse() : list;
}

function Tail({ topic }) {
  const { filters } = route.value;
  const get = (name) => filters.get(name) || '';
  const query = new URLSearchParams([...filters].filter(([k, v]) => v && k !== 'picked'));
  const { value, wrong, again } = useAsked(path(topic, `/records?${query}`));
  const go = (e) => {
    e.preventDefault();
    for (const [k, v] of new FormData(e.target)) filter(k, v.trim());
    again();
  };
  const newest = /^(-|$|end)/.test(get('from'));
  const readers = worker.value.connectors.map((c) => c.name);
  return (
    <>
      <form class="filters" onSubmit={go} aria-label="which records">
        <label>From <input name="from" defaultValue={get('from')} placeholder="-10" size={20} aria-describedby="from-help" /></label>
        <label>Key <input name="key" type="search" defaultValue={get('key')} size={16} /></label>
        <label>Partition <input name="partition" inputMode="numeric" defaultValue={get('partition')} placeholder="all" size={4} /></label>
        <label>At most <input name="max" inputMode="numeric" defaultValue={get('max')} placeholder="50" size={4} /> records</label>
        <label>Read as <select name="as">
          {[['', 'the connector that uses it'], ['worker', 'the worker'], ['text', 'text'], ...readers.map((n) => [n, n])].map(([v, said]) => <option key={v} value={v} selected={v === get('as')}>{said}</option>)}
        </select></label>
        <button type="submit">Look</button>
      </form>
      <p class="note" id="from-help">From: beginning, end, an offset, -10 for the last ten of each partition, a time in UTC such as 2026-07-28T21:26:39Z, or an age such as 2h.</p>
      {wrong && <Failed wrong={wrong} old={value !== undefined} again={again} />}
      {!wrong && !value && <p class="note">Reading</p>}
      {value && <p role="status" class="note">{several(value.records.length, 'record')}, the {newest ? 'newest' : 'oldest'} first, read as {value.as === 'text' ? 'text' : value.as || 'the worker does'}. {why[value.ended] || ''}</p>}
      {value && value.records.length === 0 && <p>No record is as the filters say. An earlier place to read from may have some.</p>}
      {value && value.records.length > 0 && <ol class="rows" id="tail">
        {ordered(value.records, newest).map((r) => (
          <li key={r.origin}>
            <details>
              <summary><b>{printable(r.key) || 'no key'}</b> <span class="kind">{r.origin}</span> <time dateTime={r.time}>{r.time > '0001-02' ? utc(r.time) : 'no time'}</time> <span class="kind">{count(r.valueBytes)} bytes</span>
                {r.errors.length > 0 && <span class="error"> could not be read</span>}
                {r.pictures.slice(0, 1).map((p) => <img key={p.name} class="small" src={p.text} alt={p.name} />)}
                {r.errors.length === 0 && <span class="value">{brief(r)}</span>}</summary>
              <Body record={r} />
            </details>
          </li>
        ))}
      </ol>}
    </>
  );
}

// Topics is the view of all topics, and of one.
export default function Topics() {
  const { name } = route.value;
  if (!name) return <List />;
  return (
    <section aria-labelledby="title" key={name}>
      <h2 id="title" tabIndex={-1}><a href={address('topics')}>Topics</a> / {name}</h2>
      <Users topic={name} />
      <Describe topic={name}><Tail topic={name} /></Describe>
    </section>
  );
}
