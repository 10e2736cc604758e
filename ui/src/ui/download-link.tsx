import { Download } from 'lucide-react'
import type { ReactNode } from 'react'
import styles from './download-link.module.css'

interface DownloadLinkProps {
  href: string
  /** Under what name the browser keeps it. */
  name: string
  children: ReactNode
}

/** A link that looks like a button and has the browser keep what it leads to. */
export function DownloadLink({ href, name, children }: DownloadLinkProps) {
  return (
    <a className={styles.link} href={href} download={name}>
      <Download size={14} />
      {children}
    </a>
  )
}
