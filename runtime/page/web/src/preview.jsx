import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { ask } from './worker.js';
import { count, duration, several, utc } from './words.js';

const fates = {
  delivered: 'arrives', 'sink unknown': 'is given to the sink', dropped: 'is dropped', 'dead letter': 'becomes a dead letter', skipped: 'is skipped, without a dead letter',
  passed: 'is on its way', kept: 'passed before you came: what became of it is not known', stops: 'ends the task', retried: 'is tried again until it works', 'not reached': 'is not reached',
};

function Change({ c }) {
  return (
    <li class={!c.was ? 'come' : !c.is ? 'gone' : undefined}>
      <code>{c.was ? (c.is ? '~' : '-') : '+'} {c.field}</code>{' '}
      {c.was && <span class="code">{c.before}</span>}{c.was && c.is && ' becomes '}{c.is && <span class="code">{c.after}</span>}
      {c.picture && <img class="small" src={c.picture} alt={c.field} />}
    </li>
  );
}

const Step = ({ s }) => (
  <>
    <h4>{s.stage}</h4>
    {s.fields ? <dl>{s.fields.map((f) => [<dt key={`${f.field}?`}>{f.field}</dt>, <dd key={f.field}>{f.picture ? <img src={f.picture} alt={f.field} /> : f.after}</dd>])}</dl>
      : s.changes.length ? <ul class="changes">{s.changes.map((c) => <Change key={c.field} c={c} />)}</ul> : <p class="note">changes nothing</p>}
  </>
);

// Journey is a record, what the stages made of it, and what becomes of it.
export function Journey({ r, task }) {
  return (
    <li>
      <details open={!r.arrives}>
        <summary>
          {r.time && <time dateTime={r.time}>{utc(r.time)}</time>} <b>{r.record}</b>{' '}
          <span class={r.arrives ? 'kind' : 'error'}>{task !== undefined && `in task ${task} `}{fates[r.fate] || r.fate}{r.topic && ` ${r.fate === 'passed' ? 'to' : 'in'} topic ${r.topic}`}{r.value_bytes > 0 && `, ${count((r.key_bytes || 0) + r.value_bytes)} bytes`}</span>
        </summary>
        {r.reason && <p class="error">{r.stage}: {r.reason}</p>}
        {!r.reason && r.fate === 'dropped' && <p>by {r.stage}</p>}
        {r.steps.map((s, i) => <Step key={`${s.stage}${i}`} s={s} />)}
        {r.steps.length === 0 && <p class="note">No stage changed it.</p>}
      </details>
    </li>
  );
}

// Preview shows what a configuration would make of real records, before it is saved.
export function Preview({ name, config, ready }) {
  const state = useSignal({});
  const asked = useRef(new AbortController());
  const stop = () => asked.current.abort(); // one is made at a time: who leaves holds up nobody
  useEffect(() => {
    addEventListener('pagehide', stop);
    return () => { removeEventListener('pagehide', stop); stop(); };
  }, []);
  const go = async (e) => {
    e.preventDefault();
    const d = new FormData(e.target);
    const order = { name, config, records: Number(d.get('records')) || 10, offline: d.get('offline') === 'on', execute: d.get('execute') === 'on' };
    const topic = d.get('topic').trim();
    if (topic) order.topics = [topic];
    asked.current = new AbortController();
    const { signal } = asked.current;
    state.value = { busy: true };
    try {
      if (d.get('input').trim()) order.input = [JSON.parse(d.get('input'))].flat();
      state.value = { value: await ask('api/preview', 'POST', order, undefined, signal) };
    } catch (x) {
      state.value = signal.aborted ? {} : { wrong: x.message };
    }
  };
  const { busy, value, wrong } = state.value;
  return (
    <section aria-labelledby="previews">
      <h3 id="previews">Preview on real records <span class="kind">nothing is written anywhere</span></h3>
      <form class="filters" onSubmit={go}>
        <label>Records <input name="records" inputMode="numeric" placeholder="10" size={4} /></label>
        <label>From topic <input name="topic" placeholder="the connector's" size={18} /></label>
        <label><input type="checkbox" name="offline" /> ask no model servers</label>
        <label><input type="checkbox" name="execute" /> try the SQL, and roll it back</label>
        <details><summary>Records of your own</summary><textarea name="input" rows={4} aria-label="records as JSON" placeholder={'[{"key": "k", "value": {"roi": 2}}]'} /></details>
        <button type="submit" disabled={!ready || busy}>Preview</button>
        {busy && <button type="button" onClick={stop}>Stop</button>}
      </form>
      <div role="status">
        {busy && <p class="note">Taking records through the stages</p>}
        {value && <p>From {value.from}: {several(value.records.length, 'record')} in {duration(value.seconds)}, of which {count(value.records.filter((r) => r.arrives).length)} would arrive. Nothing was written.</p>}
      </div>
      {wrong && <p class="error" role="alert">{wrong}</p>}
      {value && <>
        {value.stopped && <p class="error">The task would end: {value.stopped}</p>}
        {(value.notes || []).map((n) => <p key={n} class="note">{n}</p>)}
        <ol class="rows" id="preview">{value.records.map((r) => <Journey key={r.record} r={r} />)}</ol>
        {value.effects.length > 0 && <><h4>It would also</h4><ul id="effects">{value.effects.map((x) => (
          <li key={x.does + x.text}>{x.does}{x.text && <pre tabIndex={0} aria-label={x.does}>{x.text}</pre>}{(x.warnings || []).map((w) => <p key={w} class="error over">{w}</p>)}</li>
        ))}</ul></>}
      </>}
    </section>
  );
}
