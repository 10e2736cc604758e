import '~/styles.css'
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { createRoot } from 'react-dom/client'
import { ApiError } from '~/api/client'
import { sessionQuery, shouldRetry } from '~/api/queries'
import { createAppRouter } from '~/router'

const queries: QueryClient = new QueryClient({
  defaultOptions: {
    queries: { retry: shouldRetry, staleTime: 5_000, refetchOnWindowFocus: false },
  },
  queryCache: new QueryCache({
    // A session that ended shows the login page, which reads it again.
    onError: (error) => {
      if (error instanceof ApiError && error.kind === 'unauthenticated') {
        void queries.invalidateQueries({ queryKey: sessionQuery().queryKey })
      }
    },
  }),
})

const router = createAppRouter(queries)
const root = document.getElementById('root')
if (root === null) throw new Error('the page has no root element')
createRoot(root).render(
  <QueryClientProvider client={queries}>
    <RouterProvider router={router} />
  </QueryClientProvider>,
)
