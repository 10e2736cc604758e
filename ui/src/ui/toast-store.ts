import { createStore } from '~/lib/store'

export interface Toast {
  id: number
  text: string
  kind: 'info' | 'error'
}

const SHOWN_MILLIS = 5_000
let nextId = 1

export const toastStore = createStore<readonly Toast[]>([])

/** Says something for a few seconds. */
export function showToast(text: string, kind: Toast['kind'] = 'info'): void {
  const toast = { id: nextId++, text, kind }
  toastStore.set([...toastStore.get().slice(-2), toast])
  setTimeout(() => toastStore.set(toastStore.get().filter(({ id }) => id !== toast.id)), SHOWN_MILLIS)
}
