// Parts that several views have.
import { signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { act, actions } from './worker.js';
import { stateInWords } from './words.js';

export const State = ({ of }) => <span class={`state ${of}`}>{stateInWords[of] || of.toLowerCase()}</span>;

// said is what the last action came to; it is read out.
const said = signal({ text: '', bad: false });

export const Said = () => <p role="status" class={said.value.bad ? 'error' : 'note'}>{said.value.text}</p>;

// Actions are buttons that ask before they do something to connectors.
export function Actions({ names, may }) {
  const chosen = useSignal(null);
  const busy = useSignal(false);
  const dialog = useRef();
  useEffect(() => { if (chosen.value) dialog.current?.showModal(); }, [chosen.value]);
  if (!may) return null;
  const go = async () => {
    busy.value = true;
    const action = chosen.value;
    const wrong = await act(action, names);
    busy.value = false;
    dialog.current?.close();
    said.value = wrong.length ? { text: wrong.join(' '), bad: true } : { text: `${action.label}: asked for ${names.join(', ')}.`, bad: false };
  };
  return (
    <div class="actions">
      {Object.entries(actions).map(([key, action]) => (
        <button key={key} type="button" disabled={names.length === 0} onClick={() => { chosen.value = action; }}>{action.label}</button>
      ))}
      {chosen.value && (
        <dialog ref={dialog} aria-labelledby="asks" onClose={() => { chosen.value = null; }} onCancel={(e) => { if (busy.value) e.preventDefault(); }}>
          <h2 id="asks">{chosen.value.label} {names.join(', ')}?</h2>
          <p>{chosen.value.does}</p>
          <div class="actions">
            <button type="button" disabled={busy.value} onClick={go}>{chosen.value.label}</button>
            <button type="button" disabled={busy.value} onClick={() => dialog.current.close()}>Leave it</button>
          </div>
        </dialog>
      )}
    </div>
  );
}

// Problem is an error of a connector or a task, with what becomes of it.
export const Problem = ({ error, note, over }) => (
  <><span class={over ? 'error over' : 'error'}>{error}</span>{note && <> <span class="note">{note}</span></>}</>
);
