import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { mockApi } from './mock/plugin.ts'

const source = fileURLToPath(new URL('./src', import.meta.url))

/** Every browser that runs this UI reads woff2; KaTeX's other font files would only make the server's binary larger. */
function woff2Only(): Plugin {
  return {
    name: 'woff2-only',
    enforce: 'pre',
    transform: (code, id) =>
      id.includes('katex') && id.endsWith('.css')
        ? code.replace(/,url\([^)]+\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)/g, '')
        : undefined,
  }
}

/** Requests go to a running server, the usual one or that of STEPLOG_BASE_URL; the mock answers them itself. */
function proxyOf(mode: string) {
  return mode === 'mock' ? undefined : { '/api': process.env.STEPLOG_BASE_URL ?? 'http://127.0.0.1:7837' }
}

export default defineConfig(({ mode }) => ({
  plugins: [react(), woff2Only(), mode === 'mock' ? mockApi() : undefined],
  resolve: { alias: { '~': source } },
  // The server's content policy allows fonts and scripts from its own origin only: nothing may become a data: URL.
  build: { assetsInlineLimit: 0, emptyOutDir: true, target: 'es2022', chunkSizeWarningLimit: 700 },
  server: { port: 5173, proxy: proxyOf(mode) },
  preview: { port: 4173, proxy: proxyOf(mode) },
  test: { include: ['src/**/*.test.ts', 'src/**/*.test.tsx', 'mock/**/*.test.ts'] },
}))
