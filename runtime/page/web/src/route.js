// Where one is: each view has an address, with its filters behind the question mark.
import { signal } from '@preact/signals';

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // somebody has written the address
  }
}

function read() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [view, name] = path.split('/').map(decoded);
  return { view: view || 'connectors', name, filters: new URLSearchParams(query) };
}

export const route = signal(read());
addEventListener('hashchange', () => { route.value = read(); });

// address gives that of a view.
export function address(view, name, filters) {
  const query = new URLSearchParams(Object.entries(filters || {}).filter(([, v]) => v)).toString();
  return `#/${[view, name].filter(Boolean).map(encodeURIComponent).join('/')}${query && `?${query}`}`;
}

// filter changes one of the view's filters, without a step in the history.
export function filter(name, value) {
  const { view, name: of, filters } = route.value;
  history.replaceState(null, '', address(view, of, { ...Object.fromEntries(filters), [name]: value }));
  route.value = read();
}
