import type { QueryClient } from '@tanstack/react-query'
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router'
import { ApiError } from '~/api/client'
import { sessionQuery } from '~/api/queries'
import { parseSearch, type SearchParams, stringifySearch } from '~/lib/search-params'
import { AppShell } from '~/pages/app-shell'
import { FailedPage, NotFoundPage } from '~/pages/fallback-pages'
import { ProjectsPage } from '~/pages/projects-page'
import { WorkspacePage } from '~/pages/workspace-page'

interface RouterContext {
  queries: QueryClient
}

const keepSearch = (search: Record<string, unknown>): SearchParams => search as SearchParams

const rootRoute = createRootRouteWithContext<RouterContext>()({
  component: AppShell,
  notFoundComponent: NotFoundPage,
  errorComponent: FailedPage,
  validateSearch: keepSearch,
})

/** Pages that need an account send to the login page; a server that cannot be reached must not. */
async function requireSession({ context, location }: { context: RouterContext; location: { href: string } }) {
  try {
    const session = await context.queries.ensureQueryData(sessionQuery())
    if (session.login_required && session.user === null) {
      throw redirect({ to: '/login', search: { next: location.href } })
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}

const shared = { getParentRoute: () => rootRoute, beforeLoad: requireSession }

const projectsRoute = createRoute({ ...shared, path: '/', component: ProjectsPage })

const workspaceRoute = createRoute({
  ...shared,
  path: '/$entity/$project',
  component: WorkspacePage,
})

const runRoute = createRoute({
  ...shared,
  path: '/$entity/$project/runs/$id',
  component: lazyRouteComponent(() => import('~/pages/run-page'), 'RunPage'),
})

const artifactsRoute = createRoute({
  ...shared,
  path: '/$entity/$project/artifacts',
  component: lazyRouteComponent(() => import('~/pages/artifacts-page'), 'ArtifactsPage'),
})

const collectionRoute = createRoute({
  ...shared,
  path: '/$entity/$project/artifacts/$collection',
  component: lazyRouteComponent(() => import('~/pages/collection-page'), 'CollectionPage'),
})

const artifactRoute = createRoute({
  ...shared,
  path: '/$entity/$project/artifacts/$collection/$version',
  component: lazyRouteComponent(() => import('~/pages/artifact-page'), 'ArtifactPage'),
})

const registryRoute = createRoute({
  ...shared,
  path: '/registry',
  component: lazyRouteComponent(() => import('~/pages/registry-page'), 'RegistryPage'),
})

/** Asks nobody to log in: a login page has no place in somebody else's page. */
const embedRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/embed/$entity/$project/runs/$id',
  component: lazyRouteComponent(() => import('~/pages/embed-page'), 'EmbedPage'),
})

const settingsRoute = createRoute({
  ...shared,
  path: '/settings',
  component: lazyRouteComponent(() => import('~/pages/settings-page'), 'SettingsPage'),
})

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/login',
  component: lazyRouteComponent(() => import('~/pages/login-page'), 'LoginPage'),
})

const routeTree = rootRoute.addChildren([
  projectsRoute,
  workspaceRoute,
  runRoute,
  artifactsRoute,
  collectionRoute,
  artifactRoute,
  registryRoute,
  embedRoute,
  settingsRoute,
  loginRoute,
])

export function createAppRouter(queries: QueryClient) {
  return createRouter({
    routeTree,
    context: { queries },
    parseSearch,
    stringifySearch,
    defaultPreload: 'intent',
    defaultPreloadStaleTime: 0,
    scrollRestoration: false,
  })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>
  }
}
