import { useSignal } from '@preact/signals';
import { Fragment } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Asked } from './asked.jsx';
import { Table } from './parts.jsx';
import { Preview } from './preview.jsx';
import { address, route } from './route.js';
import { ask, at, refresh, worker } from './worker.js';
import { count } from './words.js';

const pause = 400; // milliseconds without a key before the worker is asked

// useEditing keeps text and form in step: the worker says what either says.
function useEditing(first, fixed) {
  const s = useSignal({ ...first, json: false, report: null, wrong: '', busy: false });
  const timer = useRef();
  const turn = useRef(0); // an answer that an edit has overtaken says nothing
  const pending = useRef({}); // what the form has set and the worker has not written yet
  const other = useRef(); // the text in the other form, which has the comments, and what it says
  const merge = (more) => { s.value = { ...s.value, ...more }; };
  const name = () => fixed || s.value.config.name || '';
  const check = async (mine) => {
    const { config } = s.value;
    if (!config['connector.class']) { merge({ report: null, busy: false }); return; }
    try {
      const report = await ask(`api/connector-plugins/${encodeURIComponent(config['connector.class'])}/config/validate`, 'PUT', { ...config, name: name() });
      if (mine === turn.current) merge({ report, wrong: '', busy: false });
    } catch (e) {
      if (mine === turn.current) merge({ wrong: e.message, busy: false });
    }
  };
  const send = async (order) => {
    turn.current += 1;
    const mine = turn.current;
    merge({ busy: true });
    try {
      const said = await ask('api/text', 'POST', { json: s.value.json, ...order });
      if (mine !== turn.current) return;
      if (said.problems.length > 0) { merge({ problems: said.problems, busy: false }); return; }
      pending.current = {};
      merge({ text: order.config || order.set ? said.text : s.value.text, config: said.config, problems: [], wrong: '' });
      await check(mine);
    } catch (e) {
      if (mine === turn.current) merge({ wrong: e.message, busy: false });
    }
  };
  const later = (order) => { clearTimeout(timer.current); timer.current = setTimeout(() => send(order()), pause); };
  useEffect(() => { turn.current += 1; check(turn.current); return () => clearTimeout(timer.current); }, []);
  return {
    s, name, merge,
    type: (text) => {
      turn.current += 1;
      pending.current = {};
      merge({ text, busy: true });
      later(() => ({ text }));
    },
    set: (key, value) => {
      turn.current += 1;
      pending.current[key] = value;
      merge({ config: { ...s.value.config, [key]: value ?? '' }, busy: true });
      later(() => ({ text: s.value.text, set: { ...pending.current } }));
    },
    as: (json) => {
      const { text, config, busy, problems } = s.value;
      if (busy || problems.length > 0) return; // the text says something else than config
      const back = other.current;
      other.current = { text, said: JSON.stringify(config) };
      merge({ json });
      if (back?.said === JSON.stringify(config)) merge({ text: back.text });
      else send({ json, config });
    },
  };
}

// marks are those of HTML that Kafka Connect's own texts have.
const marks = /<\/?(?:code|p|b|i|em|a|ul|li|br)\b[^>]*>/g;

function Field({ def, value, editing, errors }) {
  const { name, type, required, default_value: standard, documentation, display_name: display } = def;
  const { config } = editing.s.value;
  const has = name in config;
  const change = (e) => editing.set(name, e.target.value === '' ? null : e.target.value);
  const values = type === 'BOOLEAN' ? ['true', 'false'] : value.recommended_values;
  const id = `f-${name}`;
  const common = { id, 'aria-describedby': `${id}-doc`, 'aria-invalid': errors.length > 0 ? 'true' : undefined, required, value: has ? config[name] : '' };
  return (
    <div class="field">
      <label for={id}>{display || name}{required && <span class="kind"> required</span>}</label>
      {type === 'BOOLEAN'
        ? <select {...common} onChange={change}><option value="">{`default${standard ? `: ${standard}` : ''}`}</option>{values.map((v) => <option key={v}>{v}</option>)}</select>
        : <input {...common} type={type === 'PASSWORD' ? 'password' : 'text'} autoComplete="off" placeholder={standard ?? ''} list={values.length ? `${id}-list` : undefined} onInput={change} />}
      {type !== 'BOOLEAN' && values.length > 0 && <datalist id={`${id}-list`}>{values.map((v) => <option key={v} value={v} />)}</datalist>}
      {errors.map((e) => <p key={e} class="error">{e}</p>)}
      <p class="note" id={`${id}-doc`}>{display && display !== name && <code>{name}</code>} {documentation.replace(marks, '')}</p>
    </div>
  );
}

// shown tells whether a key has a field; the name's is elsewhere.
const shown = ({ definition, value }) => definition && definition.name !== 'name' && value.visible;

function Form({ editing }) {
  const { report, config } = editing.s.value;
  if (!report) return <p class="note">{config['connector.class'] ? 'Checking' : 'The class says which keys there are.'}</p>;
  const known = report.configs.filter(shown);
  const loose = report.configs.filter((c) => !shown(c) && c.value.errors.length > 0);
  const groups = [...new Set(known.map((c) => c.definition.group || 'Further keys'))];
  return (
    <>
      {loose.map((c) => <p key={c.value.name} class="error"><code>{c.value.name}</code> {c.value.errors.join(' ')}</p>)}
      {groups.map((g, i) => {
        const list = known.filter((c) => (c.definition.group || 'Further keys') === g).sort((a, b) => a.definition.order_in_group - b.definition.order_in_group);
        const wrong = list.reduce((n, c) => n + c.value.errors.length, 0);
        const set = list.filter((c) => c.definition.name in config).length;
        return (
          <details key={g} class="group" open={i === 0 || set > 0 || wrong > 0}>
            <summary>{g} <span class="kind">{set} of {list.length} set</span>{wrong > 0 && <span class="error"> {count(wrong)} wrong</span>}</summary>
            {list.map((c) => <Field key={c.definition.name} def={c.definition} value={c.value} editing={editing} errors={c.value.errors} />)}
          </details>
        );
      })}
    </>
  );
}

const Diff = ({ name, config }) => (
  <Asked path="api/diff" body={{ name, config }} wait="Comparing">
    {(list) => (
      <Table id="diff" label="What differs" rows={list} of={(d) => d.key} none="Nothing differs from what runs." columns={[
        { head: 'Key', first: 'code', cell: (d) => d.key },
        { head: 'Runs', kind: 'code gone', cell: (d) => d.before ?? <i>not set</i> },
        { head: 'Would run', kind: 'code come', cell: (d) => <span>{d.after ?? <i>not set</i>}{d.secret && ' (another one)'}</span> },
      ]} />
    )}
  </Asked>
);

// Mend leads to the keys that are wrong, those of them that have a field.
const Mend = ({ report }) => {
  const wrong = report.configs.filter((c) => c.value.errors.length > 0);
  const go = (e) => {
    const field = document.getElementById(`f-${e.target.textContent}`);
    field.closest('details').open = true; // else it takes no focus
    field.focus();
  };
  return <>{count(report.error_count)} to mend first: {wrong.map((c, i) => <Fragment key={c.value.name}>{i > 0 && ', '}{shown(c) ? <button type="button" class="go" onClick={go}>{c.value.name}</button> : <code>{c.value.name}</code>}</Fragment>)}</>;
};

function Save({ editing, file, version, refused, name, fixed }) {
  const seen = useSignal(version); // of the file
  const made = useSignal(fixed); // the connector that this changes
  const said = useSignal({ text: '' });
  const busy = useSignal(false);
  const { text, config, report, problems, json } = editing.s.value;
  const fit = report && report.error_count === 0 && problems.length === 0 && name !== '' && !editing.s.value.busy;
  const save = async () => {
    busy.value = true;
    try {
      if (file) seen.value = (await ask(`api/files/${encodeURIComponent(name)}`, 'PUT', { text, version: seen.value })).version;
      else if (made.value === name) await ask(at(name, 'config'), 'PUT', { ...config, name });
      else await ask('api/connectors', 'POST', { name, config: { ...config, name } }); // refused where it is there
      made.value = name;
      await refresh();
      said.value = { text: file ? `${file} is written, and is read anew.` : 'Saved. Its tasks start with it.', to: true };
    } catch (e) {
      said.value = { text: e.message, bad: true };
    }
    busy.value = false;
  };
  const download = () => {
    const a = document.createElement('a');
    a.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
    a.download = `${name || 'connector'}.${json ? 'json' : 'yaml'}`;
    a.click();
    URL.revokeObjectURL(a.href);
  };
  return (
    <>
      {refused && <p class="note">{refused}</p>}
      <div class="actions">
        {!refused && <button type="button" id="save" class="first" disabled={!fit || busy.value || (file && json)} onClick={save}>{file ? 'Write the file' : 'Save'}</button>}
        <button type="button" disabled={!text} onClick={download}>Download</button>
        {!fit && <span class="note">{name === '' ? 'It needs a name.' : report?.error_count ? <Mend report={report} /> : ''}</span>}
        {file && json && <span class="note">The file is YAML: choose YAML to write it.</span>}
      </div>
      <p role="status" class={said.value.bad ? 'error' : 'note'}>{said.value.text} {said.value.to && <a href={address('connector', name)}>{name}</a>}</p>
    </>
  );
}

function Editor({ first, fixed }) {
  const editing = useEditing(first, fixed);
  const { text, config, problems, wrong, json, busy } = editing.s.value;
  const name = editing.name();
  return (
    <>
      <div class="halves">
        <div>
          <div class="actions" role="group" aria-label="form of the text">
            <button type="button" aria-pressed={!json} aria-disabled={busy || problems.length > 0} onClick={() => json && editing.as(false)}>YAML</button>
            <button type="button" aria-pressed={json} aria-disabled={busy || problems.length > 0} onClick={() => !json && editing.as(true)}>JSON</button>
            <span class="note" role="status">{busy ? 'checking' : ''}</span>
          </div>
          <label for="text" class="aside">The configuration as text</label>
          <textarea id="text" spellcheck={false} rows={Math.min(40, Math.max(14, text.split('\n').length + 1))} value={text} onInput={(e) => editing.type(e.target.value)} aria-describedby="text-wrong" />
          <div id="text-wrong">{problems.map((p) => <p key={p.message} class="error">{p.line ? `line ${p.line}: ` : ''}{p.key ? `${p.key}: ` : ''}{p.message}</p>)}{wrong && <p class="error" role="alert">{wrong}</p>}</div>
          {fixed && <><h3>What differs</h3>{problems.length > 0 ? <p class="note">That is told once the text can be read.</p> : <Diff name={fixed} config={config} />}</>}
          <Save editing={editing} name={name} fixed={fixed} file={first.file} version={first.version} refused={first.refused} />
          <Preview name={name} config={config} ready={!busy && problems.length === 0 && name !== ''} />
        </div>
        <form class="keys" onSubmit={(e) => e.preventDefault()} aria-label="keys"><Form editing={editing} /></form>
      </div>
    </>
  );
}

function Create() {
  const chosen = useSignal(null);
  if (chosen.value) return <Editor first={chosen.value} />;
  const choose = (e) => {
    e.preventDefault();
    const d = new FormData(e.target);
    const config = { name: d.get('name').trim(), 'connector.class': d.get('class') };
    chosen.value = { text: `name: ${config.name}\nconnector.class: ${config['connector.class']}\n`, config, problems: [] };
  };
  return (
    <Asked path="api/connector-plugins" wait="Asking what there is">
      {(list) => (
        <>
          <p class="note">The class says which keys there are: <a href="docs/plugins/README.md">what each does</a>. Nothing runs before it is saved.</p>
          <form class="filters" onSubmit={choose}>
            <label>Name <input name="name" required pattern="[A-Za-z0-9._\-]+" title="letters, digits, dots, dashes" /></label>
            <label>Class <select name="class">{list.map((p) => <option key={p.type + p.class} value={p.class}>{p.class === 'stream' ? 'stream' : `${p.class.split('.').at(-1)} (${p.type})`}</option>)}</select></label>
            <button type="submit">Go on</button>
          </form>
        </>
      )}
    </Asked>
  );
}

const Change = ({ name }) => (
  <Asked path={`api/edit/${encodeURIComponent(name)}`}>
    {(value) => (
      <>
        {value.file && <p class="note">It is in the file <code>{value.file}</code>{value.line > 0 && `, from line ${value.line} on`}.</p>}
        <Editor first={value} fixed={name} />
      </>
    )}
  </Asked>
);

// Edit is the view that makes a connector, or changes one.
export default function Edit() {
  const { name } = route.value;
  const may = worker.value.role === 'configure';
  return (
    <section aria-labelledby="title">
      <h2 id="title" tabIndex={-1}>{name ? <>Edit <a href={address('connector', name)}>{name}</a></> : 'A new connector'}</h2>
      {may ? (name ? <Change key={name} name={name} /> : <Create key="new" />) : <p>That takes the role configure; you have the role {worker.value.role}.</p>}
    </section>
  );
}
