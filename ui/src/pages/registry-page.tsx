import { Message } from '~/ui/message'

export function RegistryPage() {
  return <Message title="registry" />
}
