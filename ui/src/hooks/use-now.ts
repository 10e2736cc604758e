import { useSyncExternalStore } from 'react'

const STEP_SECONDS = 5
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

/** Unix seconds, moving on every five seconds: ages on the page stay true without a timer for each. */
export function useNow(): number {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      timer ??= setInterval(() => {
        for (const each of listeners) each()
      }, STEP_SECONDS * 1000)
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) {
          clearInterval(timer)
          timer = undefined
        }
      }
    },
    () => Math.floor(Date.now() / 1000 / STEP_SECONDS) * STEP_SECONDS,
  )
}
