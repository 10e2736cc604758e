import { expect, test } from 'vitest'
import { DEFAULT_VIEW, decodeView, encodeView, type WorkspaceView } from '~/features/workspace/workspace-view'
import { parseSearch, stringifySearch } from '~/lib/search-params'

const throughAddress = (view: WorkspaceView) => decodeView(parseSearch(stringifySearch(encodeView(view))))

test('the default view needs no address', () => {
  expect(encodeView(DEFAULT_VIEW)).toEqual({})
  expect(decodeView({})).toEqual(DEFAULT_VIEW)
})

test('every part of a view goes through the address and back', () => {
  const view: WorkspaceView = {
    mode: 'table',
    query: 'config.lr >= 0.001 and state = "running"',
    sort: { field: 'summary.train/loss', descending: true },
    groupBy: 'config.model.name',
    columns: ['config.lr', 'summary.a,b'],
    onlyDifferences: true,
    top: 100,
    show: ['abc', 'd~e'],
    hide: ['x,y'],
    colors: { abc: 4, 'a~b': 11 },
    chart: {
      x: { kind: 'metric', key: 'epoch/of training' },
      ownAxes: false,
      smoothing: 0.6,
      logX: true,
      logY: true,
      bands: false,
      ignoreOutliers: true,
      size: 'large',
      search: '^train/',
      closed: ['system', 'val'],
      hidden: true,
      system: true,
      expanded: 'train/loss',
      zoom: [-1.5, 2e6],
      linked: false,
    },
  }
  expect(throughAddress(view)).toEqual(view)
})

test('nonsense in an address is the default', () => {
  expect(
    decodeView({
      top: '-3',
      sort: '-',
      zoom: '5~1',
      smooth: '7',
      colors: 'x',
      x: 'nothing',
      size: 'huge',
      view: 'pie',
    }),
  ).toEqual(DEFAULT_VIEW)
})
