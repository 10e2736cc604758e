import { useSyncExternalStore } from 'react'
import { createStore, useStore } from '~/lib/store'

export type Theme = 'system' | 'light' | 'dark'

function storedTheme(): Theme {
  const theme = document.documentElement.dataset.theme
  return theme === 'light' || theme === 'dark' ? theme : 'system'
}

const themeStore = createStore<Theme>(typeof document === 'undefined' ? 'system' : storedTheme())

/** Kept under the plain key that `theme.js` reads before the first paint. */
export function setTheme(theme: Theme): void {
  const { dataset } = document.documentElement
  if (theme === 'system') delete dataset.theme
  else dataset.theme = theme
  try {
    if (theme === 'system') localStorage.removeItem('steplog.theme')
    else localStorage.setItem('steplog.theme', theme)
  } catch {
    // The choice holds for this page then.
  }
  themeStore.set(theme)
}

export function useTheme(): Theme {
  return useStore(themeStore)
}

const darkQuery = typeof window === 'undefined' ? null : window.matchMedia('(prefers-color-scheme: dark)')

/** Whether the page is dark now, by choice or by the system. */
export function useDark(): boolean {
  const theme = useTheme()
  const systemDark = useSyncExternalStore(
    (listener) => {
      darkQuery?.addEventListener('change', listener)
      return () => darkQuery?.removeEventListener('change', listener)
    },
    () => darkQuery?.matches ?? false,
  )
  return theme === 'system' ? systemDark : theme === 'dark'
}
