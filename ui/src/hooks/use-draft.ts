import { useEffect, useRef, useState } from 'react'

/**
 * A value edited faster than it should be committed (a slider, a search box): answers the draft to show and its setter;
 * `commit` gets the last draft `millis` after it stopped changing.
 */
export function useDraft<T>(value: T, commit: (value: T) => void, millis: number): [T, (value: T) => void] {
  const [draft, setDraft] = useState(value)
  const [seen, setSeen] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const latest = useRef(commit)
  latest.current = commit
  if (!Object.is(seen, value)) {
    setSeen(value)
    setDraft(value)
  }
  useEffect(() => () => clearTimeout(timer.current), [])
  return [
    draft,
    (next) => {
      setDraft(next)
      clearTimeout(timer.current)
      timer.current = setTimeout(() => latest.current(next), millis)
    },
  ]
}
