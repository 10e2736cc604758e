import type { Stream } from '~/api/types'
import { countGpus, type Environment } from '~/features/run/environment'
import { Facts } from '~/features/run/facts'
import { formatBytes, plural } from '~/lib/format-number'
import { Panel } from '~/ui/panel'

const MAX_HOSTS = 8

/** Where the run was computed. */
export function MachineCard({ environment, streams }: { environment: Environment; streams: readonly Stream[] }) {
  const { system, platform, user, cpuModel, cpuCount, memoryBytes, gpus, container } = environment
  const kinds = countGpus(gpus)
  const hosts = hostsOf(environment, streams)
  const cpu = [cpuModel, cpuCount === null ? null : plural(cpuCount, 'core')].filter((part) => part !== null)
  const facts = [
    [hosts.length > 1 ? 'Hosts' : 'Host', hostText(hosts)],
    ['System', system ?? platform, platform],
    ['CPU', cpu.length === 0 ? null : cpu.join(' · ')],
    ['Memory', memoryBytes === null ? null : formatBytes(memoryBytes)],
    [gpus.length > 1 ? 'GPUs' : 'GPU', kinds.length === 0 ? null : kinds.map(gpuText).join(', ')],
    ['Container', container],
    ['User', user],
  ] as const
  if (facts.every(([, value]) => value === null)) return null
  return (
    <Panel title="Machine">
      <Facts
        facts={facts.map(([name, value, title]) => [name, value && <span title={title ?? undefined}>{value}</span>])}
      />
    </Panel>
  )
}

function hostsOf({ host }: Environment, streams: readonly Stream[]): string[] {
  const hosts = new Set(streams.map((stream) => stream.host).filter((each) => each !== null))
  if (hosts.size === 0 && host !== null) hosts.add(host)
  return [...hosts]
}

function hostText(hosts: readonly string[]): string | null {
  if (hosts.length === 0) return null
  const more = hosts.length - MAX_HOSTS
  return `${hosts.slice(0, MAX_HOSTS).join(', ')}${more > 0 ? ` and ${plural(more, 'other')}` : ''}`
}

function gpuText({ name, memoryBytes, count }: ReturnType<typeof countGpus>[number]): string {
  const memory = memoryBytes === null ? '' : `, ${formatBytes(memoryBytes)}`
  return `${count > 1 ? `${count} × ` : ''}${name}${memory}`
}
