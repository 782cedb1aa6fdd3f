// Parts that several views have.
import { signal, useSignal } from '@preact/signals';
import { Fragment } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { address } from './route.js';
import { act, actions, worker } from './worker.js';
import { ago, stateInWords, utc } from './words.js';

export const State = ({ of }) => <span class={`state ${of}`}>{stateInWords[of] || of.toLowerCase()}</span>;

// Ago is how long ago a time was, and the time itself.
export const Ago = ({ time }) => time && <time dateTime={time} title={utc(time)}>{ago(time, worker.value.now)}</time>;

// said is what the last action came to; it is read out.
const said = signal({ text: '', bad: false });

export const Said = () => <p role="status" class={said.value.bad ? 'error' : 'note'}>{said.value.text}</p>;

// Action is a button that asks before it does something to connectors.
export function Action({ action, names, children }) {
  const asks = useSignal(false);
  const busy = useSignal(false);
  const dialog = useRef();
  useEffect(() => { if (asks.value) dialog.current?.showModal(); }, [asks.value]);
  const go = async () => {
    busy.value = true;
    const wrong = await act(action, names);
    busy.value = false;
    dialog.current?.close();
    said.value = wrong.length ? { text: wrong.join(' '), bad: true } : { text: `${action.label} ${names.join(', ')}: asked for.`, bad: false };
  };
  return (
    <>
      <button type="button" disabled={names.length === 0} onClick={() => { asks.value = true; }}>{children || action.label}</button>
      {asks.value && (
        <dialog ref={dialog} aria-labelledby="asks" aria-describedby="does" onClose={() => { asks.value = false; }} onCancel={(e) => { if (busy.value) e.preventDefault(); }}>
          <h2 id="asks">{action.label} {names.join(', ')}?</h2>
          <p id="does">{action.does}</p>
          <div class="actions">
            <button type="button" disabled={busy.value} onClick={go}>{children || action.label}</button>
            <button type="button" disabled={busy.value} onClick={() => dialog.current.close()}>Leave it</button>
          </div>
        </dialog>
      )}
    </>
  );
}

// Actions are what can be done to connectors.
export const Actions = ({ names, may }) => may && (
  <div class="actions">{Object.entries(actions).map(([key, action]) => <Action key={key} action={action} names={names} />)}</div>
);

// Problem is an error of a connector or a task, with what becomes of it.
export const Problem = ({ error, note, over }) => (
  <><span class={over ? 'error over' : 'error'}>{error}</span>{note && <> <span class="note">{note}</span></>}</>
);

// Notes say what is not known of what is shown.
export const Notes = ({ of }) => of.map((n) => <p key={n} class="error over">{n}</p>);

// Table is a table whose rows are cards where there is no room for one. A column has a
// head, and what a row's cell holds; n is for numbers, and first for what names the row.
// In the cards of a dense table short numbers stand beside each other.
// The roles say again what a browser forgets of tables that are laid out otherwise.
export function Table({ id, label, dense, columns, rows, of, below, none }) {
  return (
    <table id={id} class={dense ? 'cards dense' : 'cards'} role="table" aria-label={label}>
      <thead role="rowgroup"><tr role="row">{columns.map((c) => <th key={c.head} role="columnheader" scope="col" class={c.n && 'n'}>{c.unseen ? <span class="aside">{c.head}</span> : c.head}</th>)}</tr></thead>
      <tbody role="rowgroup">
        {rows.map((row) => {
          const more = below?.(row);
          return (
            <Fragment key={of(row)}>
              <tr role="row" class={more ? 'has-problem' : undefined}>
                {columns.map((c) => (c.first
                  ? <th key={c.head} role="rowheader" scope="row" class={c.first}>{c.cell(row)}</th>
                  : <td key={c.head} role="cell" class={c.n ? 'n' : c.kind} data-label={c.unseen ? undefined : c.head}>{c.cell(row)}</td>))}
              </tr>
              {more && <tr role="row" class="problem"><td role="cell" colSpan={columns.length}>{more}</td></tr>}
            </Fragment>
          );
        })}
        {rows.length === 0 && <tr role="row"><td role="cell" class="note" colSpan={columns.length}>{none}</td></tr>}
      </tbody>
    </table>
  );
}

// Connectors are links to some.
export const Connectors = ({ names }) => names.length > 0 && <span>{names.map((n, i) => <Fragment key={n}>{i > 0 && ', '}<a href={address('connector', n)}>{n}</a></Fragment>)}</span>;

// Opened is what is made once somebody opens it.
export function Opened({ summary, children }) {
  const open = useSignal(false);
  return (
    <details onToggle={(e) => { open.value = e.currentTarget.open; }}>
      <summary>{summary}</summary>
      {open.value && children()}
    </details>
  );
}
