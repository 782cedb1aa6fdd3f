import { Asked } from './asked.jsx';
import { address, route } from './route.js';
import { worker } from './worker.js';
import { utc } from './words.js';

const every = 2000; // milliseconds
const beside = 3; // fields that are seen without opening a record

function Card({ record }) {
  const field = (f) => [<dt key={`${f.name}?`}>{f.name}</dt>, <dd key={f.name}>{f.text}</dd>];
  return (
    <li>
      <div class="pictures">
        {record.pictures.map((p) => <figure key={p.name}><img src={p.text} alt={`${p.name} of ${record.key || record.origin}`} /><figcaption>{p.name}</figcaption></figure>)}
      </div>
      <dl>{record.fields.slice(0, beside).map(field)}</dl>
      <details>
        <summary>{record.key || record.origin}</summary>
        <dl>
          {field({ name: 'from', text: record.origin })}
          {field({ name: 'seen', text: utc(record.time) })}
          {record.fields.slice(beside).map(field)}
        </dl>
      </details>
    </li>
  );
}

// Records is the view of the newest records of a connector.
export function Records() {
  const names = worker.value.connectors.filter((c) => c.records).map((c) => c.name);
  const name = route.value.name || names[0];
  return (
    <section aria-labelledby="title">
      <h2 id="title" tabIndex={-1}>Newest records{name && ` of ${name}`}</h2>
      {names.length > 1 && <nav class="choice" aria-label="connectors">
        {names.map((n) => <a key={n} href={address('records', n)} aria-current={n === name ? 'true' : undefined}>{n}</a>)}
      </nav>}
      {name ? (
        <Asked path={`records/${encodeURIComponent(name)}`} every={every}>
          {(list) => (list.length === 0 ? <p class="note">{name} has no records to show.</p>
            : <ul id="records">{list.map((r) => <Card key={r.origin} record={r} />)}</ul>)}
        </Asked>
      ) : <p class="note">No stream has read a record yet.</p>}
    </section>
  );
}
