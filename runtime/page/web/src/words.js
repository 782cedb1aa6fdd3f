// How numbers and times are said.
export const count = (n) => n.toLocaleString('en-US');

export const rate = (n) => (n >= 10 ? n.toFixed(0) : n.toFixed(1));

// ago says how long before now a time was.
export function ago(time, now) {
  if (!time) return '';
  const s = Math.max(0, (Date.parse(now) - Date.parse(time)) / 1000);
  if (s < 2) return 'now';
  if (s < 120) return `${Math.round(s)} s ago`;
  if (s < 7200) return `${Math.round(s / 60)} min ago`;
  if (s < 172800) return `${Math.round(s / 3600)} h ago`;
  return `${Math.round(s / 86400)} days ago`;
}

// utc writes a time in UTC, to the second.
export const utc = (time) => (time ? `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC` : '');

// stateOf says how a connector is: as the worst of its tasks, in words.
export function stateOf(connector) {
  if (connector.tasks.some((t) => t.stalled)) return 'STALLED';
  const states = [connector.state, ...connector.tasks.map((t) => t.state)];
  for (const worst of ['FAILED', 'RESTARTING', 'UNASSIGNED', 'STOPPED', 'PAUSED']) {
    if (states.includes(worst)) return worst;
  }
  return connector.state;
}

export const stateInWords = {
  RUNNING: 'running', DONE: 'done', PAUSED: 'paused', STOPPED: 'stopped', UNASSIGNED: 'waiting for a worker',
  RESTARTING: 'restarting', FAILED: 'failed', STALLED: 'gets nowhere',
};
