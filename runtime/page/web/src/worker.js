// What the worker says, and what it is asked to do.
import { signal } from '@preact/signals';

const every = 2000; // milliseconds between two looks

export const worker = signal(null); // the last answer of /state
export const stale = signal(''); // why there is no newer answer
export const rates = signal(new Map()); // connector/task -> records per second since the last look

// ask sends a request below the page's own address. Its error is the answer's text.
export async function ask(path, method = 'GET', body) {
  const answer = await fetch(path, {
    method,
    signal: method === 'GET' ? AbortSignal.timeout(10000) : undefined,
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  let value = text;
  try {
    value = text === '' ? null : JSON.parse(text);
  } catch { /* it is no JSON: the text says it */ }
  if (!answer.ok) throw new Error(value?.message || text || `${answer.status} ${answer.statusText}`);
  return value;
}

// at gives the address of something of a connector in the REST API.
export const at = (name, ...rest) => ['api', 'connectors', name, ...rest].map(encodeURIComponent).join('/');

// Actions on a connector: method and path of the REST API, and what they do in words.
export const actions = {
  pause: { method: 'PUT', path: (n) => at(n, 'pause'), label: 'Pause', does: 'It keeps its place and its tasks, and reads nothing.' },
  resume: { method: 'PUT', path: (n) => at(n, 'resume'), label: 'Resume', does: 'It goes on where it was.' },
  restart: { method: 'POST', path: (n) => `${at(n, 'restart')}?includeTasks=true`, label: 'Restart', does: 'It and its tasks are stopped and started.' },
  stop: { method: 'PUT', path: (n) => at(n, 'stop'), label: 'Stop', does: 'Its tasks are given up. Its offsets stay, and can be changed.' },
};

// act does something to connectors, one after the other, and gives what went wrong.
export async function act(action, names) {
  const wrong = [];
  for (const name of names) {
    try {
      await ask(action.path(name), action.method);
    } catch (e) {
      wrong.push(`${name}: ${e.message}`);
    }
  }
  await look();
  return wrong;
}

const key = (connector, task) => `${connector.name}/${task.id}`;

export const rateOf = (connector, task) => rates.value.get(key(connector, task)) || 0;

// perSecond gives the rates between two answers.
function perSecond(last, now) {
  const found = new Map();
  const seconds = (Date.parse(now.now) - Date.parse(last.now)) / 1000;
  if (seconds <= 0 || last.started !== now.started) return found;
  const before = new Map(last.connectors.flatMap((c) => c.tasks.map((t) => [key(c, t), t.out])));
  for (const c of now.connectors) {
    for (const t of c.tasks) {
      const was = before.get(key(c, t));
      if (was !== undefined && t.out >= was) found.set(key(c, t), (t.out - was) / seconds);
    }
  }
  return found;
}

// look asks once how things are.
export async function look() {
  try {
    const now = await ask('state');
    if (worker.value) rates.value = perSecond(worker.value, now);
    worker.value = now;
    stale.value = '';
  } catch (e) {
    stale.value = e instanceof TypeError || e.name === 'TimeoutError' ? 'The worker does not answer' : e.message;
  }
}

// follow looks again and again.
export async function follow() {
  await look();
  setTimeout(follow, every);
}
