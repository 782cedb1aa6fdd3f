// What the worker is asked for, and the parts of the page that are loaded when they are wanted.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask, unanswered } from './worker.js';

const patience = 65000; // milliseconds: the worker reads letters for a minute
const quick = 10000; // the same for what is asked again and again

// useAsked asks when the path or the body changes, and again and again where that is wanted.
// It gives what came: a value, what is wrong, and a function that asks once more. The value
// of a path stays until there is a newer one.
export function useAsked(path, { every, body } = {}) {
  const sent = body && JSON.stringify(body);
  const answer = useSignal({});
  const turn = useSignal(0);
  const now = turn.value;
  useEffect(() => {
    let here = true;
    let timer;
    const look = async () => {
      let { value } = answer.value;
      let wrong;
      try {
        value = await ask(path, sent ? 'POST' : 'GET', body, every ? quick : patience);
      } catch (e) {
        wrong = unanswered(e);
      }
      if (!here) return;
      answer.value = { path, value, wrong };
      if (every) timer = setTimeout(look, every);
    };
    answer.value = { path, value: answer.value.path === path ? answer.value.value : undefined };
    if (path) look();
    return () => { here = false; clearTimeout(timer); };
  }, [path, sent, every, now]);
  const { value, wrong } = answer.value.path === path ? answer.value : {};
  return { value, wrong, again: () => { turn.value += 1; } };
}

// Asked shows what a request says once it has said it, and what is wrong with that.
export function Asked({ path, every, body, wait = 'Loading', children }) {
  const { value, wrong, again } = useAsked(path, { every, body });
  return (
    <>
      {wrong && <Failed wrong={wrong} old={value !== undefined} again={!every && again} />}
      {value !== undefined ? children(value, again) : !wrong && <p class="note">{wait}</p>}
    </>
  );
}

// Failed says what went wrong: with what is not asked again by itself it is read out, and
// has a button.
export const Failed = ({ wrong, old, again }) => (
  <p class="error" role={again ? 'alert' : undefined}>{wrong.replace(/\.?$/, '.')}{old && ' What is shown is older.'} {again && <button type="button" onClick={again}>Try again</button>}</p>
);

const loaded = new Map(); // parts by what loads them

// Later shows a part of the page that is loaded when it is first wanted; come is told when
// it is there.
export function Later({ load, wait = <p class="note">Loading</p>, come, ...props }) {
  const state = useSignal('');
  useEffect(() => {
    let here = true;
    if (!loaded.has(load)) {
      load().then((m) => { loaded.set(load, m.default); if (here) state.value = 'there'; }, () => { if (here) state.value = 'failed'; });
    }
    return () => { here = false; };
  }, [load]);
  useEffect(() => { if (state.value === 'there') come?.(); }, [state.value]);
  const Part = loaded.get(load);
  if (Part) return <Part {...props} />;
  return state.value === 'failed' ? <p class="error" role="alert">This part of the page could not be loaded: the worker may have another version by now. Load the page again.</p> : wait;
}
