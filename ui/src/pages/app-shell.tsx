import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useParams, useRouterState } from '@tanstack/react-router'
import { Boxes, ChartLine, FolderKanban, Library } from 'lucide-react'
import { sessionQuery } from '~/api/queries'
import { ThemeSwitch } from '~/features/account/theme-switch'
import { UserMenu } from '~/features/account/user-menu'
import { ConnectionBanner } from '~/features/live/connection-banner'
import { ShortcutsHelp } from '~/features/workspace/shortcuts-help'
import { HEADER_SLOT_ID } from '~/ui/header-slot'
import { Logo } from '~/ui/logo'
import { Toasts } from '~/ui/toasts'
import styles from './app-shell.module.css'

/** The header that stays, and the page below it; a page inside somebody else's page has no header. */
export function AppShell() {
  const embedded = useRouterState({ select: ({ location }) => location.pathname.startsWith('/embed/') })
  if (embedded) {
    return (
      <div className={styles.shell}>
        <ConnectionBanner />
        <main className={styles.main}>
          <Outlet />
        </main>
      </div>
    )
  }
  return (
    <div className={styles.shell}>
      <header className={styles.header}>
        <nav className={styles.crumbs} aria-label="Breadcrumbs">
          <Link to="/" className={styles.home} aria-label="All projects">
            <Logo />
            <span className={styles.wordmark}>steplog</span>
          </Link>
          <Crumbs />
        </nav>
        <Sections />
        <div id={HEADER_SLOT_ID} className={styles.slot} />
        <ShortcutsHelp />
        <ThemeSwitch />
        <UserMenu />
      </header>
      <ConnectionBanner />
      <main className={styles.main}>
        <Outlet />
      </main>
      <Toasts />
    </div>
  )
}

function Crumbs() {
  const { entity, project, id, collection, version } = useParams({ strict: false })
  if (entity === undefined || project === undefined) return null
  const leaf = id ?? (version === undefined ? collection : `${collection}:${version}`)
  return (
    <>
      <span className={styles.slash}>/</span>
      <span className={styles.entity}>{entity}</span>
      <span className={styles.slash}>/</span>
      <Link to="/$entity/$project" params={{ entity, project }} className={styles.crumb}>
        {project}
      </Link>
      {leaf !== undefined && (
        <>
          <span className={styles.slash}>/</span>
          <span className={styles.entity}>{leaf}</span>
        </>
      )}
    </>
  )
}

/** The parts of a project, or of everything where no project is open. */
function Sections() {
  const { entity, project, collection } = useParams({ strict: false })
  const path = useRouterState({ select: ({ location }) => location.pathname })
  const { data: session } = useQuery(sessionQuery())
  // A folder has no registry, and who must log in first sees nothing yet.
  if (path === '/login') return null
  const inProject = entity !== undefined && project !== undefined
  if (!inProject && (session === undefined || session.source === 'folder')) return null
  const exact = { activeOptions: { exact: true } }
  const inArtifacts = collection !== undefined || path.endsWith('/artifacts')
  return (
    <nav className={styles.sections} aria-label="Sections">
      {inProject ? (
        <>
          <Link to="/$entity/$project" params={{ entity, project }} {...exact} data-here={!inArtifacts} title="Runs">
            <ChartLine size={15} /> <span>Runs</span>
          </Link>
          <Link
            to="/$entity/$project/artifacts"
            params={{ entity, project }}
            {...exact}
            data-here={inArtifacts}
            title="Artifacts"
          >
            <Boxes size={15} /> <span>Artifacts</span>
          </Link>
        </>
      ) : (
        <>
          <Link to="/" {...exact} data-here={path === '/'} title="Projects">
            <FolderKanban size={15} /> <span>Projects</span>
          </Link>
          <Link to="/registry" {...exact} data-here={path === '/registry'} title="Registry">
            <Library size={15} /> <span>Registry</span>
          </Link>
        </>
      )}
    </nav>
  )
}
