// A view in a chunk of its own, which is loaded when it is first shown.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

export function lazily(load, name) {
  let View;
  return function Lazy() {
    const state = useSignal(View ? 'there' : 'loading');
    useEffect(() => {
      if (!View) load().then((m) => { View = m[name]; state.value = 'there'; }, () => { state.value = 'failed'; });
    }, []);
    useEffect(() => { // readers of the screen are told where one has come, also where that takes a while
      if (state.value === 'there' && document.activeElement === document.body) document.querySelector('h2')?.focus();
    }, [state.value]);
    if (state.value === 'failed') return <p class="error" role="alert">This part of the page could not be loaded: the worker may have another version by now. Load the page again.</p>;
    return state.value === 'there' ? <View /> : <p class="note">Loading</p>;
  };
}

const patience = 65000; // milliseconds: the worker reads letters for a minute

// useAsked asks again when the path changes, and gives what came: value, wrong, and a
// function that asks once more.
export function useAsked(path, ask) {
  const answer = useSignal({});
  const turn = useSignal(0);
  const now = turn.value;
  useEffect(() => {
    let here = true;
    if (path) {
      answer.value = { value: answer.value.path === path ? answer.value.value : undefined, path };
      ask(path, 'GET', undefined, patience).then((value) => { if (here) answer.value = { value, path }; }, (e) => { if (here) answer.value = { wrong: e.message, path }; });
    }
    return () => { here = false; };
  }, [path, now]);
  const current = answer.value.path === path ? answer.value : {};
  return { ...current, again: () => { turn.value += 1; } };
}
