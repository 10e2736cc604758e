import { Check, Copy } from 'lucide-react'
import { useState } from 'react'
import { IconButton } from '~/ui/button'

const SHOWN_MILLIS = 1_500

/** `navigator.clipboard` exists only on https and localhost; a tracker on a plain http host must copy too. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  area.style.position = 'fixed'
  area.style.opacity = '0'
  const host = document.querySelector('dialog[open]') ?? document.body
  host.appendChild(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}

export function CopyButton({ text, label, className }: { text: string; label: string; className?: string }) {
  const [copied, setCopied] = useState(false)
  return (
    <IconButton
      label={copied ? 'Copied' : label}
      className={className}
      onClick={async () => {
        await copyText(text)
        setCopied(true)
        setTimeout(() => setCopied(false), SHOWN_MILLIS)
      }}
    >
      {copied ? <Check size={14} /> : <Copy size={14} />}
    </IconButton>
  )
}
