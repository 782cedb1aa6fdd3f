import { Asked } from './asked.jsx';
import { address, route } from './route.js';
import { worker } from './worker.js';
import { printable, utc } from './words.js';

const every = 2000; // milliseconds
const everyRead = 5000; // the same of what is read from Kafka
const beside = 3; // fields that are seen without opening a record

function Card({ record, time }) {
  const field = (f) => [<dt key={`${f.name}?`}>{f.name}</dt>, <dd key={f.name}>{f.text}</dd>];
  return (
    <li>
      <div class="pictures">
        {record.pictures.map((p) => <figure key={p.name}><img src={p.text} alt={`${p.name} of ${record.key || record.origin}`} /><figcaption>{p.name}</figcaption></figure>)}
      </div>
      <dl>{record.fields.slice(0, beside).map(field)}</dl>
      <details>
        <summary>{printable(record.key || record.origin)}</summary>
        <dl>
          {field({ name: 'from', text: record.origin })}
          {field({ name: time, text: utc(record.time) })}
          {record.fields.slice(beside).map(field)}
        </dl>
      </details>
    </li>
  );
}

// Records is the view of the newest records of a connector.
export function Records() {
  const shown = worker.value.connectors.filter((c) => c.records);
  const names = [...shown.filter((c) => c.type !== 'source'), ...shown.filter((c) => c.type === 'source')].map((c) => c.name);
  const name = route.value.name || names[0];
  const source = worker.value.connectors.find((c) => c.name === name)?.type === 'source';
  return (
    <section aria-labelledby="title">
      <h2 id="title" tabIndex={-1}>Newest records{name && ` of ${name}`}</h2>
      {names.length > 1 && <nav class="choice" aria-label="connectors">
        {names.map((n) => <a key={n} href={address('records', n)} aria-current={n === name ? 'true' : undefined}>{n}</a>)}
      </nav>}
      {name ? (
        <Asked path={`records/${encodeURIComponent(name)}`} every={source ? everyRead : every}>
          {(list) => (list.length === 0 ? <p class="note">{name} has no records to show.</p>
            : <ul id="records">{list.map((r) => <Card key={r.origin} record={r} time={source ? 'time' : 'seen'} />)}</ul>)}
        </Asked>
      ) : <p class="note">No stream or source has records to show yet.</p>}
    </section>
  );
}
