// A chart of a connector's rates, and the same as a table.
import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';
import { Opened, Table } from './parts.jsx';
import { count, rate, utc } from './words.js';

const colours = ['(prefers-color-scheme: dark)', '(forced-colors: active)'].map((q) => matchMedia(q));

const minutes = [1, 2, 5, 10, 15, 30].map((n) => n * 60); // between two times of the axis

const shortest = 120; // seconds of the axis, so that it has times also at first

const columns = (samples) => [samples.map((s) => Date.parse(s.time) / 1000), samples.map((s) => s.recordsInPerSecond), samples.map((s) => s.recordsOutPerSecond)];

// options gives those of a chart in the colours of now.
function options(el) {
  const style = getComputedStyle(el);
  const of = (name) => style.getPropertyValue(name);
  const axis = { stroke: of('--soft'), grid: { stroke: of('--line'), width: 1 }, ticks: { stroke: of('--line'), width: 1 }, font: '12px system-ui, sans-serif' };
  return {
    width: el.clientWidth, height: 200, legend: { show: false }, cursor: { show: false },
    tzDate: (s) => UPlot.tzDate(new Date(s * 1000), 'Etc/UTC'),
    scales: { x: { range: (_, low, high) => [Math.min(low, high - shortest), high] }, y: { range: (_, low, high) => [0, Math.max(high, 1) * 1.1] } },
    axes: [
      { ...axis, space: 70, incrs: minutes, values: (_, list) => list.map((s) => new Date(s * 1000).toISOString().slice(11, 16)) },
      { ...axis, size: 56, values: (_, list) => list.map((n) => (n >= 10000 ? `${count(n / 1000)}k` : count(n))) },
    ],
    series: [{}, { stroke: of('--soft'), width: 1.5, dash: [5, 3], points: { show: false } }, { stroke: of('--accent'), width: 2, points: { show: false } }],
  };
}

function inWords(samples) {
  const out = samples.map((s) => s.recordsOutPerSecond);
  const mean = out.reduce((a, b) => a + b, 0) / out.length;
  return `Records out per second from ${utc(samples[0].time)} to ${utc(samples.at(-1).time)}: ${rate(mean)} on average, ${rate(Math.max(...out))} at most, ${rate(out.at(-1))} at the end`;
}

// Chart draws samples of rates.
export default function Chart({ samples }) {
  const at = useRef();
  const chart = useRef();
  const data = useRef();
  data.current = columns(samples);
  useEffect(() => {
    const el = at.current; // which is forgotten before this ends
    const draw = () => {
      chart.current?.destroy();
      chart.current = new UPlot(options(el), data.current, el);
    };
    draw();
    const size = new ResizeObserver(() => chart.current.setSize({ width: el.clientWidth, height: 200 }));
    size.observe(el);
    for (const c of colours) c.addEventListener('change', draw);
    return () => {
      size.disconnect();
      for (const c of colours) c.removeEventListener('change', draw);
      chart.current.destroy();
    };
  }, []);
  useEffect(() => chart.current.setData(data.current), [samples]);
  return (
    <>
      <p class="key note"><span class="out">records out per second</span> <span class="in">records in per second</span> times in UTC</p>
      <div class="chart" ref={at} role="img" aria-label={inWords(samples)} />
      <Opened summary="The rates as a table">
        {() => <Table label="Rates" rows={[...samples].reverse()} of={(s) => s.time} columns={[
          { head: 'Until, UTC', first: 'time', cell: (s) => utc(s.time).slice(11, 19) },
          { head: 'Records in/s', n: true, cell: (s) => rate(s.recordsInPerSecond) },
          { head: 'Records out/s', n: true, cell: (s) => rate(s.recordsOutPerSecond) },
          { head: 'Errors', n: true, cell: (s) => count(s.errors) },
          { head: 'Lag, records', n: true, cell: (s) => (s.lagRecords === null ? '' : count(s.lagRecords)) },
        ]} />}
      </Opened>
    </>
  );
}
