import { expect, test } from 'vitest'
import type { Collection } from '~/api/types'
import { otherStages, registries } from '~/features/artifacts/registry-stages'

function collection(project: string, name: string, aliases: Record<string, string>): Collection {
  return {
    entity: 'ada',
    project,
    name,
    kind: 'registry',
    type: 'model',
    description: null,
    version_count: 1,
    latest_version: 'v0',
    aliases: Object.entries(aliases).map(([alias, version]) => ({ alias, version })),
    protected_aliases: [],
    size_bytes: 0,
    created_at: 0,
    updated_at: 0,
  }
}

test('registries come by name, with the stages that most of their collections have', () => {
  const chat = collection('models', 'chat', { latest: 'v2', production: 'v1', staging: 'v2' })
  const code = collection('models', 'code', { latest: 'v0', staging: 'v0', a: 'v0', b: 'v0', c: 'v0' })
  const digits = collection('data', 'digits', { latest: 'v0' })
  expect(registries([code, chat, digits])).toEqual([
    { entity: 'ada', project: 'data', collections: [digits], stages: [] },
    { entity: 'ada', project: 'models', collections: [chat, code], stages: ['staging', 'a', 'b', 'c'] },
  ])
  expect(otherStages(chat, ['staging'])).toEqual([{ alias: 'production', version: 'v1' }])
})
