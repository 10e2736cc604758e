import type { ReactNode } from 'react'
import { createStore } from '~/lib/store'

export interface Toast {
  id: number
  content: ReactNode
  kind: 'info' | 'error'
}

const SHOWN_MILLIS = 5_000
const MAX_SHOWN = 3
let nextId = 1

export const toastStore = createStore<readonly Toast[]>([])

/** Says something for a few seconds; plain words of an error are coloured as one. */
export function showToast(
  content: ReactNode,
  { kind = 'info', millis = SHOWN_MILLIS }: { kind?: Toast['kind']; millis?: number } = {},
): void {
  const toast = { id: nextId++, content, kind }
  toastStore.set([...toastStore.get().slice(1 - MAX_SHOWN), toast])
  setTimeout(() => closeToast(toast.id), millis)
}

export function closeToast(id: number): void {
  toastStore.set(toastStore.get().filter((toast) => toast.id !== id))
}
