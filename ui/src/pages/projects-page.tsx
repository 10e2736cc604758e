import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { projectsQuery, sessionQuery } from '~/api/queries'
import { useLive } from '~/features/live/use-live'
import { GettingStarted } from '~/features/projects/getting-started'
import { ProjectTable } from '~/features/projects/project-table'
import { useTitle } from '~/hooks/use-title'
import { plural } from '~/lib/format-number'
import { TextInput } from '~/ui/field'
import { ErrorMessage, Skeleton } from '~/ui/message'
import styles from './projects-page.module.css'

/** With fewer projects a search would only be in the way. */
const SEARCH_FROM = 6

export function ProjectsPage() {
  const { data, error, refetch } = useQuery(projectsQuery())
  const { data: session } = useQuery(sessionQuery())
  const [search, setSearch] = useState('')
  useLive(null)
  useTitle('Projects')
  const projects = data?.projects ?? []
  const found = projects.filter(({ entity, name }) => `${entity}/${name}`.toLowerCase().includes(search.toLowerCase()))
  return (
    <div className={styles.scroller}>
      <div className={styles.page}>
        <div className={styles.head}>
          <h1>Projects</h1>
          {data !== undefined && projects.length > 0 && (
            <span className={styles.count}>
              {plural(projects.length, 'project')}
              {session?.source === 'folder' && session.folder !== null && ` in ${session.folder}`}
            </span>
          )}
          {projects.length >= SEARCH_FROM && (
            <TextInput
              type="search"
              className={styles.search}
              aria-label="Search projects"
              placeholder="Search projects"
              value={search}
              onChange={(event) => setSearch(event.target.value)}
            />
          )}
        </div>
        {error !== null && data === undefined ? (
          <ErrorMessage title="Could not read the projects" error={error} onRetry={() => void refetch()} />
        ) : data === undefined ? (
          <div className={styles.skeletons}>
            {[1, 2, 3, 4].map((number) => (
              <Skeleton key={number} height={44} />
            ))}
          </div>
        ) : projects.length === 0 ? (
          <GettingStarted
            folder={session?.source === 'folder' ? session.folder : null}
            loginRequired={session?.login_required ?? false}
          />
        ) : found.length === 0 ? (
          <p className={styles.count}>No project has “{search}” in its name.</p>
        ) : (
          <ProjectTable projects={found} />
        )}
      </div>
    </div>
  )
}
