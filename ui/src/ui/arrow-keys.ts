import type { KeyboardEvent } from 'react'

type Axis = 'vertical' | 'horizontal'

const BACK = { vertical: 'ArrowUp', horizontal: 'ArrowLeft' }
const ON = { vertical: 'ArrowDown', horizontal: 'ArrowRight' }

/** Where `key` leads from item `index` (-1: none) of `count`, round both ends; `null` when the key leads nowhere. */
export function nextItem(key: string, index: number, count: number, axis: Axis): number | null {
  if (count === 0) return null
  if (key === ON[axis]) return (index + 1) % count
  if (key === BACK[axis]) return index <= 0 ? count - 1 : index - 1
  if (key === 'Home') return 0
  if (key === 'End') return count - 1
  return null
}

/** Moves the focus between the buttons and checkboxes of the element as the arrow keys say; answers the one it went to. */
export function moveFocus(event: KeyboardEvent<HTMLElement>, axis: Axis): HTMLElement | null {
  const { target, currentTarget, key } = event
  if (event.defaultPrevented) return null
  // In a text field these keys move the caret.
  const writing = target instanceof HTMLInputElement && target.type !== 'checkbox'
  if (writing && (axis === 'horizontal' || key === 'Home' || key === 'End')) return null
  const items = [
    ...currentTarget.querySelectorAll<HTMLElement>('button:not(:disabled), input[type=checkbox]:not(:disabled)'),
  ]
  const next = nextItem(key, items.indexOf(target as HTMLElement), items.length, axis)
  if (next === null) return null
  event.preventDefault()
  items[next].focus()
  return items[next]
}
