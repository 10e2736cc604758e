import { expect, test } from 'vitest'
import { groupBy } from '~/lib/group-by'

test('values are grouped in the order in which their keys come', () => {
  expect([...groupBy(['bb', 'a', 'cc', 'd'], ({ length }) => length)]).toEqual([
    [2, ['bb', 'cc']],
    [1, ['a', 'd']],
  ])
})
