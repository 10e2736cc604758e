import { type ComponentProps, type ReactNode, useCallback, useId, useRef, useState } from 'react'
import { moveFocus } from '~/ui/arrow-keys'
import styles from './popover.module.css'

type TriggerProps = Pick<ComponentProps<'button'>, 'popoverTarget' | 'aria-haspopup' | 'aria-expanded' | 'ref'>

interface PopoverProps {
  label: string
  trigger: (props: TriggerProps) => ReactNode
  /** Gets a function that closes the panel. Rendered only while open. */
  children: (close: () => void) => ReactNode
  align?: 'start' | 'end'
  role?: 'menu' | 'dialog'
  className?: string
}

const GAP = 4
const MARGIN = 8

/**
 * A panel below its button. The browser's own popover brings the top layer, Escape and closing on a click outside; arrow
 * keys go through what is in it.
 */
export function Popover({ label, trigger, children, align = 'start', role = 'dialog', className = '' }: PopoverProps) {
  const id = useId()
  const [open, setOpen] = useState(false)
  const panel = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const close = () => panel.current?.hidePopover()

  const place = (element: HTMLDivElement | null) => {
    const anchor = button.current?.getBoundingClientRect()
    if (element === null || anchor === undefined) return
    const { offsetWidth: width, offsetHeight: height } = element
    const left = align === 'start' ? anchor.left : anchor.right - width
    const below = anchor.bottom + GAP
    const above = anchor.top - GAP - height
    const top = below + height > window.innerHeight - MARGIN && above > MARGIN ? above : below
    element.style.left = `${Math.max(MARGIN, Math.min(left, window.innerWidth - width - MARGIN))}px`
    element.style.top = `${Math.max(MARGIN, Math.min(top, window.innerHeight - height - MARGIN))}px`
  }
  // A menu is gone through with the arrow keys, from what is chosen; other panels focus an input of their own.
  const focusItem = useCallback(
    (content: HTMLElement | null) => {
      if (role !== 'menu') return
      const items = [...(content?.querySelectorAll<HTMLElement>('button:not(:disabled)') ?? [])]
      const item = items.find((each) => each.ariaChecked === 'true') ?? items[0]
      item?.focus()
    },
    [role],
  )

  return (
    <>
      {trigger({ popoverTarget: id, 'aria-haspopup': role, 'aria-expanded': open, ref: button })}
      <div
        id={id}
        ref={panel}
        popover="auto"
        role={role}
        aria-label={label}
        className={`${styles.panel} ${className}`}
        onToggle={(event) => setOpen(event.newState === 'open')}
      >
        {open && (
          <div className={styles.content} ref={() => place(panel.current)}>
            {/* biome-ignore lint/a11y/noStaticElementInteractions: keys of the buttons in it come by here */}
            <div ref={focusItem} onKeyDown={(event) => moveFocus(event, 'vertical')}>
              {children(close)}
            </div>
          </div>
        )}
      </div>
    </>
  )
}

interface MenuItemProps extends ComponentProps<'button'> {
  icon?: ReactNode
  danger?: boolean
  checked?: boolean
}

export function MenuItem({ icon, danger, checked, children, ...rest }: MenuItemProps) {
  return (
    <button
      type="button"
      role={checked === undefined ? 'menuitem' : 'menuitemradio'}
      aria-checked={checked}
      className={styles.item}
      data-danger={danger || undefined}
      {...rest}
    >
      <span className={styles.itemIcon}>{icon}</span>
      <span className={styles.itemText}>{children}</span>
      {checked && <span className={styles.check}>✓</span>}
    </button>
  )
}

export function MenuLine() {
  return <hr className={styles.line} />
}
