import { ArrowDownUp, Columns3, Eye, Group } from 'lucide-react'
import type { Sort } from '~/api/types'
import { FieldPicker } from '~/features/runs/field-picker'
import type { AvailableColumns } from '~/features/runs/use-available-columns'
import { DEFAULT_TOP, MAX_TOP } from '~/features/workspace/workspace-view'
import { formatInteger } from '~/lib/format-number'
import { Button, IconButton } from '~/ui/button'
import { Choice } from '~/ui/choices'
import { Checkbox, Segmented } from '~/ui/field'
import { MenuItem, MenuLine, Popover } from '~/ui/popover'
import styles from './list-menus.module.css'

const SORT_FIELDS = [
  { field: 'created_at', label: 'Created' },
  { field: 'name', label: 'Name' },
  { field: 'duration', label: 'Duration' },
  { field: 'last_step', label: 'Last step' },
  { field: 'state', label: 'State' },
]
/** No field is called so. */
const NO_GROUPING = ''
const GROUP_FIELDS = [
  { field: NO_GROUPING, label: 'No grouping' },
  { field: 'group', label: 'Group' },
  { field: 'job_type', label: 'Job type' },
  { field: 'state', label: 'State' },
]
const COLUMN_FIELDS = [
  { field: 'created_at', label: 'Created' },
  { field: 'duration', label: 'Duration' },
  { field: 'last_step', label: 'Last step' },
  { field: 'row_count', label: 'Rows' },
  { field: 'group', label: 'Group' },
  { field: 'job_type', label: 'Job type' },
  { field: 'tags', label: 'Tags' },
  { field: 'id', label: 'Id' },
]

interface SortMenuProps {
  available: AvailableColumns
  sort: Sort | null
  onChange: (sort: Sort | null) => void
}

export function SortMenu({ available, sort, onChange }: SortMenuProps) {
  const descending = sort?.descending ?? true
  const field = sort?.field ?? 'created_at'
  const change = (nextField: string, nextDescending: boolean) =>
    onChange(nextField === 'created_at' && nextDescending ? null : { field: nextField, descending: nextDescending })
  return (
    <Popover
      label="Sort runs"
      align="end"
      trigger={(props) => (
        <IconButton label="Sort runs" active={sort !== null} {...props}>
          <ArrowDownUp size={15} />
        </IconButton>
      )}
    >
      {() => (
        <>
          <div className={styles.order}>
            <Segmented
              label="Order"
              value={descending ? 'down' : 'up'}
              options={[
                { value: 'down', label: 'Highest first' },
                { value: 'up', label: 'Lowest first' },
              ]}
              onChange={(order) => change(field, order === 'down')}
            />
          </div>
          <FieldPicker available={available} plain={SORT_FIELDS} choicesOf="Sort by">
            {(each, label) => (
              <Choice key={each} chosen={each === field} onChoose={() => change(each, descending)}>
                {label}
              </Choice>
            )}
          </FieldPicker>
        </>
      )}
    </Popover>
  )
}

interface GroupMenuProps {
  available: AvailableColumns
  groupBy: string | null
  onChange: (field: string | null) => void
}

export function GroupMenu({ available, groupBy, onChange }: GroupMenuProps) {
  return (
    <Popover
      label="Group runs"
      align="end"
      trigger={(props) => (
        <IconButton label="Group runs" active={groupBy !== null} {...props}>
          <Group size={15} />
        </IconButton>
      )}
    >
      {(close) => (
        <FieldPicker available={available} plain={GROUP_FIELDS} withSummary={false} choicesOf="Group by">
          {(field, label) => (
            <Choice
              key={field}
              chosen={field === (groupBy ?? NO_GROUPING)}
              onChoose={() => {
                onChange(field === NO_GROUPING ? null : field)
                close()
              }}
            >
              {label}
            </Choice>
          )}
        </FieldPicker>
      )}
    </Popover>
  )
}

interface ColumnsMenuProps {
  available: AvailableColumns
  columns: readonly string[]
  onChange: (columns: string[] | null) => void
}

export function ColumnsMenu({ available, columns, onChange }: ColumnsMenuProps) {
  return (
    <Popover
      label="Choose columns"
      align="end"
      trigger={(props) => (
        <IconButton label="Choose columns" {...props}>
          <Columns3 size={15} />
        </IconButton>
      )}
    >
      {() => (
        <>
          <FieldPicker available={available} plain={COLUMN_FIELDS}>
            {(field, label) => (
              <Checkbox
                key={field}
                checked={columns.includes(field)}
                onChange={(event) =>
                  onChange(event.target.checked ? [...columns, field] : columns.filter((each) => each !== field))
                }
              >
                {label}
              </Checkbox>
            )}
          </FieldPicker>
          <MenuLine />
          <Button look="ghost" className={styles.reset} onClick={() => onChange(null)}>
            Back to the default columns
          </Button>
        </>
      )}
    </Popover>
  )
}

interface VisibilityMenuProps {
  total: number
  top: number
  onTop: (top: number) => void
}

const TOPS = [5, DEFAULT_TOP, 50, 100, 200]

/** How many of the list are on the charts. */
export function VisibilityMenu({ total, top, onTop }: VisibilityMenuProps) {
  const all = Math.min(total, MAX_TOP)
  return (
    <Popover
      label="Runs on the charts"
      role="menu"
      align="end"
      trigger={(props) => (
        <IconButton label="Runs on the charts" {...props}>
          <Eye size={15} />
        </IconButton>
      )}
    >
      {(close) => {
        const choose = (count: number) => {
          onTop(count)
          close()
        }
        return (
          <>
            <MenuItem onClick={() => choose(0)}>Hide all</MenuItem>
            {TOPS.filter((count) => count < total).map((count) => (
              <MenuItem key={count} checked={top === count} onClick={() => choose(count)}>
                First {count} of the list
              </MenuItem>
            ))}
            <MenuItem checked={top >= all && total > 0} onClick={() => choose(Math.max(all, DEFAULT_TOP))}>
              {total > MAX_TOP ? `First ${MAX_TOP} (of ${formatInteger(total)})` : `All ${formatInteger(total)}`}
            </MenuItem>
          </>
        )
      }}
    </Popover>
  )
}
