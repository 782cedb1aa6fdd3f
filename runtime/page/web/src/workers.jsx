import { Table } from './parts.jsx';
import { worker } from './worker.js';
import { count, several, sum } from './words.js';

// Workers is the view of the workers that share the load.
export function Workers() {
  const { workers = [], rebalance, version, connectors } = worker.value;
  return (
    <section aria-labelledby="title">
      <h2 id="title" tabIndex={-1}>Workers</h2>
      {workers.length === 0 ? <p>This worker, version {version}, is by itself. It has {several(connectors.length, 'connector')} and {several(sum(connectors, (c) => c.tasks.length), 'task')}.</p> : (
        <Table id="workers" label="Workers" rows={workers} of={(w) => w.url} columns={[
          { head: 'Worker', first: 'name', cell: (w) => <>{w.url}{w.leads && <span class="kind"> leads</span>}</> },
          { head: 'Version', cell: (w) => w.version },
          { head: 'Connectors', n: true, cell: (w) => count(w.connectors) },
          { head: 'Tasks', n: true, cell: (w) => count(w.tasks) },
        ]} />
      )}
      {rebalance && <p class="note">Last rebalance: {rebalance}.</p>}
    </section>
  );
}
