// Records on their way through a connector, as they pass.
import { effect, untracked, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Journey } from './preview.jsx';
import { filter, route } from './route.js';
import { at, hidden, listen, unanswered } from './worker.js';
import { count, several, stateInWords, stateOf, sum } from './words.js';

const most = 30; // records that are shown
const first = 3; // of before, which the worker of a stream keeps
const pause = 2000; // milliseconds until one that has ended is asked for again
const rates = [1, 5, 20]; // records per second

const empty = { list: [], n: 0, notes: [], seen: 0, lost: 0, state: 'waiting' };

// useTap follows a tap while it is wanted and seen, and gives what it has shown.
function useTap(path, wanted, turn) {
  const s = useSignal(empty);
  const merge = (more) => { s.value = { ...s.value, ...more }; };
  useEffect(() => { s.value = empty; }, [path]);
  const begin = () => {
    const leaves = new AbortController();
    let timer;
    const open = async () => {
      const { seen, lost } = s.value; // in earlier streams
      const of = {}; // counts by worker
      let over = '';
      const take = (event, data) => {
        const { list, n, notes } = s.value;
        if (event === 'record') merge({ list: [{ ...data, n }, ...list].slice(0, most), n: n + 1, state: '' });
        else if (event === 'note') merge({ notes: [...new Set([...notes, data.message])] });
        else if (event === 'end') over = data.message;
        else if (event === 'counts') {
          of[data.worker] = data;
          merge({ seen: seen + sum(Object.values(of), (c) => c.seen), lost: lost + sum(Object.values(of), (c) => c.lost) });
        }
      };
      try {
        await listen(`${path}&last=${s.value.n ? 0 : first}`, leaves.signal, take);
      } catch (e) {
        if (leaves.signal.aborted) return;
        if (e.refused) over = e.message;
        else merge({ state: 'broken', wrong: unanswered(e) });
      }
      if (over) merge({ state: 'over', wrong: over.replace(/\.$/, '') });
      else timer = setTimeout(open, pause); // a stream has its time, too
    };
    merge({ state: s.value.n ? '' : 'waiting' });
    open();
    return () => { leaves.abort(); clearTimeout(timer); };
  };
  // It ends at once when nobody looks: a page that a browser keeps to come back to is never
  // drawn again, and its streams would use up the connections of others.
  useEffect(() => (wanted ? effect(() => (hidden.value ? undefined : untracked(begin))) : undefined), [path, wanted, turn]);
  return s.value;
}

const words = {
  waiting: (c) => (stateOf(c) === 'RUNNING' ? 'Waiting for a record to pass.' : `No record passes: the connector is ${stateInWords[stateOf(c)]}.`),
  broken: (_, wrong) => `${wrong}: the tap broke off, and is opened again.`,
  over: (_, wrong) => `${wrong}. The tap has ended.`,
};

// Tap shows some of the records that pass through a connector, and what its stages make of them.
export default function Tap({ c, stages }) {
  const { filters } = route.value;
  const get = (name) => filters.get(name) || '';
  const turn = useSignal(0);
  const paused = useSignal(false);
  const [stage, task, rate] = [get('tap') === 'all' ? '' : get('tap'), get('task'), get('rate')];
  const query = new URLSearchParams(Object.entries({ stage, task, rate }).filter(([, v]) => v));
  const { list, notes, seen, lost, state, wrong } = useTap(`${at(c.name, 'tap')}?${query}`, !paused.value, turn.value);
  const names = [...new Set([...stages.filter((s) => s.tapped).map((s) => s.name), stage])].filter(Boolean);
  const choose = (name) => (e) => { paused.value = false; filter(name, e.target.value); };
  return (
    <>
      <form class="filters" onSubmit={(e) => e.preventDefault()} aria-label="which records of the tap">
        <label>Stage <select onChange={choose('tap')}>
          <option value="all" selected={!stage}>all: what each changes</option>
          {names.map((n) => <option key={n} value={n} selected={n === stage}>{n}: the whole record</option>)}
        </select></label>
        {c.tasks.length > 1 && <label>Task <select onChange={choose('task')}>
          <option value="" selected={!task}>all</option>
          {c.tasks.map(({ id }) => <option key={id} value={id} selected={String(id) === task}>{id}</option>)}
        </select></label>}
        <label>At most <select onChange={choose('rate')}>
          {rates.map((n) => <option key={n} value={n} selected={String(n) === (rate || '5')}>{n} a second</option>)}
        </select></label>
        {state === 'over' ? <button type="button" onClick={() => { turn.value += 1; }}>Begin again</button>
          : <button type="button" aria-pressed={paused.value} onClick={() => { paused.value = !paused.value; }}>Pause</button>}
        <button type="button" id="untap" onClick={() => filter('tap', '')}>End the tap</button>
      </form>
      <p role="status" class={state === 'over' || state === 'broken' ? 'error' : 'note'}>
        {paused.value ? 'Paused while you read: press Pause again to go on.' : words[state]?.(c, wrong) || 'A sample of what passes, the newest first. It pauses when you come to a record.'}
      </p>
      {seen > 0 && <p class="note">{several(seen, 'record')} passed{lost > 0 && `, ${count(lost)} of the sample were lost because this page took them too slowly`}.</p>}
      {notes.map((n) => <p key={n} class="error over">{n}</p>)}
      {list.length > 0 && <ol class="rows" id="tap" onFocusIn={() => { paused.value = true; }}>{list.map((r) => <Journey key={r.n} r={r} task={c.tasks.length > 1 ? r.task : undefined} />)}</ol>}
    </>
  );
}
