import { Link } from '@tanstack/react-router'
import type { ArtifactRun } from '~/api/types'
import styles from './run-link.module.css'

/** A run by its name, or by its id where it is not here (yet, or any more). */
export function RunLink({ run }: { run: ArtifactRun }) {
  const { entity, project, run_id: id, name } = run
  if (name === null) {
    return (
      <span className={styles.gone} title={`${entity}/${project}/${id} is not on this server`}>
        {id}
      </span>
    )
  }
  return (
    <Link
      to="/$entity/$project/runs/$id"
      params={{ entity, project, id }}
      className={styles.run}
      title={`${entity}/${project}/${id}`}
    >
      {name}
    </Link>
  )
}
