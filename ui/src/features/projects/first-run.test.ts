import { expect, test } from 'vitest'
import { shellLines } from '~/features/projects/first-run'

test('a server elsewhere is named to the client, one with accounts is logged in to', () => {
  const install = 'pip install .   # in a clone of steplog'
  expect(shellLines('http://127.0.0.1:7837', false)).toBe(install)
  expect(shellLines('http://tracker:80', false)).toBe(`${install}\nexport STEPLOG_BASE_URL=http://tracker:80`)
  expect(shellLines('https://tracker', true)).toBe(`${install}\nsteplog login https://tracker`)
})
