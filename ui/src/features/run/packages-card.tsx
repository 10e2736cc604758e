import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useState } from 'react'
import type { Run, RunFile } from '~/api/types'
import type { Environment } from '~/features/run/environment'
import { formatInteger } from '~/lib/format-number'
import { api } from '~/lib/path-builder'
import { DownloadLink } from '~/ui/download-link'
import { TextInput } from '~/ui/field'
import { Panel } from '~/ui/panel'
import styles from './packages-card.module.css'

const ROW_HEIGHT = 26
const MAX_HEIGHT = 260

interface PackagesCardProps {
  run: Run
  packages: Environment['packages']
  /** The same as a file. */
  requirements: RunFile | undefined
}

/** Which packages there were, in which versions. */
export function PackagesCard({ run, packages, requirements }: PackagesCardProps) {
  const [search, setSearch] = useState('')
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null)
  const found = useMemo(() => {
    const wanted = search.trim().toLowerCase()
    return packages.filter(([name, version]) => `${name}==${version}`.toLowerCase().includes(wanted))
  }, [packages, search])
  const virtualizer = useVirtualizer({
    count: found.length,
    getScrollElement: () => scroller,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
    initialRect: { width: 0, height: MAX_HEIGHT },
  })
  return (
    <Panel
      title="Packages"
      count={formatInteger(packages.length)}
      aside={
        <>
          <TextInput
            type="search"
            className={styles.search}
            aria-label="Search packages"
            placeholder="Search"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
          {requirements !== undefined && (
            <DownloadLink
              href={api.file(run.entity, run.project, run.id, requirements.path, { download: 'true' })}
              name={requirements.path}
            >
              requirements.txt
            </DownloadLink>
          )}
        </>
      }
    >
      {found.length === 0 ? (
        <p className={styles.none}>No package has “{search}” in its name.</p>
      ) : (
        <div className={styles.scroller} ref={setScroller} style={{ maxHeight: MAX_HEIGHT }}>
          <ul className={styles.list} style={{ height: virtualizer.getTotalSize() }} aria-label="Packages">
            {virtualizer.getVirtualItems().map(({ index, start }) => (
              <li key={found[index][0]} className={styles.row} style={{ transform: `translateY(${start}px)` }}>
                <span className={styles.name}>{found[index][0]}</span>
                <code className={styles.version}>{found[index][1]}</code>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Panel>
  )
}
