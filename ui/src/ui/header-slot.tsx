import { type ReactNode, useSyncExternalStore } from 'react'
import { createPortal } from 'react-dom'

export const HEADER_SLOT_ID = 'header-slot'

/** The header is rendered before any page, so its slot is there by the time a page asks. */
export function HeaderActions({ children }: { children: ReactNode }) {
  const slot = useSyncExternalStore(
    () => () => undefined,
    () => document.getElementById(HEADER_SLOT_ID),
  )
  return slot === null ? null : createPortal(children, slot)
}
