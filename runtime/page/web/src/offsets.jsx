// How far a connector has come, and how that is changed.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Asked } from './asked.jsx';
import { Action, Table } from './parts.jsx';
import { actions, ask, at, unanswered } from './worker.js';
import { count, several } from './words.js';

const ofTopic = ({ partition: p }) => p.kafka_topic !== undefined && p.kafka_partition !== undefined;

const place = (o) => (ofTopic(o) ? `${o.partition.kafka_topic}, partition ${o.partition.kafka_partition}` : JSON.stringify(o.partition));

const offset = (o) => (ofTopic(o) && o.offset ? count(o.offset.kafka_offset) : JSON.stringify(o.offset));

// exact tells whether a browser holds all numbers of a value as they are.
const exact = (v) => (typeof v === 'number' ? Math.abs(v) <= Number.MAX_SAFE_INTEGER : v === null || typeof v !== 'object' || Object.values(v).every(exact));

const inexact = 'it has numbers above 9,007,199,254,740,991, which a browser rounds: use hydraulics offsets';

// parsed gives the offset that a text stands for, in the form of another.
function parsed(text, like) {
  if (!ofTopic(like)) {
    const value = JSON.parse(text);
    if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('want an object, as it is now');
    if (!exact(value)) throw new Error(inexact);
    return value;
  }
  if (!/^\d+$/.test(text.trim()) || !exact(Number(text))) throw new Error('want the number of the record that is read next');
  return { kafka_offset: Number(text) };
}

// Change is a button that asks for a change of offsets, says what will be, and does so.
function Change({ label, title, does, was, send, done }) {
  const open = useSignal(false);
  const to = useSignal('');
  const state = useSignal({});
  const dialog = useRef();
  const text = was && (ofTopic(was) ? String(was.offset?.kafka_offset ?? 0) : JSON.stringify(was.offset));
  useEffect(() => { if (open.value) dialog.current?.showModal(); }, [open.value]);
  const begin = () => { to.value = text; state.value = {}; open.value = true; };
  let next;
  let wrong = '';
  try {
    next = was && open.value ? parsed(to.value, was) : undefined;
  } catch (e) {
    wrong = e.message;
  }
  const go = async (e) => {
    e.preventDefault();
    state.value = { busy: true };
    try {
      const { message } = await send(next);
      dialog.current?.close();
      done(message);
    } catch (x) {
      state.value = { wrong: unanswered(x) };
    }
  };
  const { busy } = state.value;
  return (
    <>
      <button type="button" onClick={begin}>{label}</button>
      {open.value && (
        <dialog ref={dialog} aria-labelledby="changes-offsets" onClose={() => { open.value = false; }} onCancel={(e) => { if (busy) e.preventDefault(); }}>
          <h2 id="changes-offsets">{title}</h2>
          <form onSubmit={go}>
            {was && <div class="field"><label for="next">{ofTopic(was) ? 'The record that is read next' : 'The place that it goes on from'}</label>
              <input id="next" autoComplete="off" inputMode={ofTopic(was) ? 'numeric' : undefined} value={to.value} aria-invalid={wrong ? 'true' : undefined} onInput={(e) => { to.value = e.target.value; }} />
              <p class={wrong ? 'error' : 'note'}>{wrong || `${offset(was)} becomes ${offset({ ...was, offset: next })}`}</p></div>}
            <p>{does(next)}</p>
            <p role="status" class="error">{state.value.wrong}</p>
            <div class="actions">
              <button type="submit" id="change-offsets" class="first" disabled={busy || Boolean(wrong)}>{label}</button>
              <button type="button" disabled={busy} onClick={() => dialog.current.close()}>Leave it</button>
            </div>
          </form>
        </dialog>
      )}
    </>
  );
}

// does says what a new offset brings about.
function does(was) {
  return (next) => {
    if (!next) return '';
    if (!ofTopic(was)) return 'It goes on from there when it is resumed: what it has read since is read again, what comes before is left out.';
    const more = (was.offset?.kafka_offset ?? 0) - next.kafka_offset;
    if (more === 0) return 'That is where it is.';
    return more > 0 ? `When it is resumed it reads up to ${several(more, 'record')} again.` : `When it is resumed it leaves out up to ${several(-more, 'record')}. What is left out stays in the topic.`;
  };
}

// Offsets lists those of a connector, which can be changed while it is stopped.
export default function Offsets({ c, role }) {
  const said = useSignal('');
  const stopped = c.state === 'STOPPED';
  const may = role === 'configure';
  const changed = (again) => (message) => { said.value = message; again(); };
  const path = at(c.name, 'offsets');
  return (
    <div class="offsets">
      {may && !stopped && <div class="actions"><Action action={actions.stop} names={[c.name]}>Stop it</Action>
        <span class="note">Offsets can be changed while it is stopped.</span></div>}
      <p role="status" class="note">{said.value}</p>
      <Asked key={c.state} path={path}>
        {({ offsets }, again) => (
          <>
            <Table id="offsets" label="Offsets" kind="plain" rows={offsets} of={place} none="It has none yet: it begins at the beginning." columns={[
              { head: 'Partition', first: 'code', cell: place },
              { head: 'Offset', kind: 'code', cell: offset },
              may && stopped && { head: 'Action', unseen: true, cell: (o) => (!exact(o) ? <span class="note">{inexact}</span> : <span>
                <Change label="Alter" title={`Alter the offset of ${place(o)}?`} was={o} does={does(o)} done={changed(again)}
                  send={(next) => ask(path, 'PATCH', { offsets: [{ partition: o.partition, offset: next }] })} />{' '}
                <Change label="Reset" title={`Reset the offset of ${place(o)}?`} does={() => `Now ${offset(o)}. It is forgotten: when it is resumed this partition begins anew, and what was read of it may be read again.`} done={changed(again)}
                  send={() => ask(path, 'PATCH', { offsets: [{ partition: o.partition, offset: null }] })} />
              </span>) },
            ].filter(Boolean)} />
            {may && stopped && offsets.length > 0 && <p><Change label="Reset all" title={`Reset all offsets of ${c.name}?`}
              does={() => `All ${count(offsets.length)} are forgotten: when it is resumed it begins anew, and what was read may be read again.`} done={changed(again)} send={() => ask(path, 'DELETE')} /></p>}
          </>
        )}
      </Asked>
    </div>
  );
}
