import type { TableData } from '~/features/artifacts/files/table-data'

/** What is not the same in two tables, in numbers. Rows are compared by the columns that both have. */
export interface TableDiff {
  rowCounts: readonly [before: number, after: number]
  sharedColumns: string[]
  addedColumns: string[]
  removedColumns: string[]
  addedRows: number
  removedRows: number
  sameRows: number
}

export function tableDiff(before: TableData, after: TableData): TableDiff {
  const sharedColumns = before.columns.filter((name) => after.columns.includes(name))
  const rowsOf = ({ columns, rows }: TableData) => {
    const places = sharedColumns.map((name) => columns.indexOf(name))
    return rows.map((row) => JSON.stringify(places.map((place) => row[place] ?? null)))
  }
  const counts = new Map<string, number>()
  for (const row of rowsOf(before)) counts.set(row, (counts.get(row) ?? 0) + 1)
  let sameRows = 0
  for (const row of rowsOf(after)) {
    const count = counts.get(row) ?? 0
    if (count === 0) continue
    counts.set(row, count - 1)
    sameRows += 1
  }
  return {
    rowCounts: [before.rows.length, after.rows.length],
    sharedColumns,
    addedColumns: after.columns.filter((name) => !before.columns.includes(name)),
    removedColumns: before.columns.filter((name) => !after.columns.includes(name)),
    addedRows: after.rows.length - sameRows,
    removedRows: before.rows.length - sameRows,
    sameRows,
  }
}
