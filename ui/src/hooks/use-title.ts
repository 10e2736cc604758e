import { useEffect } from 'react'

const NAME = 'steplog'

/** `lr-0.1 · digits · steplog`: what tells one tab from the next comes first. */
export function pageTitle(parts: readonly (string | undefined)[]): string {
  return [...parts.filter((part) => part !== undefined && part !== ''), NAME].join(' · ')
}

/** Names the browser's tab after what the page shows. */
export function useTitle(...parts: (string | undefined)[]): void {
  const title = pageTitle(parts)
  useEffect(() => {
    document.title = title
    return () => {
      document.title = NAME
    }
  }, [title])
}
