import { render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Later } from './asked.jsx';
import { Connector } from './connector.jsx';
import { Connectors } from './connectors.jsx';
import { Records } from './records.jsx';
import { address, route } from './route.js';
import { follow, stale, worker } from './worker.js';
import { ago } from './words.js';
import { Workers } from './workers.jsx';

// title gets the focus where nothing else has it: readers of the screen are told where one has come.
const title = () => { if (document.activeElement === document.body) document.querySelector('h2')?.focus(); };

// later is a view in a file of its own.
const later = (load) => () => <Later load={load} come={title} />;

const views = {
  connectors: Connectors, connector: Connector, records: Records, workers: Workers,
  topics: later(() => import('./topics.jsx')), letters: later(() => import('./letters.jsx')), edit: later(() => import('./edit.jsx')),
};

function Header() {
  const w = worker.value;
  const since = w && ago(w.started, w.now).replace(' ago', '');
  const { view } = route.value;
  const place = (name, text) => (
    <a href={address(name)} aria-current={view === name || (name === 'connectors' && view === 'connector') ? 'page' : undefined}>{text}</a>
  );
  return (
    <header>
      <h1>hydraulics</h1>
      <nav aria-label="views">{place('connectors', 'Connectors')}{place('records', 'Newest records')}{place('topics', 'Topics')}{place('letters', 'Dead letters')}{place('workers', 'Workers')}</nav>
      <p>{w ? `version ${w.version}, up ${since === 'now' ? 'since just now' : since}${w.cluster ? `, ${w.cluster}` : ''}` : 'connecting'}</p>
      <nav class="links" aria-label="other services">{(w?.links || []).map(([name, url]) => <a key={name} href={url}>{name}</a>)}</nav>
    </header>
  );
}

function Page() {
  const { view, name } = route.value;
  const View = views[view];
  const came = useRef(false);
  useEffect(() => { // readers of the screen are told where one has come
    document.title = `${name || view}, hydraulics`;
    if (came.current) document.querySelector('h2')?.focus();
    came.current = true;
  }, [view, name]);
  return (
    <>
      <Header />
      <main>
        {stale.value && <p role="alert" class="error">{stale.value}: what is shown is as it was{worker.value ? ` at ${worker.value.now.slice(11, 19)} UTC` : ''}. Trying again.</p>}
        {View ? (worker.value ? <View /> : !stale.value && <p class="note">Loading</p>) : <p>There is no such view. <a href={address('connectors')}>All connectors</a></p>}
      </main>
    </>
  );
}

render(<Page />, document.body);
follow();
