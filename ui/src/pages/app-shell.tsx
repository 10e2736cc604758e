import { Link, Outlet, useParams, useRouterState } from '@tanstack/react-router'
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
  const { entity, project, id } = useParams({ strict: false })
  if (entity === undefined || project === undefined) return null
  return (
    <>
      <span className={styles.slash}>/</span>
      <span className={styles.entity}>{entity}</span>
      <span className={styles.slash}>/</span>
      <Link to="/$entity/$project" params={{ entity, project }} className={styles.crumb}>
        {project}
      </Link>
      {id !== undefined && (
        <>
          <span className={styles.slash}>/</span>
          <span className={styles.entity}>{id}</span>
        </>
      )}
    </>
  )
}
