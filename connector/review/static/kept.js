// What a person was at when the session ended, kept in this tab until they are back: the draft that was not saved yet,
// what stands in a field without having been entered, and the verdict that they asked for.

const place = (id) => `vouch-kept-${id}`;

export function keep(id, what) {
  sessionStorage.setItem(place(id), JSON.stringify(what));
}

// Given back once, and to nobody else.
export function kept(id, person) {
  const found = JSON.parse(sessionStorage.getItem(place(id)) ?? "null");
  sessionStorage.removeItem(place(id));
  return found?.person === person ? found : null;
}
