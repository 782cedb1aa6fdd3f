// How numbers and times are said.
export const count = (n) => n.toLocaleString('en-US');

// several counts things by their name in the singular.
export const several = (n, thing) => `${count(n)} ${thing}${n === 1 ? '' : 's'}`;

export const unknown = 'not known';

// told says a number of what tasks have done, which is not known where their worker does
// not tell.
export const told = (n, say) => (n === undefined ? unknown : say(n));

// untold is that a task's worker has not told what it has done.
export const untold = (t) => t.in === undefined;

export const rate = (n) => (n >= 10 ? count(Math.round(n)) : n >= 0.1 || n === 0 ? n.toFixed(1) : n.toPrecision(1));

// hourly writes the rate of the last hour, which has none before the first sample.
export const hourly = (c) => (c.hour === null ? 'not yet known' : rate(c.hour));

export const percent = (share) => `${Math.round(share * 100)} %`;

// duration writes seconds with their unit.
export function duration(s) {
  if (s === 0) return '0 s';
  if (s < 0.001) return `${Number((s * 1e6).toPrecision(2))} µs`;
  if (s < 1) return `${Number((s * 1e3).toPrecision(2))} ms`;
  if (s < 120) return `${Number(s.toPrecision(2))} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.round(s / 3600)} h`;
  return `${count(Math.round(s / 86400))} days`;
}

// ago says how long before now a time was.
export function ago(time, now) {
  if (!time) return '';
  const s = Math.max(0, (Date.parse(now) - Date.parse(time)) / 1000);
  return s < 2 ? 'now' : `${duration(Math.round(s))} ago`;
}

// utc writes a time in UTC, to the second.
export const utc = (time) => (time ? `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC` : '');

// codes are those of failures, wherever they stand in a text.
export const codes = /\b(H\d{4})\b/;

// printable shows characters that have no form as dots.
export const printable = (text = '') => text.replace(/[\u0000-\u001f\u007f-\u009f\ufffd]/g, '·');

// worst are states that want to be looked at, the worst first.
export const worst = ['STALLED', 'FAILED', 'RESTARTING', 'UNASSIGNED', 'STOPPED', 'PAUSED'];

// stateOf gives the state of a connector: the worst of its own and its tasks'.
export function stateOf(connector) {
  const states = [connector.state, ...connector.tasks.map((t) => (t.stalled ? 'STALLED' : t.state))];
  return worst.find((s) => states.includes(s)) || connector.state;
}

export const stateInWords = {
  RUNNING: 'running', DONE: 'done', PAUSED: 'paused', STOPPED: 'stopped', UNASSIGNED: 'waiting for a worker',
  RESTARTING: 'restarting', FAILED: 'failed', STALLED: 'gets nowhere',
};

export const sum = (list, of) => list.reduce((n, one) => n + (of(one) || 0), 0);

// total sums up what tasks have done; it is not known while one's is not.
export const total = (tasks, of) => (tasks.some(untold) ? undefined : sum(tasks, of));

// latest gives the last of some of the tasks' times.
export const latest = (tasks, of) => tasks.map(of).filter(Boolean).sort().at(-1);

export const rateOf = (c) => total(c.tasks, (t) => t.rate);

// lagOf gives how many records a connector has not read, null for one that reads none.
export const lagOf = (c) => (c.type === 'source' || c.tasks.every((t) => t.lag === null) ? null : total(c.tasks, (t) => t.lag));

// lagInWords writes that of a connector or a task, and nothing of what reads none.
export const lagInWords = (lag) => (lag === null ? '' : told(lag, count));

const slow = 60; // seconds of work that are left, from which on a connector is slow

// slowness says in words how far a running connector is behind; empty for one that keeps up.
export function slowness(c) {
  const lag = lagOf(c);
  if (!lag || stateOf(c) !== 'RUNNING') return '';
  const reads = sum(c.tasks, (t) => t.rateIn);
  if (reads === 0) return 'reads nothing of what waits';
  return lag / reads < slow ? '' : `${duration(lag / reads)} behind at this rate`;
}

export const busiestInWords = ({ busiest }) => (busiest ? `${busiest.stage} works ${percent(busiest.share)} of the time` : '');
