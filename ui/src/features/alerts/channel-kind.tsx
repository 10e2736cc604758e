import { Hash, Mail, Webhook } from 'lucide-react'
import type { AlertChannelKind } from '~/api/types'

export const CHANNEL_KINDS = [
  { value: 'email', label: 'E-mail', Icon: Mail },
  { value: 'slack', label: 'Slack', Icon: Hash },
  { value: 'webhook', label: 'Webhook', Icon: Webhook },
] as const

/** How a channel sends, as a sign. */
export function ChannelIcon({ kind, size = 14 }: { kind: AlertChannelKind; size?: number }) {
  const { label, Icon } = CHANNEL_KINDS.find(({ value }) => value === kind) ?? CHANNEL_KINDS[2]
  return <Icon size={size} role="img" aria-label={label} />
}
