// What the worker says, and what it is asked to do.
import { computed, signal } from '@preact/signals';

const every = 2000; // milliseconds between two looks where there is no stream
const patience = 10000; // milliseconds without an event after which a stream is given up
const othersEvery = 5000; // milliseconds between two questions to other workers
const refusedFor = 30000; // milliseconds until a stream is asked for again

const told = signal(null); // how things are, as this worker knows them
const others = signal({ connectors: {}, notes: [] }); // what tasks at other workers have done
export const worker = computed(() => told.value && joined(told.value, others.value)); // how things are
export const stale = signal(''); // why that is not how they are now
export const hidden = signal(document.hidden); // that nobody looks

// elsewhere is that a connector has tasks at other workers.
const elsewhere = (c) => c.tasks.some((t) => t.worker);

// joined puts what other workers tell of their tasks beside what is known here. What was
// told of a task in another state is over.
function joined(known, { connectors, notes }) {
  const of = (c, t) => connectors[c.name]?.tasks.find((o) => o.id === t.id && o.worker === t.worker && o.state === t.state);
  return {
    ...known,
    notes: known.connectors.some(elsewhere) ? notes : [],
    connectors: known.connectors.map((c) => (elsewhere(c) ? { ...c, hour: connectors[c.name]?.hour ?? null, tasks: c.tasks.map((t) => of(c, t) || t) } : c)),
  };
}

// ask sends a request below the page's own address. Its error is the answer's text.
export async function ask(path, method = 'GET', body, patience = 10000, signal = undefined) {
  const answer = await fetch(path, {
    method,
    signal: method === 'GET' ? AbortSignal.timeout(patience) : signal,
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return valueOf(answer);
}

// valueOf gives what an answer says, or throws what it refuses.
async function valueOf(answer) {
  const text = await answer.text();
  let value = text;
  try {
    value = text === '' ? null : JSON.parse(text);
  } catch { /* it is no JSON: the text says it */ }
  if (!answer.ok) throw Object.assign(new Error(value?.message || text || `${answer.status} ${answer.statusText}`), { refused: true });
  return value;
}

// listen reads a stream of events until it ends, and calls take with the name and the
// data of each.
export async function listen(path, signal, take) {
  const answer = await fetch(path, { signal });
  if (!answer.ok) await valueOf(answer);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (text + value).split('\n\n');
    text = events.pop();
    for (const event of events) {
      const { event: name, data } = Object.fromEntries(event.split('\n').map((line) => line.split(/: (.*)/s)));
      if (data) take(name, JSON.parse(data));
    }
  }
}

// unanswered says what went wrong with a request.
export const unanswered = (e) => (e instanceof TypeError || e.name === 'TimeoutError' ? 'The worker does not answer' : e.message);

// at gives the address of something of a connector in the REST API.
export const at = (name, ...rest) => ['api', 'connectors', name, ...rest].map(encodeURIComponent).join('/');

// Actions on a connector: method and path of the REST API, the state that they bring about,
// and what they do in words.
export const actions = {
  pause: { method: 'PUT', path: (n) => at(n, 'pause'), state: 'PAUSED', label: 'Pause', does: 'Place and tasks are kept, and nothing is read.' },
  resume: { method: 'PUT', path: (n) => at(n, 'resume'), state: 'RUNNING', label: 'Resume', does: 'The tasks go on where they were.' },
  restart: { method: 'POST', path: (n) => `${at(n, 'restart')}?includeTasks=true`, label: 'Restart', does: 'The tasks are stopped and started, and go on after what they have committed.' },
  stop: { method: 'PUT', path: (n) => at(n, 'stop'), state: 'STOPPED', label: 'Stop', does: 'The tasks are given up. Offsets stay, and can be changed.' },
  mend: { method: 'POST', path: (n) => `${at(n, 'restart')}?includeTasks=true&onlyFailed=true`, label: 'Restart what failed', does: 'What has failed is started again; what runs is left alone.' },
  remove: { method: 'DELETE', path: (n) => at(n), leaves: true, label: 'Delete', does: 'The tasks end, and the configuration is gone. Topics, their records and offsets stay.' },
};

// steady are the actions after which a connector is still there.
export const steady = [actions.pause, actions.resume, actions.restart, actions.stop];

// restartTask is the action on one task.
export const restartTask = (id) => ({ method: 'POST', path: (n) => at(n, 'tasks', id, 'restart'), label: `Restart task ${id} of`, does: 'It is stopped and started, and goes on after what it has committed.' });

// act does something to connectors, one after the other, and gives what went wrong.
export async function act(action, names) {
  const wrong = [];
  for (const name of names) {
    try {
      await ask(action.path(name), action.method);
    } catch (e) {
      wrong.push(`${name}: ${unanswered(e)}.`);
    }
  }
  return wrong;
}

// take puts what an event says into what is known.
function take({ worker: head, now, role, connectors }) {
  const known = told.value;
  const base = head || known;
  if (!base) return;
  const of = new Map((known?.connectors || []).map((c) => [c.name, c]));
  for (const c of connectors) of.set(c.name, c);
  told.value = { ...base, now, role, connectors: base.names.map((n) => of.get(n)).filter(Boolean) };
  stale.value = '';
  askOthers();
}

let stream; // what is followed
let last = ''; // the last event
let timer; // when the next thing happens without one

// follow has the worker tell how things are for as long as the page is seen. A browser
// opens few connections to a worker, and those that nobody looks at would use them up.
export function follow() {
  document.addEventListener('visibilitychange', () => {
    hidden.value = document.hidden;
    if (document.hidden) leave(); else open();
  });
  open();
}

let asked = 0; // when other workers were asked last
let asking = false;

// askOthers has the worker ask the others, where these run tasks and it is time to.
async function askOthers() {
  if (asking || Date.now() - asked < othersEvery || !told.value.connectors.some(elsewhere)) return;
  asking = true;
  try {
    others.value = await ask('others');
  } catch (e) {
    others.value = { connectors: {}, notes: [`what tasks at other workers do is not known: ${unanswered(e)}`] };
  }
  asked = Date.now();
  asking = false;
}

function leave() {
  stream?.close();
  stream = undefined;
  clearTimeout(timer);
}

function open() {
  leave();
  stream = new EventSource(`events${last && `?last=${encodeURIComponent(last)}`}`);
  stream.onmessage = (e) => {
    last = e.lastEventId;
    take(JSON.parse(e.data));
    later(patience, () => look(0));
  };
  // It ends each minute, and the browser opens it again. One that is refused is closed.
  stream.onerror = () => {
    if (stream?.readyState === EventSource.CLOSED) look(Date.now());
    else later(every, () => look(0));
  };
  later(patience, () => look(0));
}

function later(milliseconds, then) {
  clearTimeout(timer);
  timer = setTimeout(then, milliseconds);
}

// state asks how things are, and gives it as an event would.
async function state() {
  const { connectors, now, role, ...head } = await ask('state');
  return { worker: { ...head, names: connectors.map((c) => c.name) }, now, role, connectors };
}

// refresh looks once, after something that no event has told yet.
export async function refresh() {
  take(await state());
  last = ''; // what is passing may be told by no event
  open();
}

// look asks again and again in place of a stream, which was refused at some time, or
// broke off: then it is opened again once the worker answers.
async function look(refused) {
  leave();
  try {
    const all = await state();
    if (stream || document.hidden) return; // a stream was opened meanwhile
    take(all);
    if (Date.now() - refused > refusedFor) {
      last = ''; // it may have been another worker that answered
      open();
      return;
    }
  } catch (e) {
    if (stream || document.hidden) return;
    stale.value = unanswered(e);
  }
  later(every, () => look(refused));
}
