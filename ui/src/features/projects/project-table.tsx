import { Link } from '@tanstack/react-router'
import type { Project } from '~/api/types'
import { useNow } from '~/hooks/use-now'
import { formatInteger } from '~/lib/format-number'
import { formatDate, formatDateTime, formatRelative } from '~/lib/format-time'
import styles from './project-table.module.css'

export function ProjectTable({ projects }: { projects: readonly Project[] }) {
  const now = useNow()
  return (
    <div className={styles.frame}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th>Project</th>
            <th className={styles.number}>Runs</th>
            <th>Now</th>
            <th className={styles.created}>Created</th>
            <th className={styles.number}>Last activity</th>
          </tr>
        </thead>
        <tbody>
          {projects.map((project) => (
            <tr key={`${project.entity}/${project.name}`}>
              <td>
                <Link
                  to="/$entity/$project"
                  params={{ entity: project.entity, project: project.name }}
                  className={styles.link}
                >
                  <span className={styles.entity}>{project.entity} / </span>
                  {project.name}
                </Link>
              </td>
              <td className={styles.number}>{formatInteger(project.run_count)}</td>
              <td>
                {project.running_count > 0 ? (
                  <span className={styles.running}>{formatInteger(project.running_count)} running</span>
                ) : (
                  <span className={styles.idle}>idle</span>
                )}
              </td>
              <td className={`${styles.created} ${styles.quiet}`}>{formatDate(project.created_at)}</td>
              <td className={`${styles.number} ${styles.quiet}`} title={formatDateTime(project.updated_at)}>
                {formatRelative(project.updated_at, now)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
