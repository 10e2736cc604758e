import type { ComponentProps } from 'react'
import styles from './button.module.css'

interface ButtonProps extends ComponentProps<'button'> {
  look?: 'primary' | 'plain' | 'ghost' | 'danger'
}

export function Button({ look = 'plain', type = 'button', className = '', ...rest }: ButtonProps) {
  return <button type={type} className={`${styles.button} ${styles[look]} ${className}`} {...rest} />
}

interface IconButtonProps extends ComponentProps<'button'> {
  /** Read out, and shown as a tooltip. */
  label: string
  active?: boolean
}

export function IconButton({ label, active, type = 'button', className = '', ...rest }: IconButtonProps) {
  return (
    <button
      type={type}
      aria-label={label}
      title={label}
      aria-pressed={active}
      className={`${styles.icon} ${className}`}
      {...rest}
    />
  )
}
