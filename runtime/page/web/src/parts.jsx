// Parts that several views have.
import { signal, useSignal } from '@preact/signals';
import { Fragment } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { address } from './route.js';
import { act, actions, steady, worker } from './worker.js';
import { ago, codes, stateInWords, stateOf, utc } from './words.js';

export const State = ({ of }) => <span class={`state ${of}`}>{stateInWords[of] || of.toLowerCase()}</span>;

// Ago is how long ago a time was, and the time itself.
export const Ago = ({ time }) => time && <time dateTime={time} title={utc(time)}>{ago(time, worker.value.now)}</time>;

// said is what the last action came to; it is read out.
const said = signal({ text: '', bad: false });

export const Said = () => <p role="status" class={said.value.bad ? 'error' : 'note'}>{said.value.text}</p>;

// Action is a button that asks before it does something to connectors. It does nothing
// where these are in the state already that it would bring about. One that is not wanted
// any more asks on: what is read does not vanish.
export function Action({ action, names, wanted = true, children }) {
  const asks = useSignal(false);
  const busy = useSignal(false);
  const dialog = useRef();
  const idle = action.state && names.length > 0 && names.every((n) => worker.value.connectors.some((c) => c.name === n && c.state === action.state));
  useEffect(() => { if (asks.value) dialog.current?.showModal(); }, [asks.value]);
  const go = async () => {
    busy.value = true;
    const wrong = await act(action, names);
    busy.value = false;
    dialog.current?.close();
    if (action.leaves && wrong.length === 0) location.hash = address('connectors');
    said.value = wrong.length ? { text: wrong.join(' '), bad: true } : { text: `${action.label} ${names.join(', ')}: asked for.`, bad: false };
  };
  return (
    <>
      {wanted && <button type="button" disabled={names.length === 0} aria-disabled={idle ? 'true' : undefined} onClick={() => { asks.value = !idle; }}>{children || action.label}</button>}
      {asks.value && (
        <dialog ref={dialog} aria-labelledby="asks" aria-describedby="does" onClose={() => { asks.value = false; }} onCancel={(e) => { if (busy.value) e.preventDefault(); }}>
          <h2 id="asks">{action.label} {names.join(', ')}?</h2>
          <p id="does">{action.does}</p>
          <div class="actions">
            <button type="button" class="first" disabled={busy.value} onClick={go}>{children || action.label}</button>
            <button type="button" disabled={busy.value} onClick={() => dialog.current.close()}>Leave it</button>
          </div>
        </dialog>
      )}
    </>
  );
}

// Actions are what can be done to connectors.
export const Actions = ({ names, may, children }) => {
  const failed = worker.value.connectors.some((c) => names.includes(c.name) && stateOf(c) === 'FAILED');
  return may && (
    <div class="actions">
      {steady.map((action) => <Action key={action.label} action={action} names={names} />)}
      <Action action={actions.mend} names={names} wanted={failed} />
      {children}
    </div>
  );
};

// Coded is a text whose codes of failures lead to what is written of these.
export const Coded = ({ children }) => children.split(codes).map((part, i) => (i % 2 ? <a key={i} href={`docs/failures.md#${part.toLowerCase()}`}>{part}</a> : part));

// Problem is an error of a connector or a task, with what becomes of it, and when it was.
export const Problem = ({ error, note, when, over }) => (
  <><span class={over ? 'error over' : 'error'}><Coded>{error}</Coded></span>{note && <> <span class="note">{note}</span></>}{when && <> <span class="note when">{when}</span></>}</>
);

// Notes say what is not known of what is shown.
export const Notes = ({ of }) => of.map((n) => <p key={n} class="error over">{n}</p>);

// Table is a table whose rows are cards where there is no room for one. A column has a
// head, and what a row's cell holds; n is for numbers, and first for what names the row.
// In the cards of a dense table short numbers stand beside each other, in those of a plain
// one the cells tell what they are; named is what a name says with its column's head alone.
// The roles say again what a browser forgets of tables that are laid out otherwise.
export function Table({ id, label, kind, columns, rows, of, below, none }) {
  return (
    <table id={id} class={['cards', kind].filter(Boolean).join(' ')} role="table" aria-label={label}>
      <thead role="rowgroup"><tr role="row">{columns.map((c) => <th key={c.head} role="columnheader" scope="col" class={c.n && 'n'}>{c.unseen ? <span class="aside">{c.head}</span> : c.head}</th>)}</tr></thead>
      <tbody role="rowgroup">
        {rows.map((row) => {
          const more = below?.(row);
          return (
            <Fragment key={of(row)}>
              <tr role="row" class={more ? 'has-problem' : undefined}>
                {columns.map((c) => (c.first
                  ? <th key={c.head} role="rowheader" scope="row" class={c.first} data-label={c.named && c.head}>{c.cell(row)}</th>
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

// Links lead to views of some, by their names.
export const Links = ({ view, names }) => names.length > 0 && <span>{names.map((n, i) => <Fragment key={n}>{i > 0 && ', '}<a href={address(view, n)}>{n}</a></Fragment>)}</span>;

// Connectors are links to some.
export const Connectors = ({ names }) => <Links view="connector" names={names} />;

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
