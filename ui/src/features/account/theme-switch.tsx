import { Monitor, Moon, Sun } from 'lucide-react'
import { setTheme, useTheme } from '~/hooks/use-theme'
import { IconButton } from '~/ui/button'
import { MenuItem, Popover } from '~/ui/popover'

export const THEMES = [
  { value: 'system', label: 'System', Icon: Monitor },
  { value: 'light', label: 'Light', Icon: Sun },
  { value: 'dark', label: 'Dark', Icon: Moon },
] as const

export function ThemeSwitch() {
  const theme = useTheme()
  const Current = THEMES.find(({ value }) => value === theme)?.Icon ?? Monitor
  return (
    <Popover
      label="Theme"
      role="menu"
      align="end"
      trigger={(props) => (
        <IconButton label="Theme" {...props}>
          <Current size={16} />
        </IconButton>
      )}
    >
      {(close) =>
        THEMES.map(({ value, label, Icon }) => (
          <MenuItem
            key={value}
            icon={<Icon size={14} />}
            checked={theme === value}
            onClick={() => {
              setTheme(value)
              close()
            }}
          >
            {label}
          </MenuItem>
        ))
      }
    </Popover>
  )
}
