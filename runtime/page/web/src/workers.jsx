import { worker } from './worker.js';
import { count } from './words.js';

// Workers is the view of the workers that share the load.
export function Workers() {
  const { workers = [], rebalance, version } = worker.value;
  return (
    <section aria-labelledby="title">
      <h2 id="title">Workers</h2>
      {workers.length === 0 ? <p>This worker, version {version}, is by itself.</p> : (
        <div class="wide">
          <table id="workers">
            <thead><tr><th>Worker</th><th>Version</th><th class="n">Connectors</th><th class="n">Tasks</th></tr></thead>
            <tbody>
              {workers.map((w) => (
                <tr key={w.url}>
                  <th scope="row">{w.url}{w.leads && <span class="kind"> leads</span>}</th>
                  <td>{w.version}</td><td class="n">{count(w.connectors)}</td><td class="n">{count(w.tasks)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rebalance && <p class="note">Last rebalance: {rebalance}.</p>}
    </section>
  );
}
