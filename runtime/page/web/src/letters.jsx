import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Asked } from './asked.jsx';
import { Coded, Connectors, Table } from './parts.jsx';
import { address, route } from './route.js';
import { Body } from './topics.jsx';
import { ask, worker } from './worker.js';
import { count, printable, several, utc } from './words.js';

const path = (topic, rest = '') => `api/dead-letters/${encodeURIComponent(topic)}${rest}`;
const last = (name) => name.slice(name.lastIndexOf('.') + 1) || 'unknown';
const total = (sums) => Object.values(sums || {}).reduce((a, b) => a + b, 0);

const Topics = () => (
  <section aria-labelledby="title">
    <h2 id="title" tabIndex={-1}>Dead letters</h2>
    <Asked path="api/dead-letters" wait="Asking Kafka">
      {(list) => (
        <Table id="letter-topics" label="Topics of dead letters" rows={list} of={(t) => t.topic}
          none="No connector has a topic for dead letters: errors.tolerance: all with errors.deadletterqueue.topic.name gives it one. Without it a record that fails stops its task."
          columns={[
            { head: 'Topic', first: 'name', cell: (t) => (t.there ? <a href={address('letters', t.topic)}>{t.topic}</a> : t.topic) },
            { head: 'Letters, at most', n: true, cell: (t) => (t.there ? count(t.letters) : 'not made yet') },
            { head: 'Written by', cell: (t) => <Connectors names={t.connectors} /> },
          ]} />
      )}
    </Asked>
  </section>
);

// Report says what became of letters, or would.
function Report({ report, dry }) {
  const rows = [...Object.entries(report.sent).map(([t, n]) => [n, `${dry ? 'would go' : 'went'} to ${t}`]), ...Object.entries(report.left).map(([why, n]) => [n, `left out: ${why}`])];
  if (rows.length === 0) return <p>{dry ? 'No letter would be replayed: an earlier replay has come to the end. Begin with the first letter to send them again.' : 'No letter yet.'}</p>;
  return <ul class="report">{rows.map(([n, text]) => <li key={text}><b>{count(n)}</b> {text}</li>)}</ul>;
}

// Replay asks for a dry run, then for the replay itself, and shows how far it is.
function Replay({ topic, cause, letters, done }) {
  const state = useSignal({ step: 'closed' });
  const restart = useSignal(false);
  const dialog = useRef();
  const order = (dryRun) => ({ dryRun, restart: restart.value, connector: cause.connector, stage: cause.stage, exception: cause.exception });
  const turn = useRef(0); // an answer to a dialog that was closed meanwhile says nothing
  const dry = async () => {
    turn.current += 1;
    const mine = turn.current;
    state.value = { step: 'asking' };
    let answer;
    try {
      answer = { step: 'asked', dry: await ask(path(topic, '/replay'), 'POST', order(true)) };
    } catch (e) {
      answer = { step: 'asked', wrong: e.message };
    }
    if (mine === turn.current) state.value = answer;
  };
  const open = state.value.step !== 'closed';
  useEffect(() => { if (open) dialog.current?.showModal(); }, [open]); // whatever step it has come to by then
  const go = async () => {
    const expected = total(state.value.dry.report.sent);
    try {
      let now = await ask(path(topic, '/replay'), 'POST', order(false));
      while (now.running) {
        state.value = { step: 'running', now, expected };
        await new Promise((resolve) => { setTimeout(resolve, 500); });
        now = await ask(path(topic, '/replay'));
      }
      state.value = { step: 'over', now, expected };
    } catch (e) {
      state.value = { step: 'over', wrong: e.message };
    }
    done();
  };
  const { step, dry: would, now, expected, wrong } = state.value;
  const sent = total(now?.report.sent);
  return (
    <>
      <button type="button" onClick={dry}>Replay</button>
      {step !== 'closed' && <dialog ref={dialog} aria-labelledby="replays" onClose={() => { turn.current += 1; state.value = { step: 'closed' }; }} onCancel={(e) => { if (step === 'running') e.preventDefault(); }}>
        <h2 id="replays">Replay letters of {cause.connector || topic}?</h2>
        <p>{several(letters, 'record')} failed in {cause.stage || 'any stage'}. Each record goes once more to the topic that it was read from: every connector that reads it gets it again. Mend the cause first.</p>
        <div role="status">
          {step === 'asking' && <p class="note">Trying it: nothing is sent</p>}
          {would && step === 'asked' && <Report report={would.report} dry />}
          {now && <><progress max={Math.max(1, expected)} value={sent} aria-label="records sent" /> <p>{step === 'over' ? 'Done' : 'Sending'}: {count(sent)} of {count(expected)} records.</p>{step === 'over' && <Report report={now.report} />}</>}
          {(wrong || now?.error) && <p class="error">{wrong || now.error}</p>}
        </div>
        {step === 'asked' && <p><label><input type="checkbox" checked={restart.value} onChange={(e) => { restart.value = e.target.checked; dry(); }} /> begin with the first letter, also what was replayed before</label></p>}
        <div class="actions">
          {step === 'asked' && total(would?.report.sent) > 0 && <button type="button" id="send" class="first" onClick={go}>Send {several(total(would.report.sent), 'record')}</button>}
          <button type="button" disabled={step === 'running'} onClick={() => dialog.current.close()}>{step === 'over' ? 'Close' : 'Leave it'}</button>
        </div>
      </dialog>}
    </>
  );
}

const Letter = ({ l }) => (
  <li>
    <details>
      <summary><b>{printable(l.key) || 'no key'}</b> <span class="kind">{l.from}</span> <time dateTime={l.time}>{l.time > '0001-02' ? utc(l.time) : 'no time'}</time>{l.replayed > 0 && <span class="kind"> replayed {several(l.replayed, 'time')}</span>}
        <span class="error"> {l.died.message.split('\n')[0].slice(0, 200)}</span></summary>
      <dl>
        <dt>letter</dt><dd>{l.place}</dd><dt>connector</dt><dd>{l.died.connector || 'unknown'}{l.died.task && `, task ${l.died.task}`}</dd><dt>stage</dt><dd>{l.died.stage || 'unknown'} {l.died.class}</dd>
        <dt>exception</dt><dd>{l.died.exception || 'unknown'}</dd>
        {l.died.value_omitted_bytes && <><dt>value</dt><dd>left out: its {l.died.value_omitted_bytes} bytes were too many for the letter</dd></>}
      </dl>
      {l.trace && <details><summary>The whole error</summary><pre tabIndex={0} aria-label="the whole error"><Coded>{l.trace}</Coded></pre></details>}
      <Body record={l} />
    </details>
  </li>
);

function Letters({ topic, cause }) {
  const query = new URLSearchParams(Object.entries(cause).filter(([, v]) => v));
  return (
    <Asked path={path(topic, `/letters?${query}`)} wait="Reading">
      {(list) => (
        <>
          <h3>The newest {several(list.length, 'letter')}{cause.stage ? `: ${cause.connector}, ${cause.stage}` : ''}</h3>
          <ol class="rows" id="letters">{list.map((l) => <Letter key={l.place} l={l} />)}</ol>
          {list.length === 0 && <p>There are no letters{cause.stage ? ' of this cause' : ''}.</p>}
        </>
      )}
    </Asked>
  );
}

function Causes({ topic }) {
  const { filters } = route.value;
  const cause = { connector: filters.get('connector') || '', stage: filters.get('stage') || '', exception: filters.get('exception') || '' };
  const may = worker.value.role !== 'view';
  const here = (c) => c.connector === cause.connector && c.stage === cause.stage && c.exception === cause.exception;
  const columns = (again) => [
    { head: 'Cause', first: 'name', cell: (c) => <a href={address('letters', topic, { connector: c.connector, stage: c.stage, exception: c.exception })} aria-current={here(c) ? 'true' : undefined}>{c.connector || 'unknown'}: {c.stage || 'no stage'}, {last(c.exception)}</a> },
    { head: 'Letters', n: true, cell: (c) => count(c.letters) },
    { head: 'Last record', cell: (c) => c.last && <time dateTime={c.last}>{utc(c.last)}</time> },
    { head: 'Example', kind: 'example', cell: (c) => c.example.slice(0, 300) },
    may && { head: 'Replay', unseen: true, cell: (c) => (c.connector || c.stage || c.exception ? <Replay topic={topic} cause={c} letters={c.letters} done={again} /> : 'hydraulics dlq replay sends all') },
  ].filter(Boolean);
  return (
    <section aria-labelledby="title">
      <h2 id="title" tabIndex={-1}><a href={address('letters')}>Dead letters</a> / {topic}</h2>
      <Asked path={path(topic)} wait="Counting">
        {(list, again) => (
          <>
            <Table id="causes" label="Causes" rows={list} of={(c) => `${c.connector} ${c.stage} ${c.exception}`} none="There are no letters: nothing has failed." columns={columns(again)} />
            {list.length > 0 && <Letters key={JSON.stringify(cause)} topic={topic} cause={cause} />}
          </>
        )}
      </Asked>
    </section>
  );
}

// DeadLetters is the view of all topics of dead letters, and of one by cause.
export default function DeadLetters() {
  const { name } = route.value;
  return name ? <Causes key={name} topic={name} /> : <Topics />;
}
