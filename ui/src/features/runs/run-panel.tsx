import { PanelLeftClose, PanelLeftOpen } from 'lucide-react'
import type { ReactNode } from 'react'
import { ColumnsMenu, GroupMenu, SortMenu, VisibilityMenu } from '~/features/runs/list-menus'
import { RunGrid } from '~/features/runs/run-grid'
import { RunSearchBox } from '~/features/runs/run-search-box'
import { NO_DIFFERENCES } from '~/features/runs/run-values'
import type { RunListState } from '~/features/runs/use-run-list-state'
import { MAX_TOP } from '~/features/workspace/workspace-view'
import { formatInteger, plural } from '~/lib/format-number'
import { IconButton } from '~/ui/button'
import { Checkbox } from '~/ui/field'
import { ErrorMessage, Message, Skeleton } from '~/ui/message'
import styles from './run-panel.module.css'

interface RunPanelProps {
  layout: 'panel' | 'table'
  state: RunListState
  /** The side panel's width; the name column follows it. */
  width: number
  onCollapse?: () => void
}

/** Search, menus and the list of runs. */
export function RunPanel({ layout, state, width, onCollapse }: RunPanelProps) {
  const { items, view, visible, available, columns } = state
  return (
    <div className={styles.panel} data-layout={layout}>
      <div className={styles.search}>
        <RunSearchBox query={view.query} error={state.queryError} onChange={(query) => state.change({ query })} />
        {onCollapse !== undefined && (
          <IconButton label="Collapse run list" onClick={onCollapse}>
            <PanelLeftClose size={15} />
          </IconButton>
        )}
      </div>
      <div className={styles.bar}>
        <span className={styles.count}>
          <strong>{formatInteger(visible.runs.length)}</strong> of {plural(items.total, 'run')} shown
        </span>
        <VisibilityMenu total={visible.total} top={view.top} onTop={state.showTop} />
        <SortMenu available={available} sort={view.sort} onChange={(sort) => state.change({ sort })} />
        <GroupMenu available={available} groupBy={view.groupBy} onChange={(groupBy) => state.change({ groupBy })} />
        <ColumnsMenu available={available} columns={columns} onChange={(next) => state.change({ columns: next })} />
        {layout === 'table' && (
          <Checkbox
            checked={view.onlyDifferences}
            onChange={(event) => state.change({ onlyDifferences: event.target.checked })}
          >
            Only config that differs
          </Checkbox>
        )}
      </div>
      <Body state={state}>
        <RunGrid
          layout={layout}
          items={items}
          columns={state.shownColumns}
          differences={layout === 'table' ? state.differences : NO_DIFFERENCES}
          sort={view.sort}
          visibleIds={state.visibleIds}
          colors={state.colors}
          nameWidth={layout === 'table' ? 300 : columns.length > 0 ? Math.max(200, Math.min(width - 110, 300)) : width}
          actions={state.actions}
        />
      </Body>
      {layout === 'panel' &&
        visible.total > view.top &&
        view.top < MAX_TOP &&
        view.groupBy === null &&
        !visible.loading && (
          <button type="button" className={styles.more} onClick={() => state.showTop(Math.max(view.top * 2, 20))}>
            Show more runs on the charts
          </button>
        )}
    </div>
  )
}

const SKELETON_WIDTHS = [82, 64, 90, 71, 58, 86, 67, 78, 61, 74]

function Body({ state, children }: { state: RunListState; children: ReactNode }) {
  const { items, view } = state
  if (items.pending && items.error === null) {
    return (
      <div className={styles.skeletons}>
        {SKELETON_WIDTHS.map((width) => (
          <Skeleton key={width} height={14} width={`${width}%`} />
        ))}
      </div>
    )
  }
  if (items.error !== null && items.items.length === 0) {
    return <ErrorMessage title="No runs to show" error={items.error} />
  }
  if (items.items.length === 0) {
    return view.query === '' ? (
      <Message title="No runs yet">Runs of this project appear here as soon as they begin.</Message>
    ) : (
      <Message title="Nothing found">No run matches “{view.query}”.</Message>
    )
  }
  return children
}

export function ExpandPanelButton({ onClick }: { onClick: () => void }) {
  return (
    <IconButton label="Show run list" onClick={onClick}>
      <PanelLeftOpen size={15} />
    </IconButton>
  )
}
