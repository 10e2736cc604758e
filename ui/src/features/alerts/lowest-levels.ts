/** From which level on alerts are sent to a channel. */
export const LOWEST_LEVELS = [
  { value: 'INFO', label: 'All', text: 'all alerts' },
  { value: 'WARN', label: 'Warnings and errors', text: 'warnings and errors' },
  { value: 'ERROR', label: 'Errors', text: 'errors only' },
] as const
