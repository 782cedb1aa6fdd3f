// The flow of records through topics and connectors, as a picture and as a table.
import { layout } from '@dagrejs/dagre';
import { Graph } from '@dagrejs/graphlib';
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Links, Opened, State, Table } from './parts.jsx';
import { address } from './route.js';
import { busiestInWords, count, lagInWords, lagOf, rate, rateOf, slowness, stateInWords, stateOf, told } from './words.js';

const narrow = matchMedia('(max-width: 45rem)');
const least = 0.8; // of its size: a picture that is wider than the screen is moved
const longest = 26; // characters of a name in the picture

const short = (name) => (name.length > longest ? `${name.slice(0, longest - 1)}…` : name);

// wide gives the width that a name wants, and a line of so many smaller characters.
const wide = (name, line) => Math.max(short(name).length * 7.4, line * 6.4) + 26;

// arranged gives where things are in the picture. Topics and connectors may have the same name.
function arranged(connectors, down) {
  const g = new Graph().setGraph({ rankdir: down ? 'TB' : 'LR', nodesep: 14, ranksep: down ? 26 : 40, marginx: 6, marginy: 6 }).setDefaultEdgeLabel(() => ({}));
  const topic = (name) => {
    const id = `topic ${name}`;
    if (!g.hasNode(id)) g.setNode(id, { topic: name, width: wide(name, 0), height: 30 });
    return id;
  };
  for (const c of connectors) {
    const id = `connector ${c.name}`;
    g.setNode(id, { connector: c.name, width: wide(c.name, 22), height: 68 });
    for (const t of c.topics.reads) g.setEdge(topic(t), id);
    for (const t of c.topics.writes) g.setEdge(id, topic(t));
    if (c.topics.letters) g.setEdge(id, topic(c.topics.letters), { letters: true });
  }
  layout(g);
  return g;
}

// line bends from the side where one thing ends to that where the next begins; through
// ranks in between it goes as it was laid out.
function line(g, e, down) {
  const [a, b, at] = [g.node(e.v), g.node(e.w), g.edge(e).points.slice(1, -1)];
  const side = (n, sign) => (down ? { x: n.x, y: n.y + (sign * n.height) / 2 } : { x: n.x + (sign * n.width) / 2, y: n.y });
  const back = down ? b.y < a.y : b.x < a.x; // of a ring of topics
  const all = [side(a, back ? -1 : 1), ...(at.length > 1 ? at : []), side(b, back ? 1 : -1)];
  const text = (x, y) => `${x.toFixed(1)},${y.toFixed(1)}`;
  return all.map((p, i) => {
    if (i === 0) return `M${text(p.x, p.y)}`;
    const [q, x, y] = [all[i - 1], (all[i - 1].x + p.x) / 2, (all[i - 1].y + p.y) / 2];
    return `C${down ? `${text(q.x, y)} ${text(p.x, y)}` : `${text(x, q.y)} ${text(x, p.y)}`} ${text(p.x, p.y)}`;
  }).join('');
}

function Stage({ c, x, y, width, height }) {
  const state = stateOf(c);
  const slow = slowness(c);
  const bad = state === 'FAILED' || state === 'STALLED';
  const lag = lagOf(c);
  return (
    <a href={address('connector', c.name)} class={`stage ${state} ${slow ? 'slow' : ''}`} transform={`translate(${x - width / 2},${y - height / 2})`}>
      <title>{[c.name, c.type, stateInWords[state], slow, busiestInWords(c)].filter(Boolean).join(', ')}</title>
      <rect width={width} height={height} rx="6" />
      {(bad || slow) && <path class="mark" d={`M0,6a6,6 0 0 1 6,-6h2v${height}h-2a6,6 0 0 1 -6,-6z`} />}
      <text x="16" y="20" class="named">{short(c.name)}</text>
      <text x="16" y="39">{stateInWords[state]}{state === 'RUNNING' && `, ${told(rateOf(c), rate)} records/s`}</text>
      <text x="16" y="57">{slow && !bad ? `slow: lag ${count(lag)}` : lag === null ? c.type : lag === undefined ? 'lag not known' : `lag ${count(lag)} records`}</text>
    </a>
  );
}

// Flow shows connectors and their topics.
export default function Flow({ connectors }) {
  const down = useSignal(narrow.matches);
  useEffect(() => {
    const turn = () => { down.value = narrow.matches; };
    narrow.addEventListener('change', turn);
    return () => narrow.removeEventListener('change', turn);
  }, []);
  const shape = JSON.stringify(connectors.map((c) => [c.name, c.topics]));
  const [g, falls] = useMemo(() => {
    const high = down.value && arranged(connectors, true); // where there is room for it
    return high && high.graph().width * least < innerWidth ? [high, true] : [arranged(connectors, false), false];
  }, [shape, down.value]);
  const { width, height } = g.graph();
  const of = new Map(connectors.map((c) => [c.name, c]));
  return (
    <>
      <div class="flow">
        <svg viewBox={`0 0 ${width} ${height}`} style={{ minWidth: `${width * least}px`, maxWidth: `${width}px` }} role="group" aria-label="Topics and connectors; the table below says the same">
          <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0,0L8,4L0,8z" /></marker></defs>
          {g.edges().map((e) => <path key={`${e.v} ${e.w}`} class={g.edge(e).letters ? 'edge letters' : 'edge'} d={line(g, e, falls)} marker-end="url(#arrow)" />)}
          {g.nodes().map((id) => {
            const n = g.node(id);
            if (n.connector) return of.has(n.connector) && <Stage key={id} c={of.get(n.connector)} {...n} />;
            return (
              <a key={id} href={address('topics', n.topic)} class="topic" transform={`translate(${n.x - n.width / 2},${n.y - n.height / 2})`}>
                <title>{`topic ${n.topic}`}</title>
                <rect width={n.width} height={n.height} rx={n.height / 2} />
                <text x={n.width / 2} y="20" text-anchor="middle">{short(n.topic)}</text>
              </a>
            );
          })}
        </svg>
      </div>
      <Opened summary="The flow as a table">
        {() => <Table id="flow-table" label="Flow" rows={connectors} of={(c) => c.name} columns={[
          { head: 'Connector', first: 'name', cell: (c) => <a href={address('connector', c.name)}>{c.name}</a> },
          { head: 'Reads', kind: 'topics', cell: (c) => <Links view="topics" names={c.topics.reads} /> },
          { head: 'Writes', kind: 'topics', cell: (c) => <Links view="topics" names={c.topics.writes} /> },
          { head: 'Dead letters to', kind: 'topics', cell: (c) => <Links view="letters" names={[c.topics.letters].filter(Boolean)} /> },
          { head: 'State', cell: (c) => <State of={stateOf(c)} /> },
          { head: 'Records/s', n: true, cell: (c) => told(rateOf(c), rate) },
          { head: 'Lag, records', n: true, cell: (c) => lagInWords(lagOf(c)) },
          { head: 'Slow', cell: slowness },
          { head: 'Busiest stage', cell: busiestInWords },
        ]} />}
      </Opened>
    </>
  );
}
